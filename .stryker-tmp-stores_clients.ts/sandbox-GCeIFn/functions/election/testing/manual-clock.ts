// @ts-nocheck
import type { Clock } from '../clock.ts'

interface Sleeper {
  readonly wakeAtMs: number
  readonly wake: () => void
}

/**
 * A clock whose time passes only when a test says so.
 * @example
 * const clock = new ManualClock('2026-11-21T06:00:00Z')
 * const outcome = withLease({ store: new MemoryLeaseStore(), lease: 'billing', clock }, charge)
 * await clock.advance(15_000) // the lease is renewed meanwhile
 */
export class ManualClock implements Clock {
  #wallMs: number
  #monotonicMs = 0
  #elapsedMs = 0
  readonly #sleepers = new Set<Sleeper>()

  constructor(start = '2026-11-21T06:00:00.000Z') {
    this.#wallMs = Date.parse(start)
  }

  wallMs(): number {
    return this.#wallMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  /** How many sleeps are under way: 0 after an invocation has ended. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { wakeAtMs: this.#elapsedMs + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  /** Lets `ms` milliseconds pass, and wakes each sleeper at its own time. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms
    for (;;) {
      await settled()
      const next = [...this.#sleepers].sort((a, b) => a.wakeAtMs - b.wakeAtMs)[0]
      const untilMs = Math.min(endMs, next?.wakeAtMs ?? endMs)
      this.freeze(Math.max(0, untilMs - this.#elapsedMs))
      if (next === undefined || next.wakeAtMs > endMs) break
      next.wake()
    }
    await settled()
  }

  /** Freezes the process: time passes, and no sleeper is woken. `monotonic: false` stops that clock too. */
  freeze(ms: number, { monotonic = true } = {}): void {
    this.#wallMs += ms
    this.#elapsedMs += ms
    if (monotonic) this.#monotonicMs += ms
  }

  /** Sets the wall clock forward, or back if `byMs` is negative. */
  setWall(byMs: number): void {
    this.#wallMs += byMs
  }
}

/** Resolves when all work that needs no time to pass is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
