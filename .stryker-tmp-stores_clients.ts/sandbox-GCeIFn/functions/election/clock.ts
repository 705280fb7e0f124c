/**
 * A leader measures its deadline on two clocks, because a frozen process may stop the monotonic one, and a correction
 * may move the wall clock; the earlier end counts.
 */
// @ts-nocheck

export interface Clock {
  /** Wall clock, epoch milliseconds; fractions are dropped. */
  wallMs(): number
  /** A clock that is never set: milliseconds since some instant. */
  monotonicMs(): number
  /** Resolves after `ms` milliseconds, or as soon as `signal` aborts; never rejects, and leaves no timer behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Node fires a timer with a longer delay at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => {
    const [seconds, nanoseconds] = process.hrtime() // `performance` would load more of Node.js
    return seconds * 1_000 + nanoseconds / 1e6
  },
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      let timer: NodeJS.Timeout | undefined
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const wait = (leftMs: number) => {
        if (leftMs <= LONGEST_TIMER_MS) timer = setTimeout(done, leftMs)
        else timer = setTimeout(() => wait(leftMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
      }
      wait(ms > 0 ? ms : 0)
      signal?.addEventListener('abort', done)
    }),
}

/** The last instant of ISO-8601 with a year of four digits. */
const LAST_INSTANT_MS = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * A caller's clock with what rows and loops rely on: readings never throw; they are whole milliseconds, or NaN if they
 * are not a time; a sleep never rejects, and takes time even if the caller's returns at once, so that no loop keeps the
 * process busy.
 */
export function checkedClock(clock: Clock): Clock {
  const monotonicMs = () => readingOf(() => clock.monotonicMs(), -LAST_INSTANT_MS)
  return {
    wallMs: () => Math.floor(readingOf(() => clock.wallMs(), 0)),
    monotonicMs,
    sleep: async (ms, signal) => {
      const beganAtMs = monotonicMs()
      try {
        await clock.sleep(ms, signal)
      } catch {
        // The timers of node:timers/promises reject when their signal aborts.
      }
      const hasPassed = monotonicMs() > beganAtMs
      if (!hasPassed && !signal?.aborted) await systemClock.sleep(1, signal)
    },
  }
}

function readingOf(read: () => unknown, earliestMs: number): number {
  try {
    const ms = read()
    return typeof ms === 'number' && ms >= earliestMs && ms <= LAST_INSTANT_MS ? ms : Number.NaN
  } catch {
    return Number.NaN
  }
}

/** A factor from 0.5 to 1.5 for a delay, so that candidates whose requests conflicted once do not conflict again. */
export function jitter(): number {
  return 0.5 + Math.random()
}

/**
 * One exchange with DynamoDB, for checking the local clock. `dateMs` is the `Date` header of the reply, in whole
 * seconds (RFC 9110, 5.6.7): the server's clock was in [dateMs, dateMs + 1000) between sending and receiving.
 */
export interface ClockReading {
  readonly sentAtMs: number
  readonly dateMs: number
  readonly receivedAtMs: number
}

/** The certain offset of the local clock from the server's: positive if ahead, negative if behind, 0 if none. */
export function certainOffsetMs({ sentAtMs, dateMs, receivedAtMs }: ClockReading): number {
  const aheadAtLeast = sentAtMs - (dateMs + 1000)
  if (aheadAtLeast > 0) return aheadAtLeast
  const behindAtLeast = dateMs - receivedAtMs
  return behindAtLeast > 0 ? -behindAtLeast : 0
}
