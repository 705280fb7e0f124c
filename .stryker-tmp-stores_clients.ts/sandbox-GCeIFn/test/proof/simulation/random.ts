// @ts-nocheck
import { mulberry32, wholeNumber } from '../../../infra/programs/random.ts'

/**
 * Repeatable randomness. Each purpose has a stream of its own, named by a text: leaving out one fault changes no draw
 * of any other. Shrinking depends on that.
 */
export class Random {
  /** From 0 to 1, like Math.random. */
  readonly fraction: () => number

  constructor(seed: number, purpose: string) {
    this.fraction = mulberry32(hashOf(`${seed} ${purpose}`))
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return wholeNumber(this.fraction, least, most)
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
    return this.fraction() < perMille / 1000
  }

  pick<const T>(first: T, ...rest: readonly T[]): T {
    const nth = this.between(0, rest.length)
    return nth === 0 ? first : (rest[nth - 1] ?? first)
  }

  uuid(): ReturnType<typeof crypto.randomUUID> {
    const bits = () =>
      this.between(0, 2 ** 32 - 1)
        .toString(16)
        .padStart(8, '0')
    const hex = bits() + bits() + bits() + bits()
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
