// @ts-nocheck
import { type Clock, jitter } from '../clock.ts'
import type { Settings } from '../options.ts'

export interface Health {
  /** `idle` if no campaign is under way. */
  readonly role: 'leader' | 'standby' | 'idle'
  /** How long ago the row was read or renewed last, in milliseconds. */
  readonly seenAgoMs?: number
  /** By how much the last timer was late, in milliseconds: a long delay loses the lease. */
  readonly eventLoopDelayMs: number
  /**
   * The last problem that lasts: a request that fails, a candidate row that could not be refreshed or that another
   * process of this name writes too, or a clock that is certainly off.
   */
  readonly lastError?: unknown
}

/** What a problem is with: requests on the lease row, the rows of this candidate and of the others, or the clock. */
type Concern = 'lease' | 'candidates' | 'clock'

const FIRST_BACKOFF_MS = 250
const LONGEST_BACKOFF_MS = 30_000

/** How an election waits, and what it notices meanwhile: late timers, answers and failures. */
export class Vitals {
  /** The caller's clock, whose sleeps are measured. */
  readonly clock: Clock
  readonly #leaseMs: number
  #seenAtMs: number | undefined
  #eventLoopDelayMs = 0
  /** Those that last, the latest last. */
  readonly #problems = new Map<Concern, unknown>()

  constructor({ clock, leaseMs }: Pick<Settings, 'clock' | 'leaseMs'>) {
    this.#leaseMs = leaseMs
    this.clock = {
      ...clock,
      sleep: async (ms, signal) => {
        const dueAtMs = clock.monotonicMs() + ms
        await clock.sleep(ms, signal)
        if (!signal?.aborted) this.#eventLoopDelayMs = Math.max(0, clock.monotonicMs() - dueAtMs)
      },
    }
  }

  /** The row was read or renewed. */
  seen(): void {
    this.#seenAtMs = this.clock.monotonicMs()
  }

  failed(error: unknown, concern: Concern = 'lease'): void {
    this.#problems.delete(concern)
    this.#problems.set(concern, error)
  }

  succeeded(concern: Concern = 'lease'): void {
    this.#problems.delete(concern)
  }

  health(role: Health['role']): Health {
    const lastError = [...this.#problems.values()].at(-1)
    return {
      role,
      ...(this.#seenAtMs === undefined ? {} : { seenAgoMs: this.clock.monotonicMs() - this.#seenAtMs }),
      eventLoopDelayMs: this.#eventLoopDelayMs,
      ...(lastError === undefined ? {} : { lastError }),
    }
  }

  async pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.clock.sleep(Math.max(1, Math.ceil(ms)), signal) // a shorter sleep may take no time
  }

  /** With jitter, so that an outage does not end with all candidates at once; never longer than a lease. */
  backoffMs(failures: number): number {
    const longestMs = Math.min(LONGEST_BACKOFF_MS, this.#leaseMs / 1.5)
    return Math.min(longestMs, FIRST_BACKOFF_MS * 2 ** (failures - 1)) * jitter()
  }
}
