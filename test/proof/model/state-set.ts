/**
 * A set of short tuples of numbers, numbered in the order in which they came. Tuples are kept and compared whole: a hash
 * only says where to look, so two states are never taken for one.
 */
export class StateSet {
  readonly width: number
  #tuples: Int32Array
  /** Open addressing; a slot holds the number of a tuple + 1, 0 where it is free. */
  #slots: Int32Array
  #size = 0

  constructor(width: number, capacity = 1 << 16) {
    this.width = width
    this.#tuples = new Int32Array(width * capacity)
    this.#slots = new Int32Array(capacity * 2)
  }

  get size(): number {
    return this.#size
  }

  /** The tuple's number; the next number, `size` as it was, where it is new. */
  add(tuple: Int32Array): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash(tuple, 0, this.width) & mask
    for (let entry = slots[slot]; entry !== undefined && entry !== 0; entry = slots[slot]) {
      if (this.#equals(entry - 1, tuple)) return entry - 1
      slot = (slot + 1) & mask
    }
    if (this.#size * this.width === this.#tuples.length) this.#grow()
    const number = this.#size++
    this.#tuples.set(tuple, number * this.width)
    // Growing has moved the slots.
    if (slots === this.#slots) slots[slot] = number + 1
    else this.#place(number)
    return number
  }

  read(number: number, into: Int32Array): void {
    const start = number * this.width
    for (let i = 0; i < this.width; i++) into[i] = this.#tuples[start + i] ?? 0
  }

  #equals(number: number, tuple: Int32Array): boolean {
    const start = number * this.width
    for (let i = 0; i < this.width; i++) if (this.#tuples[start + i] !== tuple[i]) return false
    return true
  }

  #grow(): void {
    const tuples = new Int32Array(this.#tuples.length * 2)
    tuples.set(this.#tuples)
    this.#tuples = tuples
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let number = 0; number < this.#size; number++) this.#place(number)
  }

  #place(number: number): void {
    const mask = this.#slots.length - 1
    let slot = hash(this.#tuples, number * this.width, this.width) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = number + 1
  }
}

/** Murmur3's mixing, by Austin Appleby, in the public domain. */
function hash(numbers: Int32Array, start: number, width: number): number {
  let h = width
  for (let i = 0; i < width; i++) {
    let k = Math.imul(numbers[start + i] ?? 0, 0xcc9e2d51)
    k = (k << 15) | (k >>> 17)
    h ^= Math.imul(k, 0x1b873593)
    h = (h << 13) | (h >>> 19)
    h = (Math.imul(h, 5) + 0xe6546b64) | 0
  }
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
