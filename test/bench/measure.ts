/** Samples taken side by side, and their ratios. */
import type { Costs } from './processes.ts'

/** The median, and between what the middle half lies. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export type Samples<Name, Sample = Costs> = (name: Name) => readonly Sample[]

export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const [below = Number.NaN, above = below] = sorted.slice(Math.floor(place), Math.floor(place) + 2)
    return below + (above - below) * (place % 1)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** Of samples that were taken in the same rounds. */
export function ratioOf(samples: readonly number[], base: readonly number[]): Spread {
  return spreadOf(samples.map((sample, round) => sample / (base[round] ?? Number.NaN)))
}

export function costRatio<Name>(of: Samples<Name>, name: Name, base: Name, cost: keyof Costs): Spread {
  const values = (of(name) ?? []).map((costs) => costs[cost])
  return ratioOf(
    values,
    of(base).map((costs) => costs[cost]),
  )
}

export const show = ({ median, low, high }: Spread, digits = 2): string =>
  `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`

export const rounded = ({ median }: Spread): number => Number(median.toFixed(3))

/** Measures each name once per round; each round begins with another one. */
export async function inTurns<Name, Sample>(
  names: readonly Name[],
  rounds: number,
  measure: (name: Name, round: number) => Promise<Sample>,
): Promise<Samples<Name, Sample>> {
  const samples = new Map<Name, Sample[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      samples.get(name)?.push(await measure(name, round))
    }
  }
  return (name) => samples.get(name) ?? []
}
