// @ts-nocheck
import { describe, expect, test } from 'vitest'
import { RunningTick, type TickContext, type Try } from '../../../infra/local/run/tick.ts'
import { COMPLETED } from '../fixtures/records.ts'
import { candidatesNumbered, patientContext, settle } from '../fixtures/ticking.ts'

const TICK_MS = Date.UTC(2024, 0, 31)
const TICK = '2024-01-31T00:00:00.000Z'

/** A tick of these candidates that has begun, and which of its promises have settled. */
function scene(numbers: readonly number[], more: Partial<TickContext> = {}) {
  const { accepted, ...context } = patientContext()
  const tries: Try[] = []
  const candidates = candidatesNumbered(...numbers)
  const onTry = (one: Try) => void tries.push(one)
  const tick = new RunningTick(1, TICK_MS, { ...context, candidates, onTry, ...more })
  const reached: string[] = []
  void tick.settled.then(() => reached.push('settled'))
  void tick.over.then(() => reached.push('over'))
  const invoked = () => accepted.map(({ event }) => Object(event)['n'])
  const requestOf = (index: number) => accepted[index]?.requestId ?? ''
  const end = async (index: number) => accepted[index]?.end()
  return { tick, accepted, tries, reached, invoked, requestOf, end }
}

test('begins and ends of tries are reported with the candidate, whatever numbers are missing', async () => {
  const started: unknown[][] = []
  const { accepted, tries, requestOf } = scene([2, 5], { onStart: (...start) => started.push(start) })
  accepted[1]?.onStart?.(0)
  accepted[1]?.failTry()
  accepted[1]?.onStart?.(1)
  await accepted[1]?.end(COMPLETED)
  expect(started).toEqual([
    [requestOf(1), 5, TICK, 0],
    [requestOf(1), 5, TICK, 1],
  ])
  expect(tries).toMatchObject([
    { candidate: 5, attempt: { requestId: requestOf(1), retry: 0 }, outcome: { status: 'failed' } },
    { candidate: 5, attempt: { requestId: requestOf(1), retry: 1 }, outcome: { status: 'completed' } },
  ])
})

test('settles and is over when all candidates have ended, retries included; the record is in that order', async () => {
  const { tick, accepted, reached, end } = scene([1, 2])
  expect(tick.record()).toMatchObject({ number: 1, tick: TICK, tries: [] })
  await end(1)
  accepted[0]?.failTry()
  await settle()
  expect(reached).toEqual([])
  await end(0)
  expect(reached).toEqual(['settled', 'over'])
  expect(tick.record().tries.map(({ candidate }) => candidate)).toEqual([2, 1, 1])
})

describe('an event that is delivered again', () => {
  test.each([
    [[1, 2, 3], 0, 2],
    [[1, 2, 3], 1, 1],
    [[4], 0, 4],
  ])('is that of another candidate, if there is one: of %j, request %i', (numbers, index, another) => {
    const { tick, invoked, requestOf } = scene(numbers)
    void tick.deliverAgain(requestOf(index))
    expect(invoked()).toEqual([...numbers, another])
  })

  test('is the same event, under another request id, which belongs to the tick too', () => {
    const [one] = candidatesNumbered(1)
    const input = '{"n":1,"execution":"<aws.scheduler.execution-id>"}'
    const candidates = one === undefined ? [] : [{ ...one, schedule: { ...one.schedule, input } }]
    const { tick, accepted, requestOf } = scene([], { candidates })
    void tick.deliverAgain(requestOf(0))
    expect(accepted[1]?.event).toEqual(accepted[0]?.event)
    expect(requestOf(1)).not.toBe(requestOf(0))
    expect([requestOf(0), requestOf(1), 'unknown'].map((requestId) => tick.has(requestId))).toEqual([true, true, false])
  })

  test('is waited for until its last try, by its caller and by the tick', async () => {
    const { tick, accepted, reached, requestOf, end } = scene([1, 2])
    await end(1)
    let isDone = false
    void tick.deliverAgain(requestOf(0)).then(() => {
      isDone = true
    })
    await end(0)
    accepted[2]?.failTry()
    await settle()
    expect([isDone, reached]).toEqual([false, []])
    await end(2)
    expect([isDone, reached]).toEqual([true, ['settled', 'over']])
  })
})

test('a function that invokes itself continues its event, and the tick waits; others are refused', async () => {
  const { tick, accepted, reached, requestOf, end, tries } = scene([1, 2])
  const name = candidatesNumbered(2)[0]?.lambda.name ?? ''
  expect(tick.continueSelf(requestOf(1), 'another', { part: 2 })).toBe(false)
  expect(tick.continueSelf('unknown', name, { part: 2 })).toBe(false)
  expect(tick.continueSelf(requestOf(1), name, { part: 2 })).toBe(true)
  await end(0)
  await end(1)
  expect(accepted[2]).toMatchObject({ event: { part: 2 }, requestId: expect.not.stringMatching(requestOf(1)) })
  expect(reached).toEqual([])
  accepted[2]?.failTry()
  await end(2)
  expect(reached).toEqual(['settled', 'over'])
  expect(tries.map(({ candidate }) => candidate)).toEqual([1, 2, 2, 2])
})

describe('a tick whose leader is frozen by hand', () => {
  /** The first of three is frozen; the others stand by. */
  async function frozenScene() {
    const frozen = new Set<string>()
    const all = scene([1, 2, 3], { isFrozen: (requestId) => frozen.has(requestId) })
    frozen.add(all.requestOf(0))
    await all.end(1)
    await all.end(2)
    return { ...all, frozen }
  }

  test('settles without it once a rival has been invoked again, and is over when it has ended too', async () => {
    const { tick, reached, requestOf, end } = await frozenScene()
    expect(reached).toEqual([])
    void tick.deliverAgain(requestOf(0))
    await settle()
    expect(reached).toEqual([])
    await end(3)
    expect(reached).toEqual(['settled'])
    expect(tick.record()).toMatchObject({ hasFrozen: true })
    await end(0)
    expect(reached).toEqual(['settled', 'over'])
    expect(tick.record().tries.map(({ candidate }) => candidate)).toEqual([2, 3, 2, 1])
  })

  test('invokes a rival that can lead: neither cut off nor frozen', async () => {
    const frozen = new Set<string>()
    const isFrozen = (requestId: string) => frozen.has(requestId)
    const { tick, invoked, requestOf } = scene([1, 2, 3, 4], { isFrozen, isReachable: (candidate) => candidate !== 1 })
    frozen.add(requestOf(3))
    frozen.add(requestOf(1))
    void tick.deliverAgain(requestOf(3))
    expect(invoked()).toEqual([1, 2, 3, 4, 3])
  })
})
