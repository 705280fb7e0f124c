import type { Judged, Mutant } from './report.ts'

/** Why no test finds these mutants. */
export interface Explanation {
  readonly reason: string
  readonly mutants: readonly Mutant[]
}

export interface Explained {
  readonly explained: readonly { readonly mutant: Judged; readonly reason: string }[]
  readonly unexplained: readonly Judged[]
  /** Explained, but no survivors: found meanwhile, or the code has changed. */
  readonly outdated: readonly Mutant[]
}

/** Finds the reason of each survivor. One line may have the same change several times: each needs a reason of its own. */
export function explain(mutants: readonly Judged[], explanations: readonly Explanation[]): Explained {
  const open = explanations.flatMap(({ reason, mutants }) => mutants.map((mutant) => ({ mutant, reason })))
  const explained: { mutant: Judged; reason: string }[] = []
  const unexplained: Judged[] = []
  for (const mutant of mutants.filter(({ verdict }) => verdict === 'survived')) {
    const at = open.findIndex((explanation) => isSame(explanation.mutant, mutant))
    const [found] = at === -1 ? [] : open.splice(at, 1)
    if (found === undefined) unexplained.push(mutant)
    else explained.push({ mutant, reason: found.reason })
  }
  return { explained, unexplained, outdated: open.map(({ mutant }) => mutant) }
}

function isSame(a: Mutant, b: Mutant): boolean {
  return (['file', 'line', 'original', 'replacement'] as const).every((name) => a[name] === b[name])
}
