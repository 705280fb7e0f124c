import { candidateKey, ledgerKey, networkKey, rowKey, type State } from './state.ts'

/** A state as a tuple of numbers, one for each of its parts, and back. */
export class Codec {
  readonly width: number
  readonly #rows = new Interner(rowKey)
  readonly #candidates = new Interner(candidateKey)
  readonly #networks = new Interner(networkKey)
  readonly #ledgers = new Interner(ledgerKey)

  constructor(candidates: number) {
    this.width = candidates + 4
  }

  decode(tuple: Int32Array): State {
    const [timeMs = 0, row = 0, network = 0, ledger = 0] = tuple
    const candidates = []
    for (let i = 4; i < this.width; i++) candidates.push(this.#candidates.valueOf(tuple[i]))
    return {
      timeMs,
      row: this.#rows.valueOf(row),
      candidates,
      network: this.#networks.valueOf(network),
      ledger: this.#ledgers.valueOf(ledger),
    }
  }

  encode(state: State, into: Int32Array): void {
    const { timeMs, row, network, ledger, candidates } = state
    into[0] = timeMs
    into[1] = this.#rows.idOf(row)
    into[2] = this.#networks.idOf(network)
    into[3] = this.#ledgers.idOf(ledger)
    for (const [i, candidate] of candidates.entries()) into[4 + i] = this.#candidates.idOf(candidate)
  }

  /** What the step from `before` left alone keeps its number, and need not be looked up. */
  encodeNext(next: State, into: Int32Array, before: State, tuple: Int32Array): void {
    into.set(tuple)
    into[0] = next.timeMs
    if (next.row !== before.row) into[1] = this.#rows.idOf(next.row)
    if (next.network !== before.network) into[2] = this.#networks.idOf(next.network)
    if (next.ledger !== before.ledger) into[3] = this.#ledgers.idOf(next.ledger)
    if (next.candidates === before.candidates) return
    for (const [i, candidate] of next.candidates.entries()) {
      if (candidate !== before.candidates[i]) into[4 + i] = this.#candidates.idOf(candidate)
    }
  }
}

/** Gives equal values one small number and one object. */
class Interner<T> {
  readonly #keyOf: (value: T) => string
  readonly #ids = new Map<string, number>()
  readonly #entries: { readonly value: T }[] = []

  constructor(keyOf: (value: T) => string) {
    this.#keyOf = keyOf
  }

  idOf(value: T): number {
    const key = this.#keyOf(value)
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#entries.push({ value }) - 1
    this.#ids.set(key, id)
    return id
  }

  valueOf(id = 0): T {
    const entry = this.#entries[id]
    if (entry === undefined) throw new RangeError(`There is no value ${id}.`)
    return entry.value
  }
}
