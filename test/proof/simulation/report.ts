import pc from 'picocolors'
import { CLAIMS } from '../claims.ts'
import type { Failure, Part } from '../part.ts'
import type { Violation } from './findings.ts'
import type { Tally } from './tally.ts'

export interface Run {
  readonly tally: Tally
  readonly seconds: number
  /** What it took of one core. */
  readonly cpuSeconds: number
  /** The command that repeats this run. */
  readonly rerun: string
  /** Whether so many histories were lived that each rare situation must have come about. */
  readonly isFull: boolean
  readonly broken: Broken | undefined
}

/** A violation, as short as it could be made. */
export interface Broken {
  readonly violation: Violation
  readonly seed: number
  readonly rerun: string
  readonly commit: string | undefined
  readonly lines: readonly string[]
  /** Whether nothing is left in it that could be left out. */
  readonly isMinimal: boolean
}

const NOTES = [
  'DynamoDB, Lambda, the network and all clocks are simulated; middy and everything in functions/ that takes part are the real code.',
  'Each 32nd history goes through all of the AWS SDK, the others past its layers: a test compares both, history by history.',
  'Belief (S1), and how long a lease may last (L1, L2), are judged only where the clocks in question kept the budget; a tick that nobody did (L3) only where a last try of it had nothing in its way.',
  'Not simulated: leases without ticks, pauses, releases forced by an operator.',
]

export function isPassed({ tally, isFull, broken }: Run): boolean {
  return broken === undefined && !(isFull && tally.neverReached.length > 0)
}

export function partOf(run: Run): Part {
  const { tally, seconds, rerun } = run
  return {
    title: 'Simulation',
    rerun,
    passed: isPassed(run),
    seconds: Math.round(seconds * 10) / 10,
    summary: summaryOf(run),
    tables: [
      {
        caption: 'Rare situations, and how often each came about',
        columns: ['situation', 'times'],
        rows: [...tally.situations],
      },
      {
        caption: 'Faults injected',
        columns: ['fault', 'times'],
        rows: [...tally.faults].sort(([a], [b]) => a.localeCompare(b)),
      },
      {
        caption: 'Histories by work and entry',
        columns: ['kind', 'histories'],
        rows: [...tally.kinds].sort(([a], [b]) => a.localeCompare(b)),
      },
    ],
    notes: NOTES,
    failures: failuresOf(run),
  }
}

function summaryOf({ tally, cpuSeconds, broken }: Run): string {
  const perMinute = cpuSeconds === 0 ? 0 : Math.round((tally.faultedTicks / cpuSeconds) * 60)
  const faults = [...tally.faults.values()].reduce((sum, times) => sum + times, 0)
  const found =
    broken === undefined
      ? 'no claim broken'
      : `${broken.violation.claim === undefined ? 'something went wrong' : 'a claim broken'}: ${broken.violation.what}`
  return `${figure(tally.histories)} histories, ${figure(tally.ticks)} ticks, ${figure(tally.faultedTicks)} of them with faults (${figure(perMinute)} a minute of one core), ${figure(faults)} faults, ${figure(tally.requests)} requests to DynamoDB: ${found}.`
}

function failuresOf({ tally, isFull, broken }: Run): readonly Failure[] {
  if (broken !== undefined) {
    const { violation, lines, rerun, commit } = broken
    const at = commit === undefined ? '' : ` at commit ${commit}`
    return [{ ...violation, trace: [`Replay${at}: ${rerun}`, ...lines] }]
  }
  if (!isFull) return []
  return tally.neverReached.map((situation) => ({ what: `A full run never came to this: ${situation}`, trace: [] }))
}

export function printReport(run: Run, print: (line: string) => void): void {
  const { tally, broken, isFull } = run
  print(`${pc.bold('Simulation')}: ${summaryOf(run)}`)
  print('')
  print(pc.bold('Faults injected'))
  for (const [kind, times] of [...tally.faults].sort(([a], [b]) => a.localeCompare(b)))
    print(`  ${column(times)}  ${kind}`)
  print('')
  print(pc.bold('Rare situations'))
  for (const [situation, times] of tally.situations)
    print(`  ${column(times)}  ${times === 0 ? pc.yellow(situation) : situation}`)
  print('')
  if (broken !== undefined) printBroken(broken, print)
  else if (tally.neverReached.length === 0) print(pc.green('Every claim held, and every rare situation came about.'))
  else if (isFull)
    print(
      pc.red(
        `Every claim held, but ${tally.neverReached.length} rare situations never came about, so nothing is known of them.`,
      ),
    )
  else print(`Every claim held. ${tally.neverReached.length} rare situations did not come about in so few histories.`)
}

function printBroken(
  { violation, seed, rerun, commit, lines, isMinimal }: Broken,
  print: (line: string) => void,
): void {
  const { claim, what } = violation
  print(
    pc.red(claim === undefined ? 'Something went wrong that must not.' : `Claim ${claim} is broken: ${CLAIMS[claim]}`),
  )
  print(`  ${what}`)
  print(
    `  Seed ${seed}${commit === undefined ? '' : `, commit ${commit}`}. ${isMinimal ? 'The shortest history that still does it' : 'A history that does it, not the shortest there may be'}:`,
  )
  print('')
  for (const line of lines) print(`  ${line}`)
  print('')
  print(`Replay it: ${pc.bold(rerun)}`)
}

function figure(count: number): string {
  return count.toLocaleString('en-US')
}

function column(count: number): string {
  return figure(count).padStart(9)
}
