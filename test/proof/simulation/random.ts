/**
 * Repeatable randomness: sfc32 in 32-bit integers, so that a seed gives the same numbers on every machine. Each
 * purpose has a stream of its own, named by a text: leaving out one fault changes no draw of any other. Shrinking
 * depends on that.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, purpose: string) {
    const hash = hashOf(purpose)
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) ^ hash
    this.#c = Math.imul(hash, 0x85ebca6b) ^ (hash >>> 13)
    for (let round = 0; round < 12; round++) this.next()
  }

  /** 32 bits, unsigned. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** From 0 to 1, like Math.random. */
  fraction(): number {
    return this.next() / 2 ** 32
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  /** Like `between`, but the order of magnitude is drawn first: small numbers are as likely as large ones. */
  spread(least: number, most: number): number {
    let high = least * 2
    let orders = 1
    for (; high < most; high *= 2) orders++
    const low = least * 2 ** this.between(0, orders - 1)
    return this.between(low, Math.min(most, low * 2))
  }

  chance(perMille: number): boolean {
    return this.next() < (perMille / 1000) * 2 ** 32
  }

  pick<const T>(first: T, ...rest: readonly T[]): T {
    const nth = this.between(0, rest.length)
    return nth === 0 ? first : (rest[nth - 1] ?? first)
  }

  uuid(): ReturnType<typeof crypto.randomUUID> {
    const hex = [this.next(), this.next(), this.next(), this.next()]
      .map((bits) => bits.toString(16).padStart(8, '0'))
      .join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }
}

/** FNV-1a over the UTF-16 units, mixed once more so that similar names are far apart. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  return (hash ^ (hash >>> 15)) >>> 0
}
