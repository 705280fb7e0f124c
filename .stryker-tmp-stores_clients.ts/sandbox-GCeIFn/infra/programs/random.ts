/** Pseudo-random numbers: the same seed gives the same numbers on every machine. */
// @ts-nocheck

export type Random = () => number

/** Numbers in [0, 1), by Tommy Ettinger's public-domain generator; good enough for samples and plans. */
export function mulberry32(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function pick<T>(random: Random, list: readonly T[]): T {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new RangeError('The list is empty')
  return item
}

export function wholeNumber(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1))
}

export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const placed = list.map((item) => ({ item, place: random() })).sort((a, b) => a.place - b.place)
  return placed.map(({ item }) => item)
}
