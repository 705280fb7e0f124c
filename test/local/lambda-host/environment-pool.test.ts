import { expect, test } from 'vitest'
import type { Environment } from '../../../infra/local/lambda-host/environment.ts'
import { createEnvironmentPool } from '../../../infra/local/lambda-host/environment-pool.ts'

/** A pool of environments that are initialized when the test says so. */
function scene() {
  const started: { readonly environment: Environment; readonly initialize: () => void }[] = []
  const pool = createEnvironmentPool(() => {
    const { promise: initialized, resolve: initialize } = Promise.withResolvers<void>()
    let isAlive = true
    const environment: Environment = {
      serial: started.length + 1,
      initialized,
      isAlive: () => isAlive,
      invoke: async () => ({ ok: true, value: null }),
      freeze: () => false,
      thaw: () => false,
      kill: async () => {
        isAlive = false
        initialize()
      },
    }
    started.push({ environment, initialize })
    return environment
  })
  return { pool, started }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('whoever waits longest gets the first environment that is initialized or given back, whomever it was started for', async () => {
  const { pool, started } = scene()
  const got: string[] = []
  const take = (who: string) =>
    pool.take().then((environment) => {
      got.push(`${who} got ${environment?.serial}`)
      return environment
    })
  const first = take('first')
  void take('second')
  started[1]?.initialize()
  await settled()
  expect(got).toEqual(['first got 2'])
  const environment = await first
  if (environment === undefined) throw new Error('none')
  pool.giveBack(environment)
  await settled()
  expect(got).toEqual(['first got 2', 'second got 2'])
})

test('starts a few at a time, and more as long as somebody waits', async () => {
  const { pool, started } = scene()
  for (let nth = 0; nth < 50; nth += 1) void pool.take()
  expect(started).toHaveLength(4)
  for (let nth = 0; nth < 50; nth += 1) {
    started[nth]?.initialize()
    await settled()
    expect(started).toHaveLength(Math.min(50, nth + 1 + 4))
  }
})

test('once stopped it gives nothing, not even to those who waited, and starts nothing', async () => {
  const { pool, started } = scene()
  const waiting = Array.from({ length: 20 }, () => pool.take())
  const before = started.length
  await pool.stop()
  expect(await Promise.all(waiting)).toEqual(Array.from({ length: 20 }, () => undefined))
  expect(await pool.take()).toBeUndefined()
  expect(started).toHaveLength(before)
  expect(started.filter(({ environment }) => environment.isAlive())).toEqual([])
})
