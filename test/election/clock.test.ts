import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { certainOffsetMs, systemClock } from '../../functions/election/clock.ts'

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
    fc.assert(
      fc.property(
        fc.integer({ min: -10_000, max: 10_000 }),
        fc.integer({ min: 1e9, max: 2e9 }),
        ms,
        ms,
        (offset, at, out, back) => {
          const reading = {
            sentAtMs: at - out + offset,
            dateMs: Math.floor(at / 1000) * 1000,
            receivedAtMs: at + back + offset,
          }
          const claimed = certainOffsetMs(reading)
          expect(Math.abs(claimed)).toBeLessThanOrEqual(Math.abs(offset))
          if (claimed !== 0) expect(Math.sign(claimed)).toBe(Math.sign(offset))
        },
      ),
    )
  })
})

describe('the system clock', () => {
  it('sleeps, and wakes early without a timer left where its signal aborts', async () => {
    vi.useFakeTimers()
    try {
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
    } finally {
      vi.useRealTimers()
    }
  })

  it('reads the wall clock and one that is never set', () => {
    expect(Math.abs(systemClock.wallMs() - Date.now())).toBeLessThan(1_000)
    const before = systemClock.monotonicMs()
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before)
  })
})
