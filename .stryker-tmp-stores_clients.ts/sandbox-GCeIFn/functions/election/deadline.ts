// @ts-nocheck
import type { Clock } from './clock.ts'
import { InvalidOptionError } from './errors.ts'

/** Both clocks, read before a request was sent. */
export interface Instant {
  readonly wallMs: number
  readonly monotonicMs: number
}

/** @throws InvalidOptionError if the clock gives no time */
export function instantOf(clock: Clock): Instant {
  const [wallMs, monotonicMs] = [clock.wallMs(), clock.monotonicMs()]
  if (Number.isFinite(wallMs) && Number.isFinite(monotonicMs)) return { wallMs, monotonicMs }
  const name = Number.isFinite(wallMs) ? 'monotonicMs' : 'wallMs'
  throw new InvalidOptionError(`The option clock gives no time: ${name}() must be a number of milliseconds.`)
}

/** How far the wall clock was set, or ran on while the monotonic clock stood still; 0 if both agree. */
export function wallClockSetByMs(since: Instant, clock: Clock): number {
  return clock.wallMs() - since.wallMs - (clock.monotonicMs() - since.monotonicMs)
}

/**
 * The present, for a row: the time of the acquire, which was compared with DynamoDB's, plus what has passed by the
 * monotonic clock. A wall clock that jumped meanwhile must not write a time into the row that makes it refuse other
 * candidates. If the monotonic clock gives no time, the present is the time of the acquire.
 */
export function instantAfter(askedAt: Instant, clock: Clock): Instant {
  const monotonicMs = clock.monotonicMs()
  const passedMs = monotonicMs - askedAt.monotonicMs
  return { wallMs: askedAt.wallMs + (passedMs > 0 ? Math.floor(passedMs) : 0), monotonicMs }
}

/** The time of a write that ends the lease, by the earlier of both clocks: after a later one, A6 refuses others. */
export function endOf(askedAt: Instant, clock: Clock): number {
  const wallMs = clock.wallMs()
  const presentMs = instantAfter(askedAt, clock).wallMs
  return wallMs < presentMs ? wallMs : presentMs
}

/** Until when a holder may act: by the earlier of two clocks, counted from before its request was sent. */
export class Deadline {
  readonly #clock: Clock
  #expiresAtMs: number
  #monotonicMs: number

  constructor(clock: Clock, askedAt: Instant, expiresAtMs: number) {
    this.#clock = clock
    this.#expiresAtMs = expiresAtMs
    this.#monotonicMs = askedAt.monotonicMs + (expiresAtMs - askedAt.wallMs)
  }

  /** As on the row, epoch milliseconds. */
  get expiresAtMs(): number {
    return this.#expiresAtMs
  }

  /** 0 once the deadline has passed, and if a clock gives no time. */
  remainingMs(): number {
    const byWallMs = this.#expiresAtMs - this.#clock.wallMs()
    const byMonotonicMs = this.#monotonicMs - this.#clock.monotonicMs()
    const remainingMs = Math.min(byWallMs, byMonotonicMs)
    return remainingMs > 0 ? remainingMs : 0
  }

  /** Moves the monotonic deadline later, up to that of the row by a wall clock that is right. */
  recover({ wallMs, monotonicMs }: Instant, atMostMs: number): void {
    const shortenedByMs = monotonicMs + (this.#expiresAtMs - wallMs) - this.#monotonicMs
    this.#monotonicMs += Math.max(0, Math.min(shortenedByMs, atMostMs))
  }

  /** A wall clock that was set back must not extend the monotonic deadline, nor the other way round. */
  extend(askedAt: Instant, expiresAtMs: number): void {
    this.#monotonicMs = Math.min(
      this.#monotonicMs + (expiresAtMs - this.#expiresAtMs),
      askedAt.monotonicMs + (expiresAtMs - askedAt.wallMs),
    )
    this.#expiresAtMs = expiresAtMs
  }
}
