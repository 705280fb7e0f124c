import { describe, expect, test } from 'vitest'
import { startTick, type TickContext, type Try } from '../../../infra/local/run/tick.ts'
import { COMPLETED, candidatesNumbered, patientHost, settle } from '../fixtures/ticking.ts'

const TICK_MS = Date.UTC(2024, 0, 31)
const TICK = '2024-01-31T00:00:00.000Z'

/** A tick of these candidates that has begun, and which of its promises have settled. */
function scene(numbers: readonly number[], more: Partial<TickContext> = {}) {
  const { host, taken } = patientHost()
  const tried: Try[] = []
  const tick = startTick(1, TICK_MS, {
    host,
    candidates: candidatesNumbered(...numbers),
    onTry: (one) => tried.push(one),
    ...more,
  })
  const reached: string[] = []
  void tick.settled.then(() => reached.push('settled'))
  void tick.over.then(() => reached.push('over'))
  const woken = () => taken.map(({ event }) => Object(event)['n'])
  const requestOf = (index: number) => taken[index]?.requestId ?? ''
  const end = async (index: number) => taken[index]?.end()
  return { tick, taken, tried, reached, woken, requestOf, end }
}

test('all candidates are woken at once, each with the event of its own schedule and a request of its own', () => {
  const { woken, taken } = scene([1, 2, 3])
  expect(woken()).toEqual([1, 2, 3])
  expect(new Set(taken.map(({ requestId }) => requestId)).size).toBe(3)
})

test('a try is told when it begins and when it ends, with its candidate, whatever numbers are missing', async () => {
  const started: unknown[][] = []
  const { taken, tried, requestOf } = scene([2, 5], { onStart: (...told) => started.push(told) })
  taken[1]?.onStart?.(0)
  await taken[1]?.failTry()
  taken[1]?.onStart?.(1)
  await taken[1]?.end(COMPLETED)
  expect(started).toEqual([
    [requestOf(1), 5, TICK, 0],
    [requestOf(1), 5, TICK, 1],
  ])
  expect(tried).toMatchObject([
    { candidate: 5, attempt: { requestId: requestOf(1), retry: 0 }, outcome: { status: 'failed' } },
    { candidate: 5, attempt: { requestId: requestOf(1), retry: 1 }, outcome: { status: 'completed' } },
  ])
})

test('the record has what ended so far, in the order in which it did', async () => {
  const { tick, taken, end } = scene([1, 2, 3])
  const atFirst = tick.record()
  await end(2)
  expect(atFirst).toMatchObject({ number: 1, tick: TICK, tries: [] })
  await taken[0]?.failTry()
  expect(tick.record().tries.map(({ candidate }) => candidate)).toEqual([3, 1])
})

test('a tick settles, and is over, when all its candidates are done, retries included', async () => {
  const { taken, reached, end } = scene([1, 2])
  await end(1)
  await taken[0]?.failTry()
  await settle()
  expect(reached).toEqual([])
  await end(0)
  expect(reached).toEqual(['settled', 'over'])
})

test("a candidate's clock is asked for at each of its tries, and where it has none nothing is said of it", () => {
  let skewMs = 0
  const candidates = candidatesNumbered(1, 2).map((candidate) =>
    candidate.number === 1 ? { ...candidate, clockSkewMs: () => skewMs } : candidate,
  )
  const { taken } = scene([], { candidates })
  skewMs = 5_000
  expect(taken[0]?.clockSkewMs?.()).toBe(5_000)
  expect(taken[1]).not.toHaveProperty('clockSkewMs')
})

test('a schedule whose input is no JSON is an error at once, and nobody is woken', () => {
  const { host, taken } = patientHost()
  const candidates = candidatesNumbered(1, 2).map((one) =>
    one.number === 2 ? { ...one, schedule: { ...one.schedule, input: '{' } } : one,
  )
  expect(() => startTick(1, TICK_MS, { host, candidates, onTry: () => {} })).toThrow('s-2: its input is not JSON')
  expect(taken).toEqual([])
})

test('it knows its own requests, those of events that were delivered again too', async () => {
  const { tick, requestOf } = scene([1, 2])
  void tick.deliverAgain(requestOf(0))
  expect([0, 1, 2].map((index) => tick.has(requestOf(index)))).toEqual([true, true, true])
  expect(requestOf(2)).not.toBe('')
  expect(tick.has('unknown')).toBe(false)
})

