import type { Clock } from '../../functions/election/index.ts'

interface Sleeper {
  readonly wakeAtMs: number
  readonly wake: () => void
}

/** Time that moves only when a test says so, on both clocks or on one. */
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

  /** How many sleeps are under way: none may be left after an invocation. */
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

  /** Lets `ms` milliseconds pass, waking each sleeper at its own time. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms
    for (;;) {
      await settled()
      const next = [...this.#sleepers].sort((a, b) => a.wakeAtMs - b.wakeAtMs)[0]
      const untilMs = Math.min(endMs, next?.wakeAtMs ?? endMs)
      this.#pass(Math.max(0, untilMs - this.#elapsedMs))
      if (next === undefined || next.wakeAtMs > endMs) break
      next.wake()
    }
    await settled()
  }

  /** The process freezes: time passes, nobody is woken meanwhile. `monotonic: false` stops that clock too. */
  freeze(ms: number, { monotonic = true } = {}): void {
    this.#wallMs += ms
    this.#elapsedMs += ms
    if (monotonic) this.#monotonicMs += ms
  }

  /** Somebody corrects the wall clock. */
  setWall(byMs: number): void {
    this.#wallMs += byMs
  }

  #pass(ms: number): void {
    this.freeze(ms)
  }
}

/** Lets everything that can go on without time passing go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
