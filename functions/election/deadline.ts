import type { Clock } from './clock.ts'
import { InvalidOptionError } from './errors.ts'

/** Both clocks, read before a request was sent. */
export interface Instant {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** @throws InvalidOptionError for a clock that tells no time */
export function instantOf(clock: Clock): Instant {
  const instant = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() }
  for (const [name, ms] of Object.entries(instant)) {
    if (Number.isFinite(ms)) continue
    throw new InvalidOptionError(`The option clock tells no time: ${name}() must be a number of milliseconds.`)
  }
  return instant
}

/** How far the wall clock was set since then, or ran on while the monotonic clock stood still; 0 if both agree. */
export function wallClockSetByMs(since: Instant, clock: Clock): number {
  return clock.wallMs() - since.wallMs - (clock.monotonicMs() - since.monotonicMs)
}

/**
 * The present, for a row: the time of the acquire, which is compared with DynamoDB's, plus what the monotonic clock says has
 * passed. A wall clock that jumped meanwhile must not leave a row that other candidates cannot take for the present. Under a
 * monotonic clock that tells no time, the time of the acquire itself.
 */
export function instantAfter(askedAt: Instant, clock: Clock): Instant {
  const monotonicMs = clock.monotonicMs()
  const passedMs = monotonicMs - askedAt.monotonicMs
  return { wallMs: askedAt.wallMs + (passedMs > 0 ? Math.floor(passedMs) : 0), monotonicMs }
}

/**
 * The time of a write that leaves the lease vacant: the present by whichever clock says less. A row from the future would keep
 * all others out.
 */
export function endOf(askedAt: Instant, clock: Clock): number {
  const wallMs = clock.wallMs()
  const presentMs = instantAfter(askedAt, clock).wallMs
  return wallMs < presentMs ? wallMs : presentMs
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

  /** 0 once the deadline has passed, and under a clock that tells no time. */
  remainingMs(): number {
    const byWallMs = this.#expiresAtMs - this.#clock.wallMs()
    const byMonotonicMs = this.#monotonicMs - this.#clock.monotonicMs()
    const remainingMs = Math.min(byWallMs, byMonotonicMs)
    return remainingMs > 0 ? remainingMs : 0
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
