/** What the runs came to: for people to read, and as a part of the proof. */
import pc from 'picocolors'
import { count } from '../../../infra/programs/text.ts'
import type { Claim } from '../claims.ts'
import type { Failure, Part, Table } from '../part.ts'
import type { Verdict } from './check.ts'
import { NETWORK_FAULTS } from './network/faults.ts'
import type { NemesisOptions } from './options.ts'
import { PROCESS_FAULTS } from './strikes/plan.ts'
import { WORKLOAD_NAMES, type Workload } from './workloads.ts'

export interface Finding {
  readonly workload: Workload
  readonly seconds: number
  readonly verdict: Verdict
  /** What went wrong with the run itself. */
  readonly troubles: readonly string[]
}

const FAILURES_SHOWN = 3

export function partOf(
  findings: readonly Finding[],
  options: NemesisOptions,
  seconds: number,
  notes: readonly string[],
): Part {
  const absent = neverStruck(findings)
  // A short run may not come to each of them.
  const isWhole = !options.quick && options.workloads.length === WORKLOAD_NAMES.length
  const failures = [...findings.flatMap(failuresOf), ...(isWhole ? absent : []).map((what) => ({ what, trace: [] }))]
  return {
    title: 'Nemesis',
    rerun: rerun(options),
    passed: failures.length === 0,
    seconds,
    summary: summarize(findings, failures),
    tables: [workloadTable(findings), faultTable(findings)],
    notes: [...notes, ...(isWhole ? [] : absent)],
    failures,
    seenToBreak: findings.flatMap(brokenOnPurpose),
  }
}

function neverStruck(findings: readonly Finding[]): string[] {
  const struck = new Set(findings.flatMap(({ verdict }) => [...verdict.figures.faults.keys()]))
  const absent = [...NETWORK_FAULTS, ...PROCESS_FAULTS].filter((name) => !struck.has(name))
  return absent.length === 0 ? [] : [`In this run no such fault ever struck: ${absent.join(', ')}.`]
}

/** A control that lost updates, and beliefs that overlapped when clocks had left the budget. */
function brokenOnPurpose({ workload, verdict }: Finding): { readonly claim: Claim; readonly how: string }[] {
  const { lost, overlapsBeyondBudget: overlaps } = verdict.figures
  const { title, isControl } = workload
  return [
    ...(isControl && lost > 0 ? [{ claim: 'S3' as const, how: `${title}: ${count(lost, 'update')} lost` }] : []),
    ...(overlaps > 0
      ? [
          {
            claim: 'S1' as const,
            how: `${title}, clocks beyond the budget: two led at once ${count(overlaps, 'time')}`,
          },
        ]
      : []),
  ]
}

export function print(part: Part): string {
  const shown = part.failures.slice(0, FAILURES_SHOWN)
  const hidden = part.failures.length - shown.length
  return [
    ...part.tables.map(printTable),
    ...part.notes.map((note) => `${note}\n`),
    ...shown.map(printFailure),
    ...(hidden === 0 ? [] : [`… and ${hidden} more.\n`]),
    `${part.passed ? pc.green('Every claim held.') : pc.red('Not right.')} ${part.summary}\nRepeat it: ${part.rerun}`,
  ].join('\n')
}

function rerun({ quick, seed, workloads }: NemesisOptions): string {
  const [only, ...more] = workloads
  return `npm run nemesis -- --seed ${seed}${quick ? ' --quick' : ''}${more.length === 0 ? ` --only ${only}` : ''}`
}

function failuresOf({ workload, verdict, troubles }: Finding): Failure[] {
  const ofRun = troubles.map((what) => ({ what, trace: [] }))
  return [...verdict.failures, ...ofRun].map((failure) => ({ ...failure, what: `[${workload.title}] ${failure.what}` }))
}

