import { expect, test } from 'vitest'
import { lateCandidate } from '../../infra/local/faults/late-candidate.ts'
import type { Ending } from '../../infra/local/host/environment.ts'
import type { LambdaHost } from '../../infra/local/host/lambda-host.ts'
import { runTick } from '../../infra/local/tick.ts'
import { fixtureFunction } from './fixtures/functions.ts'

const TICK_MS = Date.UTC(2024, 0, 31)
const standby: Ending = { ok: true, value: { status: 'standby', reason: 'held' } }

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** Candidates whose first tries, and then whose retries, end when they are told to. */
function scene(number: number) {
  const lambda = fixtureFunction()
  const candidates = Array.from({ length: number }, (_, index) => ({
    schedule: { name: `s-${index + 1}`, arn: 'a', periodMs: 1, targetArn: lambda.arn, input: `{"n":${index + 1}}` },
    lambda,
  }))
  const woken: unknown[] = []
  const ends: (() => void)[] = []
  const retries: (() => void)[] = []
  const host: Pick<LambdaHost, 'invokeAsync'> = {
    invokeAsync: async (_lambda, event, onAttempt) => {
      woken.push(Object(event)['n'])
      await new Promise<void>((resolve) => ends.push(resolve))
      await onAttempt({ requestId: 'r', retry: 0, ending: standby, durationMs: 1 })
      await new Promise<void>((resolve) => retries.push(resolve))
    },
  }
  const late = lateCandidate()
  const run = (isLate: boolean) =>
    runTick(1, TICK_MS, { host, candidates, onTry: () => {}, ...(isLate ? { late } : {}) })
  const finish = async () => {
    for (let n = 1; n <= number; n += 1) {
      for (const end of [...ends, ...retries]) end()
      await settle()
    }
  }
  return { woken, ends, late, run, finish }
}

test('all candidates are woken at once', async () => {
  const { woken, finish, run } = scene(3)
  const record = run(false)
  expect(woken).toEqual([1, 2, 3])
  await finish()
  expect((await record).tries.map(({ candidate }) => candidate)).toEqual([1, 2, 3])
})

test('a late candidate is woken when it is called, and its turn is over when all its tries are', async () => {
  const { woken, ends, late, run, finish } = scene(3)
  let isOver = false
  void late.hadItsTurn.then(() => {
    isOver = true
  })
  const record = run(true)
  await settle()
  expect(woken).toEqual([1, 2])
  late.call()
  await settle()
  expect(woken).toEqual([1, 2, 3])
  ends[2]?.() // its first try
  await settle()
  expect(isOver).toBe(false)
  await finish()
  expect(isOver).toBe(true)
  expect((await record).tries).toHaveLength(3)
})

test('a late candidate that nobody calls comes when all others are done', async () => {
  const { woken, ends, run, finish } = scene(2)
  const record = run(true)
  await settle()
  ends[0]?.()
  await settle()
  expect(woken).toEqual([1]) // the other one is tried again
  await finish()
  expect(woken).toEqual([1, 2])
  await finish()
  expect((await record).tries).toHaveLength(2)
})
