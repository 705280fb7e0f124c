import type { Failure, Part } from '../part.ts'
import { type Explanation, explain } from './explain.ts'
import { type Judged, type Mutant, mutantsOf, type StrykerReport, scoreOf } from './report.ts'

export const LOWEST_PERCENT = 90

/** What a run of Stryker shows: fails where too many mutants survive, or one that nobody has explained. */
export function partOf(
  report: StrykerReport,
  explanations: readonly Explanation[],
  { rerun, seconds }: Pick<Part, 'rerun' | 'seconds'>,
): Part {
  const mutants = mutantsOf(report)
  const { found, survived, ignored, percent } = scoreOf(mutants)
  const { explained, unexplained, outdated } = explain(mutants, explanations)
  const failures: Failure[] = unexplained.map((mutant) => ({
    what: `Nobody has explained why this mutant survives: ${placeOf(mutant)}`,
    trace: [changeOf(mutant), `The line is ${mutant.line}`],
  }))
  if (percent < LOWEST_PERCENT) {
    failures.push({
      what: `Of 100 mutants ${percent.toFixed(2)} are found; ${LOWEST_PERCENT} are asked for`,
      trace: [],
    })
  }
  const because = explained.map(({ mutant, reason }) => [placeOf(mutant), changeOf(mutant), reason])
  const unsaid = unexplained.map((mutant) => [placeOf(mutant), changeOf(mutant), 'not explained'])
  return {
    title: 'Mutants',
    rerun,
    passed: failures.length === 0,
    seconds,
    summary:
      `${found} of ${found + survived} mutants of the coordinator, ${percent.toFixed(2)} %, are found by its tests. ` +
      `${survived} survive: ${explained.length} for a reason that is given, ${unexplained.length} for none.`,
    tables: [
      {
        caption: 'Mutants, by file',
        columns: ['file', 'found', 'survived', 'ignored', '% found'],
        rows: byFile(mutants),
      },
      { caption: 'Survivors', columns: ['where', 'change', 'why no test finds it'], rows: [...unsaid, ...because] },
    ],
    notes: [
      `${ignored} mutants of the wording of an error do not count; its tests look for the words that matter.`,
      ...outdated.map((mutant) => `No survivor any more, so take it off the list: ${mutant.file}, ${changeOf(mutant)}`),
    ],
    failures,
  }
}

function byFile(mutants: readonly Judged[]): readonly (readonly (string | number)[])[] {
  const files = [...new Set(mutants.map(({ file }) => file))].toSorted()
  return files.map((name) => {
    const { found, survived, ignored, percent } = scoreOf(mutants.filter(({ file }) => file === name))
    return [name, found, survived, ignored, percent.toFixed(2)]
  })
}

const placeOf = ({ file, lineNumber }: Judged) => `${file}:${lineNumber}`
const changeOf = ({ original, replacement }: Mutant) => `${original} → ${replacement}`