function summarize(findings: readonly Finding[], failures: readonly Failure[]): string {
  const sum = (of: (verdict: Verdict) => number) => findings.reduce((total, { verdict }) => total + of(verdict), 0)
  const operations = sum(({ figures }) => figures.operations)
  const faults = sum(({ figures }) => [...figures.faults.values()].reduce((total, count) => total + count, 0))
  const overlaps = sum(({ figures }) => figures.overlapsBeyondBudget)
  const broken = [...new Set(failures.flatMap(({ claim }) => claim ?? []))].sort()
  return [
    `${operations} operations of real processes under ${faults} faults.`,
    ...lostBy(findings, false).map((lost) => `Updates lost where they are protected: ${lost}.`),
    ...lostBy(findings, true).map((lost) => `Lost by the controls, which must lose some: ${lost}.`),
    ...(overlaps === 0
      ? []
      : [`Two at once believed to lead, when clocks had left the budget: ${count(overlaps, 'time')}.`]),
    ...(broken.length === 0 ? [] : [`Broken: ${broken.join(', ')}.`]),
  ].join(' ')
}

/** Nothing where no such workload was run. */
function lostBy(findings: readonly Finding[], isControl: boolean): number[] {
  const alike = findings.filter(({ workload }) => workload.isControl === isControl)
  return alike.length === 0 ? [] : [alike.reduce((total, { verdict }) => total + verdict.figures.lost, 0)]
}

function workloadTable(findings: readonly Finding[]): Table {
  return {
    caption: 'Workloads',
    columns: [
      'workload',
      'operations',
      'acknowledged',
      'tenures',
      'takeovers',
      'stale effects refused',
      'lost updates',
      'requests',
      'unanswered',
      'time',
      'verdict',
    ],
    rows: findings.map((finding) => {
      const { figures } = finding.verdict
      const { operations, acknowledged, tenures, takeovers, staleRefused, lost, requests, unanswered } = figures
      const counts = [operations, acknowledged, tenures, takeovers, staleRefused, lost, requests, unanswered]
      return [finding.workload.title, ...counts, `${Math.round(finding.seconds)} s`, verdictOf(finding)]
    }),
  }
}

function verdictOf(finding: Finding): string {
  const failures = failuresOf(finding)
  if (failures.length === 0) return finding.workload.isControl ? 'loses, as it must' : 'holds'
  const claims = [...new Set(failures.map(({ claim }) => claim ?? 'failed'))].sort()
  return `NOT RIGHT: ${claims.join(', ')}`
}

function faultTable(findings: readonly Finding[]): Table {
  const names = [...new Set(findings.flatMap(({ verdict }) => [...verdict.figures.faults.keys()]))].sort()
  return {
    caption: 'Faults',
    columns: ['fault', ...findings.map(({ workload }) => workload.name)],
    rows: names.map((name) => [name, ...findings.map(({ verdict }) => verdict.figures.faults.get(name) ?? 0)]),
  }
}

/** Columns side by side, numbers to the right. */
function printTable({ caption, columns, rows }: Table): string {
  const lines = [columns, ...rows].map((cells) => cells.map(String))
  const widths = columns.map((_, n) => Math.max(...lines.map((cells) => cells[n]?.length ?? 0)))
  const isNumber = columns.map((_, n) => rows.some((cells) => typeof cells[n] === 'number'))
  const pad = (cell: string, n: number) => (isNumber[n] ? cell.padStart(widths[n] ?? 0) : cell.padEnd(widths[n] ?? 0))
  const [head = '', ...body] = lines.map((cells) => `  ${cells.map(pad).join('  ')}`.trimEnd())
  return [pc.bold(caption), pc.dim(head), ...body, ''].join('\n')
}

function printFailure({ claim, what, trace }: Failure): string {
  const steps = trace.map((step) => `    ${step}`)
  return [`${pc.red(claim === undefined ? 'Failed' : `${claim} is broken`)}: ${what}`, ...steps, ''].join('\n')
}
