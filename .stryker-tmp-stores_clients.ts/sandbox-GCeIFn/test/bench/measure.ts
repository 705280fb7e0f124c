/** Samples taken side by side, and their ratios. */
// @ts-nocheck

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
  const values = (wanted: Name) => of(wanted).map((costs) => costs[cost])
  return ratioOf(values(name), values(base))
}

export const show = ({ median, low, high }: Spread, digits = 2): string =>
  `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`

export const rounded = ({ median }: Spread): number => Number(median.toFixed(3))

/** Measures each once per round; each round begins with another one. */
export async function inTurns<Name, Sample>(
  rounds: number,
  measured: Iterable<readonly [Name, (round: number) => Promise<Sample>]>,
): Promise<Samples<Name, Sample>> {
  const subjects = [...measured].map(([name, measure]) => ({ name, measure, samples: [] as Sample[] }))
  for (let round = 0; round < rounds; round++) {
    const first = round % subjects.length
    for (const { measure, samples } of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      samples.push(await measure(round))
    }
  }
  return (wanted) => subjects.find(({ name }) => name === wanted)?.samples ?? []
}
