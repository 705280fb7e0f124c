/** What Stryker reports, in the form that its JSON reporter writes. */

/** @see https://github.com/stryker-mutator/mutation-testing-elements/tree/master/packages/report-schema */
export interface StrykerReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly StrykerMutant[] }>>
}

interface StrykerMutant {
  readonly mutatorName: string
  readonly replacement?: string
  readonly status: string
  readonly location: { readonly start: Place; readonly end: Place }
}

/** Lines and columns count from 1. */
interface Place {
  readonly line: number
  readonly column: number
}

/** One change of the code, told by what it changes and not by where: lines move. */
export interface Mutant {
  readonly file: string
  /** The text of the line where it begins. */
  readonly line: string
  readonly original: string
  readonly replacement: string
}

export interface Judged extends Mutant {
  readonly lineNumber: number
  readonly verdict: 'found' | 'survived' | 'ignored'
}

export interface Score {
  readonly found: number
  readonly survived: number
  readonly ignored: number
  /** Of those that count, how many in a hundred were found. */
  readonly percent: number
}

export function mutantsOf({ files }: StrykerReport): readonly Judged[] {
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n')
    return mutants.map(({ location: { start, end }, mutatorName, replacement, status }) => ({
      file,
      lineNumber: start.line,
      line: lines[start.line - 1]?.trim() ?? '',
      original: oneLine(between(lines, start, end)),
      replacement: oneLine(replacement ?? mutatorName),
      verdict: verdictOf(status),
    }))
  })
}

export function scoreOf(mutants: readonly Judged[]): Score {
  const count = (verdict: Judged['verdict']) => mutants.filter((mutant) => mutant.verdict === verdict).length
  const [found, survived, ignored] = [count('found'), count('survived'), count('ignored')]
  return { found, survived, ignored, percent: found + survived === 0 ? 100 : (100 * found) / (found + survived) }
}

function verdictOf(status: string): Judged['verdict'] {
  switch (status) {
    case 'Killed':
    case 'Timeout':
    case 'RuntimeError':
      return 'found'
    case 'Survived':
    case 'NoCoverage':
      return 'survived'
    case 'Ignored':
      return 'ignored'
    default:
      throw new RangeError(`Stryker reports a mutant as ${status}, which is no verdict`)
  }
}

function between(lines: readonly string[], start: Place, end: Place): string {
  return lines
    .slice(start.line - 1, end.line)
    .map((text, n, all) =>
      text.slice(n === 0 ? start.column - 1 : 0, n === all.length - 1 ? end.column - 1 : undefined),
    )
    .join('\n')
}

function oneLine(code: string): string {
  return code.trim().replaceAll(/\s+/g, ' ')
}
