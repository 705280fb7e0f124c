/** Clocks that are wrong, or set, while the lease is asked for: this candidate's own, and that of the row's last writer. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ClockSkewError, withLease } from '../../functions/election/index.ts'
import { clock, NEXT_TICK, noAnswer, options, outcomeOf, startAnew, store, TICK } from './scripted.ts'

beforeEach(startAnew)

/** The length of every sleep, in milliseconds. */
let sleeps: number[]
beforeEach(() => {
  sleeps = []
  const sleep = clock.sleep.bind(clock)
  clock.sleep = (ms, signal) => {
    sleeps.push(ms)
    return sleep(ms, signal)
  }
})

/** A Lambda invocation with so much time left. */
function lambda(remainingMs: number, awsRequestId = 'event-1') {
  const endMs = clock.wallMs() + remainingMs
  return { awsRequestId, functionName: 'charge', getRemainingTimeInMillis: () => endMs - clock.wallMs() }
}

describe('a clock that is set while the lease is asked for', () => {
  /** DynamoDB's Date, as a reading of it under a clock that may be set in between. */
  function answersWithDate(trueMs: () => number): void {
    const { acquire } = store
    store.acquire = async (request) => {
      const sentAtMs = clock.wallMs()
      const reply = await acquire.call(store, request)
      const dateMs = Math.floor(trueMs() / 1000) * 1000
      return { ...reply, clockReading: { sentAtMs, dateMs, receivedAtMs: clock.wallMs() } }
    }
  }

  it.each([
    ['an hour ahead', 3_600_000],
    ['an hour behind, as after a thaw', -3_600_000],
    ['ahead by less than the length of a lease', 5_000],
    ['ahead by little more than the budget allows', 1_600],
  ])('and was %s before: gives back, asks again and leads under the right time', async (_, byMs) => {
    const trueMs = clock.wallMs()
    answersWithDate(() => trueMs)
    const told: string[] = []
    clock.setWall(byMs)
    store.afterNext('acquire', () => clock.setWall(-byMs))
    const running = outcomeOf(
      withLease(options({ tick: TICK, onEvent: ({ kind }) => void told.push(kind) }), () => 'mine'),
    )
    await clock.advance(1_000)
    expect(await running).toMatchObject({ status: 'completed', result: 'mine' })
    expect(store.asked).toEqual(['acquire', 'giveBack', 'acquire', 'complete'])
    expect(Math.abs((store.memory.read('billing')?.acquiredAtMs ?? 0) - trueMs)).toBeLessThan(1_000)
    expect(told).toEqual(['clockRead', 'elected'])
  })

  it('by less than half of the budget, after which it is right enough, is no reason to fail either', async () => {
    const trueMs = clock.wallMs()
    answersWithDate(() => trueMs)
    clock.setWall(1_600)
    store.afterNext('acquire', () => clock.setWall(-450))
    const running = outcomeOf(withLease(options({ tick: TICK }), () => 'mine'))
    await clock.advance(1_000)
    expect(await running).toMatchObject({ status: 'completed' })
  })

  it('and was ahead before leaves the right time on the row, where no answer tells DynamoDB’s', async () => {
    const trueMs = clock.wallMs()
    clock.setWall(3_600_000)
    store.afterNext('acquire', () => {
      clock.setWall(-3_600_000)
      noAnswer()
    })
    await outcomeOf(withLease(options({ tick: TICK }), () => 'never'))
    expect(store.memory.read('billing')).toMatchObject({ writtenAtMs: trueMs, endedBy: 'released' })
  })

  it('is not believed when it says that another holds the lease', async () => {
    await withLease(options({ leaseMs: 1_000, heartbeat: false }), () => clock.freeze(10_000)).catch(() => undefined)
    store.memory.edit('billing', { holder: 'dead', completedTick: '2026-11-21T01:00:00.000Z', attempt: 'of the dead' })
    clock.setWall(-3_600_000)
    store.afterNext('acquire', () => clock.setWall(3_600_000))
    const running = outcomeOf(withLease(options({ candidate: 'bob' }), () => 'mine'))
    await clock.advance(1_000)
    expect(await running).toMatchObject({ status: 'completed', result: 'mine' })
  })

  it('ends the try where the lease cannot be given back, which would be in its own way', async () => {
    store.afterNext('acquire', () => clock.setWall(3_600_000))
    store.beforeNext('giveBack', noAnswer)
    expect(await outcomeOf(withLease(options({ tick: TICK }), () => 'never'))).toBeInstanceOf(ClockSkewError)
    expect(store.asked).toEqual(['acquire', 'giveBack'])
  })

  it('does not matter to one whose tick is done', async () => {
    await withLease(options(), () => undefined)
    store.afterNext('acquire', () => clock.setWall(3_600_000))
    expect(await withLease(options(), () => 'never')).toEqual({ status: 'standby', reason: 'completed' })
    expect(store.asked.filter((kind) => kind === 'acquire')).toHaveLength(2)
  })

  it('each time ends after three tries, with nothing held, and says so', async () => {
    let byMs = 3_600_000
    const setAgain = () => {
      clock.setWall(byMs)
      byMs = -byMs
    }
    answersWithDate(() => clock.wallMs())
    store.afterNext('acquire', setAgain, setAgain, setAgain, setAgain)
    const running = outcomeOf(withLease(options(), () => 'never'))
    await clock.advance(1_000)
    const error = await running
    expect(error).toBeInstanceOf(ClockSkewError)
    expect(error).toMatchObject({ message: expect.stringMatching(/clock was set forward by 3600000 ms, or/) })
    expect(store.asked.filter((kind) => kind === 'acquire')).toHaveLength(3)
    expect(store.memory.read('billing')).not.toHaveProperty('holder')
  })
})

