import { expect, test } from 'vitest'
import { EnvironmentPool, type Pooled } from '../../../infra/local/lambda-host/environments.ts'

/** A pool of environments that a test initializes one by one. */
function scene() {
  const started: (Pooled & { readonly serial: number; readonly initialize: () => void })[] = []
  const pool = new EnvironmentPool(() => {
    const { promise: initialized, resolve: initialize } = Promise.withResolvers<void>()
    let isAlive = true
    const kill = async () => {
      isAlive = false
      initialize()
    }
    const environment = { serial: started.length + 1, initialized, initialize, isAlive: () => isAlive, kill }
    started.push(environment)
    return environment
  })
  return { pool, started }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('the first in the queue gets the first environment that is initialized or given back', async () => {
  const { pool, started } = scene()
  const got: string[] = []
  const take = async (who: string) => {
    const environment = await pool.take()
    got.push(`${who} got ${environment?.serial}`)
    return environment
  }
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

test('starts four at a time, and more as long as the queue is not empty', async () => {
  const { pool, started } = scene()
  for (let nth = 0; nth < 50; nth += 1) void pool.take()
  expect(started).toHaveLength(4)
  for (let nth = 0; nth < 50; nth += 1) {
    started[nth]?.initialize()
    await settled()
    expect(started).toHaveLength(Math.min(50, nth + 1 + 4))
  }
})

test('once stopped it lends and starts nothing, and the queue is sent away', async () => {
  const { pool, started } = scene()
  const waiting = Array.from({ length: 20 }, () => pool.take())
  const before = started.length
  await pool.stop()
  expect(await Promise.all([...waiting, pool.take()])).toEqual(Array.from({ length: 21 }, () => undefined))
  expect(started).toHaveLength(before)
  expect(started.filter((environment) => environment.isAlive())).toEqual([])
})
