/**
 * Admits one request at a time to the lease row: two at once would conflict, or overtake each other. Those that keep the
 * lease go ahead of those that wait: a leader with many effects to guard must not lose its lease for want of a turn.
 */
export class Turns {
  #busy = false
  readonly #ahead: (() => void)[] = []
  readonly #waiting: (() => void)[] = []

  async take<T>(send: () => Promise<T>, { ahead = false } = {}): Promise<T> {
    if (this.#busy) await new Promise<void>((go) => (ahead ? this.#ahead : this.#waiting).push(go))
    this.#busy = true
    try {
      return await send()
    } finally {
      const next = this.#ahead.shift() ?? this.#waiting.shift()
      if (next === undefined) this.#busy = false
      else next() // the turn is handed over: nobody who comes now gets in between
    }
  }
}
