import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  ClockSkewError,
  InvalidTickError,
  LeaseLostError,
  LeaseStoreError,
  withLease,
} from '../../functions/election/index.ts'
import { settled } from '../support/manual-clock.ts'
import { clock, NEXT_TICK, options, outcomeOf, startAnew, store } from './scripted.ts'

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

/** Of the range from 0.5 to 1.5, jitter is 0.75. */
function fixJitter(): void {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.25)
  onTestFinished(() => random.mockRestore())
}

describe('a candidate that asks again', () => {
  it('waits longer each time where only its request was too old', async () => {
    fixJitter()
    await withLease(options(), () => undefined)
    store.memory.edit('billing', { writtenAtMs: clock.wallMs() + 60_000 })
    sleeps = []
    const second = outcomeOf(withLease(options({ tick: NEXT_TICK }), () => 'never'))
    await clock.advance(1_000)
    expect(await second).toBeInstanceOf(ClockSkewError)
    expect(sleeps).toEqual([75, 150])
  })

  it('does so too where a store refuses and shows no row', async () => {
    store.acquire = async () => ({ granted: false, record: undefined })
    const running = outcomeOf(withLease(options(), () => 'never'))
    await clock.advance(1_000)
    expect(await running).toMatchObject({ name: 'ClockSkewError', lease: 'billing' })
    expect(sleeps).toHaveLength(2)
  })

  it('looks in every third of a lease while another holds it, for that one may finish early', async () => {
    fixJitter()
    void withLease(options({ heartbeat: false }), () => new Promise(() => undefined))
    await settled()
    sleeps = []
    const waiting = outcomeOf(withLease(options({ candidate: 'bob', leaseMs: 15_000, waitMs: 9_000 }), () => 'never'))
    await clock.advance(9_001)
    expect(await waiting).toMatchObject({ status: 'standby', reason: 'held' })
    expect(sleeps).toEqual([3_751, 3_751, 1_499])
  })

  it('comes back as soon as the lease can be taken, where that is sooner', async () => {
    fixJitter()
    void withLease(options({ leaseMs: 500, heartbeat: false }), () => new Promise(() => undefined))
    await settled()
    sleeps = []
    const waiting = outcomeOf(withLease(options({ candidate: 'bob', waitMs: 9_000 }), () => 'mine'))
    await clock.advance(1_501)
    expect(await waiting).toMatchObject({ status: 'completed' })
    expect(sleeps[0]).toBe(1_501)
  })

  it('waits out a row that transactions keep busy', async () => {
    const acquire = store.acquire.bind(store)
    const busy = async () => ({ granted: false, contended: true, unanswered: false }) as const
    store.acquire = busy
    const waiting = outcomeOf(withLease(options({ waitMs: 9_000 }), () => 'mine'))
    await settled()
    store.acquire = acquire
    await clock.advance(101)
    expect(await waiting).toMatchObject({ status: 'completed' })
    expect(sleeps[0]).toBe(101)
  })

  it('does not wait for a tick that is done, however long it would', async () => {
    await withLease(options(), () => undefined)
    sleeps = []
    expect(await withLease(options({ waitMs: 60_000 }), () => 'never')).toEqual({
      status: 'standby',
      reason: 'completed',
    })
    expect(sleeps).toEqual([])
  })
})

describe('an acquire that fails', () => {
  it('after a try without an answer and then conflicts only, gives back what it may have won', async () => {
    store.acquire = async () => ({ granted: false, contended: true, unanswered: true })
    const error = await outcomeOf(withLease(options(), () => 'never'))
    expect(error).toBeInstanceOf(LeaseStoreError)
    expect(error).toMatchObject({ lease: 'billing', retryable: true })
    expect(store.asked).toEqual(['giveBack'])
  })

  it('without any answer, while the clock is set ahead, gives back under the time of asking and what has passed since', async () => {
    const askedAtMs = clock.wallMs()
    store.afterNext('acquire', () => {
      clock.freeze(2_000)
      clock.setWall(3_600_000)
      throw new LeaseStoreError('no answer', { lease: 'billing', retryable: true })
    })
    await outcomeOf(withLease(options(), () => 'never'))
    expect(store.asked).toEqual(['acquire', 'giveBack'])
    expect(store.memory.read('billing')).toMatchObject({ writtenAtMs: askedAtMs + 2_000, endedBy: 'released' })
  })

  it('by its clock, gives back under DynamoDB’s time, and says which lease', async () => {
    const { acquire } = store
    const dateMs = clock.wallMs() - 10_000
    store.acquire = async (request) => {
      const reply = await acquire.call(store, request)
      return { ...reply, clockReading: { sentAtMs: clock.wallMs(), dateMs, receivedAtMs: clock.wallMs() } }
    }
    expect(await outcomeOf(withLease(options(), () => 'never'))).toMatchObject({
      name: 'ClockSkewError',
      lease: 'billing',
    })
    expect(store.memory.read('billing')).toMatchObject({ writtenAtMs: dateMs + 999 })
  })

  it('by an answer after its own deadline, or for want of a tick, says which lease', async () => {
    store.afterNext('acquire', () => clock.freeze(30_000))
    const late = await outcomeOf(withLease(options(), () => 'never'))
    expect(late).toBeInstanceOf(LeaseLostError)
    expect(late).toMatchObject({ lease: 'billing', message: expect.stringContaining(', 30000 ms after asking') })
    const { tick: _tick, ...tickless } = options()
    const wanting = await outcomeOf(withLease(tickless, () => 'never'))
    expect(wanting).toBeInstanceOf(InvalidTickError)
    expect(wanting).toMatchObject({ lease: 'billing' })
  })
})
