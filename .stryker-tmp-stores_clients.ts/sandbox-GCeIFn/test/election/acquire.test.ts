// @ts-nocheck
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type AcquireReply,
  InvalidTickError,
  LeaseLostError,
  LeaseStoreError,
  withLease,
} from '../../functions/election/index.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { clock, hold, lambda, never, options, outcomeOf, row, sleeps, startAnew, store } from './scripted.ts'

beforeEach(startAnew)

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

  it.each<[string, object, object, readonly number[]]>([
    ['every third of its lease', {}, { leaseMs: 15_000, waitMs: 9_000 }, [3_751, 3_751, 1_499]],
    ['every five seconds at least', { leaseMs: 60_000 }, { leaseMs: 60_000 }, [3_751, 3_751, 3_751]],
    ['every third of a shorter lease that it gave', { leaseMs: 60_000 }, { leaseMs: 3_000 }, [751, 751, 751]],
    ['as soon as the lease can be taken, if that is sooner', { leaseMs: 500 }, { waitMs: 9_000 }, [1_501]],
  ])('asks %s: a holder may finish early', async (_, held, changes, expected) => {
    fixJitter()
    await hold({ heartbeat: false, ...held })
    sleeps.length = 0
    const context = lambda(900_000, 'event-2')
    void withLease(options({ candidate: 'bob', heartbeat: false, waitMs: 60_000, context, ...changes }), never)
    await clock.advance(16_000)
    // Longer sleeps watch the invocation's end.
    expect(sleeps.filter((ms) => ms < 10_000).slice(0, expected.length)).toEqual(expected)
  })

  it('waits out a row that transactions keep busy, then asks again after an answer of no use', async () => {
    fixJitter()
    const acquire = store.acquire.bind(store)
    const busy = { granted: false, contended: true, unanswered: false } as const
    const replies: AcquireReply[] = [busy, busy, busy, { granted: false, record: undefined }]
    store.acquire = async (request) => replies.shift() ?? (await acquire(request))
    const waiting = outcomeOf(withLease(options({ waitMs: 9_000 }), () => 'mine'))
    await clock.advance(1_000)
    expect(await waiting).toMatchObject({ status: 'completed' })
    expect(sleeps.slice(0, 4)).toEqual([101, 101, 101, 75])
  })

  it('does not wait for a tick that is done, however long it would', async () => {
    await withLease(options(), () => undefined)
    const late = options({ waitMs: 60_000 })
    expect(await withLease(late, () => 'never')).toEqual({ status: 'standby', reason: 'tickDone' })
  })
})

