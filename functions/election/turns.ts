/**
 * Lets so many requests be on their way at once; further ones wait for their turn, in the order in which they came, but for
 * those that go ahead.
 */
export class Turns {
  #free: number
  readonly #ahead: (() => void)[] = []
  readonly #waiting: (() => void)[] = []

  constructor(atOnce: number) {
    this.#free = atOnce
  }

  /** Sends before it returns if a turn is free. */
  async take<T>(send: () => Promise<T>, { ahead = false } = {}): Promise<T> {
    if (this.#free === 0) await new Promise<void>((go) => (ahead ? this.#ahead : this.#waiting).push(go))
    else this.#free--
    try {
      return await send()
    } finally {
      const next = this.#ahead.shift() ?? this.#waiting.shift()
      if (next === undefined) this.#free++
      else next() // the turn is handed over: no request that comes now gets in between
    }
  }
}
