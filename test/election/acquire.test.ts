import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  InvalidTickError,
  LeaseLostError,
  LeaseStoreError,
  systemClock,
  withLease,
} from '../../functions/election/index.ts'
import { settled } from '../support/manual-clock.ts'
import { clock, options, outcomeOf, startAnew, store } from './scripted.ts'

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
  it('waits longer each time while a store refuses and shows no row', async () => {
    fixJitter()
    store.acquire = async () => ({ granted: false, record: undefined })
    const running = outcomeOf(withLease(options(), () => 'never'))
    await clock.advance(1_000)
    expect(await running).toMatchObject({ name: 'ClockSkewError', lease: 'billing' })
    expect(sleeps).toEqual([75, 150])
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

/** A Lambda invocation with so much time left. */
function lambda(remainingMs: number, awsRequestId = 'event-1') {
  const endMs = clock.wallMs() + remainingMs
  return { awsRequestId, functionName: 'charge', getRemainingTimeInMillis: () => endMs - clock.wallMs() }
}

describe('a wait in Lambda', () => {
  const busy = () => void withLease(options({ heartbeat: false, leaseMs: 60_000 }), () => new Promise(() => undefined))

  it.each([
    [1_200, 900],
    [8_000, 7_000],
  ])('of an invocation with %i ms left ends after %i ms, so that it can still answer', async (remainingMs, endsMs) => {
    busy()
    await settled()
    const context = lambda(remainingMs, 'event-2')
    const waiting = withLease(options({ candidate: 'bob', waitMs: 60_000, context }), () => 'never')
    let isOver = false
    void waiting.then(() => {
      isOver = true
    })
    await clock.advance(endsMs - 1)
    expect(isOver).toBe(false)
    await clock.advance(3)
    expect(isOver).toBe(true)
    expect(await waiting).toMatchObject({ status: 'standby', reason: 'held' })
  })

  it('is for the retry of a dead leader too: it waits for waitMs and takes over, or fails in time to be retried', async () => {
    void withLease(options({ context: lambda(60_000), leaseMs: 1_000, heartbeat: false, killGraceMs: 0 }), () => {
      return new Promise(() => undefined)
    })
    await settled()
    store.memory.edit('billing', { expiresAtMs: clock.wallMs() + 3_000 })
    const retry = (remainingMs: number) =>
      outcomeOf(withLease(options({ candidate: 'bob', waitMs: 5_000, context: lambda(remainingMs) }), () => 'mine'))
    const short = retry(2_000)
    await clock.advance(1_501)
    expect(await short).toMatchObject({ name: 'LeaseStillHeldError', retryAfterMs: 2_499 })
    const long = retry(60_000)
    await clock.advance(4_000)
    expect(await long).toMatchObject({ status: 'completed', result: 'mine' })
  })

  it('stops for the retry of a dead leader too when its caller says so', async () => {
    void withLease(options({ context: lambda(60_000) }), () => new Promise(() => undefined))
    await settled()
    const stop = new AbortController()
    const retry = options({ candidate: 'bob', waitMs: 60_000, context: lambda(60_000), signal: stop.signal })
    const waiting = outcomeOf(withLease(retry, () => 'never'))
    await settled()
    stop.abort(new Error('shutting down'))
    expect(await waiting).toMatchObject({ message: 'shutting down' })
  })

  it('gives back what it won when hardly anything of the invocation is left, so that the event is retried', async () => {
    store.afterNext('acquire', () => clock.freeze(2_700))
    const error = await outcomeOf(withLease(options({ context: lambda(3_000) }), () => 'never'))
    expect(error).toBeInstanceOf(LeaseLostError)
    expect(error).toMatchObject({ message: expect.stringContaining('only 300 ms of the invocation were left') })
    expect(store.memory.read('billing')).toMatchObject({ endedBy: 'released' })
  })
})

it('a row has whole milliseconds, whatever the clock', async () => {
  const fractional = { ...systemClock, wallMs: () => clock.wallMs() + 0.75, monotonicMs: () => clock.monotonicMs() }
  await withLease(options({ clock: fractional, heartbeat: false }), (lease) => lease.renew())
  const { acquiredAtMs, expiresAtMs, writtenAtMs, fencingToken } = store.memory.read('billing') ?? {}
  for (const number of [acquiredAtMs, expiresAtMs, writtenAtMs, fencingToken]) {
    expect(number).toSatisfy(Number.isSafeInteger)
  }
})

describe('an acquire that fails', () => {
  it('after a try without an answer and then conflicts only, gives back what it may have won', async () => {
    store.acquire = async () => ({ granted: false, contended: true, unanswered: true })
    const error = await outcomeOf(withLease(options(), () => 'never'))
    expect(error).toBeInstanceOf(LeaseStoreError)
    expect(error).toMatchObject({ lease: 'billing', retryable: true })
    expect(store.asked).toEqual(['giveBack'])
  })

  it('likewise, under a clock that is ahead, gives back under the time that the conflicts told', async () => {
    const { acquire } = store
    const dateMs = clock.wallMs()
    store.acquire = async (request) => {
      await acquire.call(store, request)
      const clockReading = { sentAtMs: clock.wallMs(), dateMs, receivedAtMs: clock.wallMs() }
      return { granted: false, contended: true, unanswered: true, clockReading }
    }
    clock.setWall(3_600_000)
    await outcomeOf(withLease(options(), () => 'never'))
    expect(store.memory.read('billing')).toMatchObject({ writtenAtMs: dateMs + 500, endedBy: 'released' })
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
    expect(store.memory.read('billing')).toMatchObject({ writtenAtMs: dateMs + 500 })
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
