import type { Clock } from './clock.ts'

/** Both clocks, read before a request was sent. */
export interface Instant {
  readonly wallMs: number
  readonly monotonicMs: number
}

export function instantOf(clock: Clock): Instant {
  return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
}

/**
 * The present, for a row: the time of the acquire, which is compared with DynamoDB's, plus what the monotonic clock says has
 * passed. A wall clock that jumped meanwhile must not leave a row that nobody else can take for the present.
 */
export function instantAfter(askedAt: Instant, clock: Clock): Instant {
  const monotonicMs = clock.monotonicMs()
  return { wallMs: Math.floor(askedAt.wallMs + (monotonicMs - askedAt.monotonicMs)), monotonicMs }
}

/**
 * Until when a holder may act: the earlier of two clocks, counted from before its request was sent. A frozen process may
 * stop the monotonic clock; a correction may move the wall clock.
 */
export class Deadline {
  readonly #clock: Clock
  #expiresAtMs: number
  #monotonicMs: number

  constructor(clock: Clock, askedAt: Instant, expiresAtMs: number) {
    this.#clock = clock
    this.#expiresAtMs = expiresAtMs
    this.#monotonicMs = askedAt.monotonicMs + (expiresAtMs - askedAt.wallMs)
  }

  /** The expiry that the row has, epoch milliseconds. */
  get expiresAtMs(): number {
    return this.#expiresAtMs
  }

  remainingMs(): number {
    const byWallMs = this.#expiresAtMs - this.#clock.wallMs()
    const byMonotonicMs = this.#monotonicMs - this.#clock.monotonicMs()
    return Math.max(0, Math.min(byWallMs, byMonotonicMs))
  }

  /** A wall clock that was set back must not stretch the monotonic deadline, nor a frozen monotonic clock the other. */
  extend(askedAt: Instant, expiresAtMs: number): void {
    this.#monotonicMs = Math.min(
      this.#monotonicMs + (expiresAtMs - this.#expiresAtMs),
      askedAt.monotonicMs + (expiresAtMs - askedAt.wallMs),
    )
    this.#expiresAtMs = expiresAtMs
  }
}
