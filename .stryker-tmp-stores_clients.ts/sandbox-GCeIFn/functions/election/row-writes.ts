// @ts-nocheck
import type { Tenancy } from './leadership.ts'
import { OVER } from './signals.ts'
import { Turns } from './turns.ts'

/**
 * The order of a leader's writes to the lease row: one at a time, since two could conflict or overtake, except that a
 * renewal does not wait long for a write that hangs, and an end for none.
 */
export class RowWrites {
  readonly #tenancy: Tenancy
  readonly #turns = new Turns(1)
  #step = 0
  #isGuarding = false
  /** The task's own writes that wait or are under way, and how many have ended. */
  readonly #taskWrites = new Set<Promise<unknown>>()
  #taskWritesEnded = 0

  constructor(tenancy: Tenancy) {
    this.#tenancy = tenancy
  }

  /** For rule H2: higher than the step of every write before. */
  nextStep(): number {
    return ++this.#step
  }

  /** Sends a write of the task after those before it. */
  async inTurn<T>(send: () => Promise<T>): Promise<T> {
    return await this.ofTask(this.#turns.take(send))
  }

  /** What the task has under way: an end waits for it, see `settled`. */
  async ofTask<T>(write: Promise<T>): Promise<T> {
    this.#taskWrites.add(write)
    try {
      return await write
    } finally {
      this.#taskWrites.delete(write)
      this.#taskWritesEnded++
    }
  }

  /** Sends a guarded transaction, as `inTurn` does. */
  async guarded<T>(send: () => Promise<T>): Promise<T> {
    return await this.inTurn(async () => {
      this.#isGuarding = true
      return await send().finally(() => {
        this.#isGuarding = false
      })
    })
  }

  /**
   * Sends a renewal before all writes that wait: a leader with many effects must not lose its lease while it waits for
   * a turn. A guarded transaction that hangs must not cost the lease either: side by side, at worst they conflict once.
   */
  async renewal(send: () => Promise<void>): Promise<void> {
    const { clock, leaseMs } = this.#tenancy
    const sent = new AbortController()
    const patience = this.#isGuarding ? { patience: () => clock.sleep(leaseMs / 12, sent.signal) } : {}
    await this.#turns.take(send, { ahead: true, ...patience }).finally(() => sent.abort(OVER))
  }

  /**
   * Waits for the task's writes as long as some of them end; meanwhile renewals go on. A write that hangs must not hold
   * up an end: if it arrives later, the vacant row refuses it.
   */
  async settled(): Promise<void> {
    const { clock, leaseMs, remainingMs, answerMs } = this.#tenancy
    for (let ended = -1; this.#taskWrites.size > 0 && ended !== this.#taskWritesEnded; ) {
      ended = this.#taskWritesEnded
      const patienceMs = Math.min(leaseMs / 3, Math.max(0, (remainingMs() - answerMs) / 2))
      const all = new AbortController()
      const settled = Promise.allSettled(this.#taskWrites)
      await Promise.race([settled, clock.sleep(patienceMs, all.signal)]).finally(() => all.abort(OVER))
    }
  }

  /** Sends an end, without waiting for a task's write that hangs. */
  end(send: () => Promise<void>): Promise<void> {
    const hanging = this.#taskWrites.size > 0 ? { patience: async () => undefined } : {}
    return this.#turns.take(send, { ahead: true, ...hanging })
  }
}
