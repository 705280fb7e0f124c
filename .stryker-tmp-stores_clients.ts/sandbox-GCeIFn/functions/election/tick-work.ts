// @ts-nocheck
import { InvalidOptionError } from './errors.ts'
import type { Checkpoint, Closing } from './rules.ts'
import { show } from './show.ts'

const LONGEST_REASON = 200

/** The tick that a leader works on: its own, or in the loop of `ticks()` first those that were missed. */
export class TickWork {
  readonly #own: string | undefined
  #tick: string | undefined
  #stage: 'none' | 'called' | 'begun' | 'finished' = 'none'
  #isClosed = false
  #reason: string | undefined
  /** As the row has it, as far as this leader knows. */
  #saved: Checkpoint | undefined

  constructor(own: string | undefined, inherited: Checkpoint | undefined) {
    this.#own = own
    this.#tick = own
    this.#saved = inherited
  }

  /** The state that belongs to the tick being worked. */
  get checkpoint(): unknown {
    return this.#savedForThisTick?.state
  }

  checkpointOf(state: unknown): Checkpoint {
    const { continuations, sinceMs } = this.#savedForThisTick ?? {}
    return {
      ...(this.#tick === undefined ? {} : { tick: this.#tick }),
      state,
      ...(continuations === undefined ? {} : { continuations }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    }
  }

  /** @param acquiredAtMs of this leader, in case it is the first one of this work */
  handedOver(state: unknown, acquiredAtMs: number): Checkpoint & { readonly continuations: number } {
    const { continuations = 0, sinceMs = acquiredAtMs } = this.#savedForThisTick ?? {}
    return { ...this.checkpointOf(state), continuations: continuations + 1, sinceMs }
  }

  get #savedForThisTick(): Checkpoint | undefined {
    return this.#saved?.tick === this.#tick ? this.#saved : undefined
  }

  saved(checkpoint: Checkpoint | undefined): void {
    this.#saved = checkpoint
  }

  giveUp(reason: string): void {
    if (typeof reason !== 'string' || reason === '') {
      throw new InvalidOptionError(`lease.giveUp takes the reason as a text, but got ${show(reason)}.`)
    }
    if (this.#isClosed) throw new InvalidOptionError('lease.giveUp comes too late: lease.advance has closed this tick.')
    this.#reason = reason.slice(0, LONGEST_REASON).toWellFormed()
  }

  /** How the tick being worked is closed. */
  closing(): Closing {
    const [saved, tick] = [this.#saved?.tick, this.#tick]
    return {
      ...(saved !== undefined && tick !== undefined && saved > tick ? { keepsCheckpoint: true } : {}),
      ...(this.#reason === undefined || tick === undefined ? {} : { gaveUp: this.#reason }),
    }
  }

  /** The tick before the leader's own that is being worked. */
  get missedTick(): string | undefined {
    return this.#tick === this.#own || this.#isClosed ? undefined : this.#tick
  }

  get isAtMissedTick(): boolean {
    return this.#tick !== this.#own
  }

  /** The task left the loop: the current tick is perhaps not done, and others are left for the next leader. */
  get isLeftOpen(): boolean {
    return this.#stage === 'begun'
  }

  closed(): void {
    this.#isClosed = true
    this.#reason = undefined
    if (this.#saved?.tick === this.#tick) this.#saved = undefined
  }

  /** @throws InvalidOptionError, unless the lease has ticks and this is the first loop */
  loop(
    atMost: number,
    nextMissed: (closedTick: string | undefined) => string | undefined,
    advance: () => Promise<string>,
  ): AsyncGenerator<string, void, void> {
    const own = this.#own
    if (own === undefined) throw new InvalidOptionError('lease.ticks() needs a lease with ticks: give the option tick.')
    if (!(atMost >= 1)) {
      throw new InvalidOptionError(`The option atMost of lease.ticks() must be at least 1, but is ${show(atMost)}.`)
    }
    if (this.#stage !== 'none')
      throw new InvalidOptionError('lease.ticks() was called before: a task has one loop of its ticks.')
    this.#stage = 'called'
    return this.#loop(own, atMost, nextMissed, advance)
  }

  async *#loop(
    own: string,
    atMost: number,
    nextMissed: (closedTick: string | undefined) => string | undefined,
    advance: () => Promise<string>,
  ): AsyncGenerator<string, void, void> {
    let closed: string | undefined
    for (let worked = 1; worked <= atMost; worked++) {
      const tick = nextMissed(closed) ?? own
      this.#tick = tick
      this.#isClosed = false
      this.#reason = undefined
      this.#stage = 'begun'
      yield tick
      if (tick === own) {
        this.#stage = 'finished'
        return
      }
      closed = this.#isClosed ? tick : await advance()
    }
  }
}
