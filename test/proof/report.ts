/** The parts of a proof as one page to read. */
import { CLAIMS, type Claim } from './claims.ts'
import type { Failure, Part, Table } from './part.ts'

export interface Circumstances {
  /** Short hash of the commit, with `, changed since` where the tree differs from it; absent outside a repository. */
  readonly commit: string | undefined
  readonly date: string
  readonly machine: string
  /** What repeats the whole. */
  readonly command: string
}

/** A part that wrote no report counts as failed: nothing was shown. */
export interface Broken {
  readonly title: string
  readonly rerun: string
  readonly seconds: number
  readonly exitCode: number | undefined
}

export type Result = Part | Broken

export function isBroken(result: Result): result is Broken {
  return !('passed' in result)
}

export function holds(results: readonly Result[]): boolean {
  return results.every((result) => !isBroken(result) && result.passed)
}

/** Claims that nothing was seen to break: what holds them was not shown to see anything. */
export function unseen(results: readonly Result[]): readonly Claim[] {
  return claims().filter((claim) => evidenceFor(results, claim).length === 0)
}

export function report(results: readonly Result[], circumstances: Circumstances): string {
  return [
    '# The proof',
    introduction(results, circumstances),
    '## At a glance',
    table({
      caption: '',
      columns: ['part', 'verdict', 'time', 'run it again'],
      rows: results.map((result) => [result.title, verdict(result), seconds(result.seconds), `\`${result.rerun}\``]),
    }),
    '## Each claim, and what saw it break when it was made to',
    'A check that never fails shows nothing. So bugs are planted into the shipped code, one at a time, and each must be caught; and some worlds are beyond what is promised, where a claim must break.',
    table({
      caption: '',
      columns: ['', 'claim', 'seen to break'],
      rows: claims().map((claim) => [claim, CLAIMS[claim], evidence(results, claim)]),
    }),
    ...results.map(section),
  ].join('\n\n')
}

function introduction(results: readonly Result[], { commit, date, machine, command }: Circumstances): string {
  const failed = results.filter((result) => isBroken(result) || !result.passed)
  const finding =
    failed.length === 0
      ? 'Every claim held, and every planted bug was caught.'
      : `**Not proven:** ${failed.map(({ title }) => title).join(', ')} failed; see there.`
  const of = commit === undefined ? '' : ` of commit ${commit}`
  return `${finding} Written by \`${command}\`${of} on ${date}, on ${machine}. What the claims mean, and what remains, is in [protocol.md](protocol.md).`
}

function section(result: Result): string {
  if (isBroken(result)) {
    return `## ${result.title}\n\nIt ended with exit code ${result.exitCode ?? 'unknown'} and without a report: nothing was shown. Run \`${result.rerun}\` and read what it says.`
  }
  return [
    `## ${result.title}`,
    result.summary,
    ...result.failures.map(failure),
    ...result.tables.map(table),
    ...(result.notes.length === 0 ? [] : [result.notes.map((note) => `- ${inline(note)}`).join('\n')]),
    `Run it again: \`${result.rerun}\``,
  ].join('\n\n')
}

function failure({ claim, what, trace }: Failure): string {
  const steps = trace.map((step, n) => `${n + 1}. ${inline(step)}`).join('\n')
  return `**${claim === undefined ? 'Failed' : `${claim} is broken`}:** ${inline(what)}${steps === '' ? '' : `\n\n${steps}`}`
}

function table({ caption, columns, rows }: Table): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(cell).join(' | ')} |`
  const isNumeric = columns.map((_, n) => rows.length > 0 && rows.every((row) => typeof row[n] === 'number'))
  const ruler = `|${isNumeric.map((numeric) => (numeric ? '--:' : '---')).join('|')}|`
  const lines = [line(columns), ruler, ...rows.map(line)].join('\n')
  return caption === '' ? lines : `${caption}:\n\n${lines}`
}

const THOUSANDS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

function cell(value: string | number): string {
  return typeof value === 'number' ? THOUSANDS.format(value) : inline(value).replaceAll('|', '\\|')
}

/** A text of one line: what a trace quotes must not end a list or a table. */
function inline(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}

function verdict(result: Result): string {
  if (isBroken(result)) return '**no report**'
  return result.passed ? 'holds' : '**fails**'
}

export function seconds(value: number): string {
  const whole = Math.round(value)
  return whole < 90 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

function claims(): readonly Claim[] {
  return Object.keys(CLAIMS).filter((key): key is Claim => key in CLAIMS)
}

/** The bugs and worlds that broke it, by the part that saw them. */
function evidence(results: readonly Result[], claim: Claim): string {
  const by = evidenceFor(results, claim)
  return by.length === 0 ? '**by nothing**' : by.join('; ')
}

function evidenceFor(results: readonly Result[], claim: Claim): readonly string[] {
  const seen = results.flatMap((result) => (isBroken(result) ? [] : (result.seenToBreak ?? [])))
  return seen.filter((one) => one.claim === claim).map(({ how }) => how)
}