describe('a row that a wrong clock wrote last', () => {
  const next = (changes = {}) => outcomeOf(withLease(options({ tick: NEXT_TICK, ...changes }), () => 'mine'))

  it('keeps others waiting only until their clocks have come near, where that is soon', async () => {
    await withLease(options(), () => undefined)
    store.memory.edit('billing', { writtenAtMs: clock.wallMs() + 5_000 })
    const second = next({ maxClockSkewMs: 300 })
    await clock.advance(4_600)
    expect(store.asked.filter((kind) => kind === 'acquire')).toHaveLength(2)
    await clock.advance(200)
    expect(await second).toMatchObject({ status: 'completed' })
    expect(store.asked.filter((kind) => kind === 'acquire')).toHaveLength(3)
  })

  it.each([
    ['further ahead than is waited for', 60_000, {}],
    ['further ahead than the invocation lasts', 5_000, () => ({ context: lambda(3_000) })],
  ])('%s is told at once, with who wrote it', async (_, aheadMs, changes) => {
    await withLease(options({ context: lambda(60_000, 'event-of-ann') }), () => undefined)
    store.memory.edit('billing', { writtenAtMs: clock.wallMs() + aheadMs })
    sleeps = []
    const error = await next(typeof changes === 'function' ? changes() : changes)
    const { attempt, fencingToken } = store.memory.read('billing') ?? {}
    const writer = `the candidate of token ${fencingToken} (attempt ${attempt}, event event-of-ann) wrote its row last`
    expect(error).toBeInstanceOf(ClockSkewError)
    expect(error).toMatchObject({ lease: 'billing', message: expect.stringContaining(writer) })
    expect(error).toMatchObject({ message: expect.stringContaining(`${aheadMs} ms ahead of this machine's clock`) })
    expect(error).toMatchObject({ message: expect.stringContaining(`Either that candidate's clock was ahead or this`) })
    expect(sleeps).toEqual([])
  })

  it('is not blamed on this clock where DynamoDB’s time shows that the other was wrong', async () => {
    await withLease(options(), () => undefined)
    store.memory.edit('billing', { writtenAtMs: clock.wallMs() + 60_000 })
    const { acquire } = store
    store.acquire = async (request) => {
      const reply = await acquire.call(store, request)
      const nowMs = clock.wallMs()
      return { ...reply, clockReading: { sentAtMs: nowMs, dateMs: nowMs, receivedAtMs: nowMs } }
    }
    expect(await next()).toMatchObject({ message: expect.stringContaining('shows that the other clock was wrong') })
  })

  it.each([[0], [300], [1_000], [60_000]])(
    'after giving back, lets in all others that keep a budget of %i ms',
    async (maxClockSkewMs) => {
      const { acquire } = store
      const dateMs = Math.floor(clock.wallMs() / 1000) * 1000
      store.acquire = async (request) => {
        const reply = await acquire.call(store, request)
        return { ...reply, clockReading: { sentAtMs: clock.wallMs(), dateMs, receivedAtMs: clock.wallMs() } }
      }
      clock.setWall(3_600_000)
      expect(await next({ candidate: 'bob', maxClockSkewMs })).toBeInstanceOf(ClockSkewError)
      clock.setWall(-3_600_000 - maxClockSkewMs / 2)
      store.acquire = acquire
      sleeps = []
      expect(await next({ tick: TICK, maxClockSkewMs })).toMatchObject({ status: 'completed' })
      expect(sleeps.filter((ms) => ms < 1_000)).toEqual([])
    },
  )
})