describe('a wait in Lambda', () => {
  const busy = () => hold({ heartbeat: false, leaseMs: 60_000 })

  it.each([
    [1_200, 900],
    [8_000, 7_000],
  ])('of an invocation with %i ms left ends after %i ms, so that it can still answer', async (remainingMs, endsMs) => {
    await busy()
    const context = lambda(remainingMs, 'event-2')
    const waiting = withLease(options({ candidate: 'bob', waitMs: 60_000, context }), () => 'never')
    const over = vi.fn()
    void waiting.then(over)
    await clock.advance(endsMs - 1)
    expect(over).not.toHaveBeenCalled()
    await clock.advance(3)
    expect(over).toHaveBeenCalled()
    expect(await waiting).toMatchObject({ status: 'standby', reason: 'held' })
  })

  it('lets the retry of a dead leader wait for waitMs and take over, or fail in time to be retried', async () => {
    await hold({ context: lambda(60_000), leaseMs: 1_000, heartbeat: false, killGraceMs: 0 })
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

  it('stands by with the last answer if its last request gets none, also if giving back gets none', async () => {
    await busy()
    const context = lambda(3_000, 'event-2')
    const onEvent = vi.fn()
    const waiting = withLease(options({ candidate: 'bob', waitMs: 60_000, context, onEvent }), () => 'never')
    await settled()
    store.beforeNext('acquire', never)
    store.beforeNext('giveBack', never)
    const startedAtMs = clock.wallMs()
    const ended = waiting.then(() => clock.wallMs() - startedAtMs)
    await clock.advance(2_999)
    expect(await waiting).toMatchObject({ status: 'standby', reason: 'held' })
    expect(await ended).toBe(2_907) // an eighth of the quarter that is kept for the answer is left
    expect(store.asked).toEqual(['acquire', 'acquire', 'acquire', 'giveBack'])
    expect(onEvent.mock.calls).toMatchObject([[{ kind: 'standby', reason: 'held' }]])
    expect(clock.sleeping).toBe(1) // the leader's deadline
  })

  it('throws the last answer if that was an error', async () => {
    await hold({ context: lambda(60_000) })
    const waiting = options({ candidate: 'bob', waitMs: 60_000, context: lambda(3_000) })
    const retry = outcomeOf(withLease(waiting, () => 'never'))
    await settled()
    store.beforeNext('acquire', never)
    await clock.advance(2_626)
    expect(await retry).toMatchObject({ name: 'LeaseStillHeldError' })
  })

  it('or the only request without an answer ends before the invocation, and gives back what it won', async () => {
    store.afterNext('acquire', never)
    let aborted: AbortSignal | undefined
    const { acquire } = store
    store.acquire = (request, signal) => {
      aborted = signal
      return acquire.call(store, request, signal)
    }
    const only = outcomeOf(withLease(options({ context: lambda(3_000) }), () => 'never'))
    await clock.advance(2_624)
    expect(aborted?.aborted).toBe(false)
    await clock.advance(2)
    expect(aborted?.aborted).toBe(true)
    const error = await only
    expect(error).toMatchObject({ name: 'LeaseStoreError', applied: 'unknown', retryable: true, lease: 'billing' })
    const message = expect.stringMatching(/no answer had come when .* about to end\. .* give the function more time/)
    expect(error).toMatchObject({ message })
    expect(row()).toMatchObject({ endedBy: 'released' })
    expect(clock.sleeping).toBe(0)
  })

  it('gives back what it won if hardly any time of the invocation is left, so that the event is retried', async () => {
    store.afterNext('acquire', () => clock.freeze(2_700))
    const error = await outcomeOf(withLease(options({ context: lambda(3_000) }), () => 'never'))
    expect(error).toBeInstanceOf(LeaseLostError)
    expect(error).toMatchObject({ message: expect.stringContaining('only 300 ms of the invocation were left') })
    expect(row()).toMatchObject({ endedBy: 'released' })
    store.afterNext('acquire', () => clock.freeze(2_500))
    expect(await withLease(options({ context: lambda(3_000) }), () => 'led')).toMatchObject({ result: 'led' })
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

  it('likewise, under a clock that is ahead, gives back under the Date of the conflicts', async () => {
    const { acquire } = store
    const dateMs = clock.wallMs()
    store.acquire = async (request) => {
      await acquire.call(store, request)
      const clockReading = { sentAtMs: clock.wallMs(), dateMs, receivedAtMs: clock.wallMs() }
      return { granted: false, contended: true, unanswered: true, clockReading }
    }
    clock.setWall(3_600_000)
    await outcomeOf(withLease(options(), () => 'never'))
    expect(row()).toMatchObject({ writtenAtMs: dateMs + 500, endedBy: 'released' })
  })

  it('without an answer, with a clock set ahead, gives back by the time of asking and what has passed', async () => {
    const askedAtMs = clock.wallMs()
    store.afterNext('acquire', () => {
      clock.freeze(2_000)
      clock.setWall(3_600_000)
      throw new LeaseStoreError('no answer', { lease: 'billing', retryable: true })
    })
    await outcomeOf(withLease(options(), () => 'never'))
    expect(store.asked).toEqual(['acquire', 'giveBack'])
    expect(row()).toMatchObject({ writtenAtMs: askedAtMs + 2_000, endedBy: 'released' })
  })

  it('by an answer after its own deadline, or for want of a tick, says which lease', async () => {
    store.afterNext('acquire', () => clock.freeze(30_000))
    const late = await outcomeOf(withLease(options(), () => 'never'))
    expect(late).toBeInstanceOf(LeaseLostError)
    expect(late).toMatchObject({ lease: 'billing', message: expect.stringContaining(', 30000 ms after asking') })
    expect(row()).toMatchObject({ endedBy: 'released' })
    const { tick: _tick, ...tickless } = options()
    const wanting = await outcomeOf(withLease(tickless, () => 'never'))
    expect(wanting).toBeInstanceOf(InvalidTickError)
    expect(wanting).toMatchObject({ lease: 'billing' })
  })
})