describe('an event that is delivered again', () => {
  test.each([
    [0, 2],
    [1, 1],
    [2, 1],
  ])('is that of another candidate than the one of request %i', async (index, another) => {
    const { tick, woken, requestOf } = scene([1, 2, 3])
    void tick.deliverAgain(requestOf(index))
    expect(woken()).toEqual([1, 2, 3, another])
  })

  test('is that of the same candidate where it is alone', async () => {
    const { tick, woken, requestOf } = scene([4])
    void tick.deliverAgain(requestOf(0))
    expect(woken()).toEqual([4, 4])
  })

  test('is the same event, under another request', () => {
    const [one] = candidatesNumbered(1)
    const input = '{"n":1,"execution":"<aws.scheduler.execution-id>"}'
    const candidates = one === undefined ? [] : [{ ...one, schedule: { ...one.schedule, input } }]
    const { tick, taken, requestOf } = scene([], { candidates })
    void tick.deliverAgain(requestOf(0))
    expect(taken[1]?.event).toEqual(taken[0]?.event)
    expect(requestOf(1)).not.toBe(requestOf(0))
  })

  test('is over when its last try is', async () => {
    const { tick, taken, requestOf, end } = scene([1, 2])
    let isDone = false
    void tick.deliverAgain(requestOf(0)).then(() => {
      isDone = true
    })
    await taken[2]?.failTry()
    await settle()
    expect(isDone).toBe(false)
    await end(2)
    expect(isDone).toBe(true)
  })

  test('keeps the tick from being over, though all others are done', async () => {
    const { tick, reached, requestOf, end } = scene([1, 2])
    await end(1)
    void tick.deliverAgain(requestOf(0))
    await end(0)
    expect(reached).toEqual([])
    await end(2)
    expect(reached).toEqual(['settled', 'over'])
  })
})

describe('a tick whose leader somebody froze', () => {
  /** The first of three is frozen; the others stand by. */
  async function frozenScene() {
    const frozen = new Set<string>()
    const all = scene([1, 2, 3], { isFrozen: (requestId) => frozen.has(requestId) })
    frozen.add(all.requestOf(0))
    await all.end(1)
    await all.end(2)
    return { ...all, frozen }
  }

  test('waits until a rival has had another chance, and then no longer for the frozen one', async () => {
    const { tick, reached, requestOf, end } = await frozenScene()
    expect(reached).toEqual([])
    void tick.deliverAgain(requestOf(0))
    await settle()
    expect(reached).toEqual([])
    await end(3)
    expect(reached).toEqual(['settled'])
  })

  test('is over when the frozen one has ended too, and the record has it then', async () => {
    const { tick, reached, requestOf, end } = await frozenScene()
    void tick.deliverAgain(requestOf(0))
    await end(3)
    expect(tick.record().tries.map(({ candidate }) => candidate)).toEqual([2, 3, 2])
    await end(0)
    expect(reached).toEqual(['settled', 'over'])
    expect(tick.record().tries.map(({ candidate }) => candidate)).toEqual([2, 3, 2, 1])
  })

  test('waits for it as for any other where it was thawed before the rival was done', async () => {
    const { tick, reached, requestOf, end, frozen } = await frozenScene()
    void tick.deliverAgain(requestOf(0))
    frozen.clear()
    await end(3)
    expect(reached).toEqual([])
    await end(0)
    expect(reached).toEqual(['settled', 'over'])
  })

  test('waits for the rival as well, where somebody froze that one and it has had none yet', async () => {
    const { tick, reached, requestOf, end, frozen } = await frozenScene()
    void tick.deliverAgain(requestOf(0))
    frozen.add(requestOf(3))
    void tick.deliverAgain(requestOf(3))
    await settle()
    expect(reached).toEqual([])
    await end(4)
    expect(reached).toEqual(['settled'])
  })

  test('wakes a rival that can lead: neither one that is cut off nor one that sleeps too', async () => {
    const frozen = new Set<string>()
    const isFrozen = (requestId: string) => frozen.has(requestId)
    const { tick, taken, requestOf } = scene([1, 2, 3, 4], { isFrozen, isReachable: (candidate) => candidate !== 1 })
    frozen.add(requestOf(3))
    frozen.add(requestOf(1))
    void tick.deliverAgain(requestOf(3))
    expect(taken[4]?.event).toEqual(taken[2]?.event)
  })
})
