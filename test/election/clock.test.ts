import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { certainOffsetMs, checkedClock, systemClock } from '../../functions/election/clock.ts'

describe('the certain offset of the local clock', () => {
  const dateMs = 1_000_000
  it.each([
    ['sent before and received after the server’s second', dateMs - 10, dateMs + 5, 0],
    ['anywhere within the second', dateMs + 999, dateMs + 999, 0],
    ['sent half a second after it ended', dateMs + 1_500, dateMs + 1_510, 500],
    ['received before it began', dateMs - 700, dateMs - 600, -600],
    ['received as it began', dateMs - 10, dateMs, 0],
    ['a slow exchange that proves nothing', dateMs - 60_000, dateMs + 60_000, 0],
  ])('%s', (_, sentAtMs, receivedAtMs, expected) => {
    expect(certainOffsetMs({ sentAtMs, dateMs, receivedAtMs })).toBe(expected)
  })

  it('never claims more than the true offset', () => {
    const ms = fc.integer({ min: 0, max: 5_000 })
    const [offsets, times] = [fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: 1e9, max: 2e9 })]
    fc.assert(
      fc.property(offsets, times, ms, ms, (offset, at, out, back) => {
        const dateMs = Math.floor(at / 1000) * 1000
        const claimed = certainOffsetMs({ sentAtMs: at - out + offset, dateMs, receivedAtMs: at + back + offset })
        expect(Math.abs(claimed)).toBeLessThanOrEqual(Math.abs(offset))
        if (claimed !== 0) expect(Math.sign(claimed)).toBe(Math.sign(offset))
      }),
    )
  })
})

describe('a sleep of the system clock', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('ends early without a timer left if its signal aborts', async () => {
    const stop = new AbortController()
    const sleeps = Promise.all([systemClock.sleep(60_000, stop.signal), systemClock.sleep(60_000)])
    expect(vi.getTimerCount()).toBe(2)
    stop.abort()
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(60_000)
    await sleeps
    const waking = new AbortController()
    const slept = systemClock.sleep(1_000, waking.signal)
    await vi.advanceTimersByTimeAsync(1_000)
    await slept
    expect(getEventListeners(waking.signal, 'abort')).toEqual([])
    await systemClock.sleep(60_000, stop.signal)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([[2 ** 31 - 1], [2 ** 31], [30 * 86_400_000]])('lasts all of %i ms, even if one timer cannot', async (ms) => {
    const slept = vi.fn()
    void systemClock.sleep(ms).then(slept)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(slept).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(slept).toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('of Infinity lasts until its signal aborts; one that is not a length of time ends at once', async () => {
    const stop = new AbortController()
    const slept = vi.fn()
    void systemClock.sleep(Number.POSITIVE_INFINITY, stop.signal).then(slept)
    await vi.advanceTimersByTimeAsync(60 * 86_400_000)
    expect(slept).not.toHaveBeenCalled()
    stop.abort()
    await vi.advanceTimersByTimeAsync(0)
    expect(slept).toHaveBeenCalled()
    for (const ms of [-5, Number.NaN]) void systemClock.sleep(ms)
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('the system clock gives a timer no length that Node warns of', () => {
  const setTimeout = vi.spyOn(globalThis, 'setTimeout')
  for (const ms of [-5, Number.NaN]) void systemClock.sleep(ms)
  const lengths = setTimeout.mock.calls.map(([, ms]) => ms)
  setTimeout.mockRestore()
  expect(lengths).toEqual([0, 0])
})

it('the system clock reads the wall clock and one that is never set', () => {
  expect(Math.abs(systemClock.wallMs() - Date.now())).toBeLessThan(1_000)
  const hrtime = vi.spyOn(process, 'hrtime').mockReturnValue([3, 250_000])
  const monotonicMs = systemClock.monotonicMs()
  hrtime.mockRestore()
  expect(monotonicMs).toBe(3_000.25)
})

describe("a caller's clock", () => {
  const reads = (wallMs: unknown) => {
    const clock = { ...systemClock }
    Object.assign(clock, { wallMs: () => wallMs })
    return checkedClock(clock).wallMs()
  }

  it('gives whole milliseconds, or NaN', () => {
    expect(reads(1_795_240_800_000.75)).toBe(1_795_240_800_000)
    for (const ms of [0, Date.parse('9999-12-31T23:59:59.999Z')]) expect(reads(ms)).toBe(ms)
    for (const ms of [-1, Number.POSITIVE_INFINITY, 1e18, '1795240800000', 5n, new Date()]) expect(reads(ms)).toBeNaN()
    const throwing = checkedClock({ ...systemClock, monotonicMs: () => JSON.parse('no time') })
    expect(throwing.monotonicMs()).toBeNaN()
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('aborted'))],
    ['returns at once', () => Promise.resolve()],
  ])('whose sleep %s lets other work go on', async (_, sleep) => {
    const monotonicMs = () => 0
    const clock = checkedClock({ ...systemClock, monotonicMs, sleep })
    let pauses = 0
    const stop = new AbortController()
    setImmediate(() => stop.abort())
    while (!stop.signal.aborted && pauses < 1_000) {
      await clock.sleep(5_000, stop.signal)
      pauses++
    }
    expect(pauses).toBeLessThan(1_000)
  })
})
