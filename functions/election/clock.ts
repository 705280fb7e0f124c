/**
 * Time, injected. A leader measures its deadline on two clocks, because a frozen process may stop the monotonic one and
 * a correction may move the wall clock; whichever says "over" first is believed.
 */
export interface Clock {
  /** Wall clock, epoch milliseconds. */
  wallMs(): number
  /** A clock that is never set, milliseconds since some instant. */
  monotonicMs(): number
  /** Resolves after `ms` milliseconds, or as soon as `signal` aborts; never rejects, and leaves no timer behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done)
    }),
}

/** A factor from 0.5 to 1.5 for a delay, so that candidates that met once do not meet again. */
export function jitter(): number {
  return 0.5 + Math.random()
}

/**
 * One exchange with DynamoDB, for judging the local clock. `dateMs` is the `Date` header of the reply, which HTTP gives
 * in whole seconds (RFC 9110, 5.6.7): the server's clock was in [dateMs, dateMs + 1000) between sending and receiving.
 */
export interface ClockReading {
  readonly sentAtMs: number
  readonly dateMs: number
  readonly receivedAtMs: number
}

/**
 * How far the local clock is from the server's for certain, in milliseconds: positive where it is ahead, negative where
 * it is behind, 0 where the reading allows that it is right.
 */
export function certainOffsetMs({ sentAtMs, dateMs, receivedAtMs }: ClockReading): number {
  const aheadAtLeast = sentAtMs - (dateMs + 1000)
  if (aheadAtLeast > 0) return aheadAtLeast
  const behindAtLeast = dateMs - receivedAtMs
  return behindAtLeast > 0 ? -behindAtLeast : 0
}
