/**
 * What happened in a run, as files of JSON lines: one by the network (every try of every request, as the SDK put it on the
 * wire) and one by each worker process. The checks read nothing else, so that a kept history can be checked again.
 *
 * All times are `machineMs()`: a clock of the machine that all its processes share and nobody sets.
 */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Applied } from '../../../functions/election/errors.ts'
import type { AcquireRequest, GiveBackRequest, HolderWrite, Tenure } from '../../../functions/election/rules.ts'
import type { AttributeMap } from '../../../functions/election/stores/row.ts'

/** Linux's CLOCK_MONOTONIC in milliseconds. `performance.now()` counts from the start of its own process. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}

/** What a request is for, in the library's own words. It travels with the request, in a header. */
export type Label =
  | { readonly as: 'acquire'; readonly request: AcquireRequest }
  /** With `op`: a completion in one transaction with that addition. */
  | { readonly as: 'write'; readonly request: HolderWrite; readonly op?: string }
  | { readonly as: 'giveBack'; readonly request: GiveBackRequest }
  /** An addition in one transaction with a condition check on the lease row. */
  | { readonly as: 'guard'; readonly tenure: Tenure; readonly op: string }
  | { readonly as: 'read' | 'claim' | 'effect'; readonly op: string; readonly fencingToken: number }

/** `open`: the client got no answer, or one that tells nothing; it may have taken effect, may still, or never will. */
export type Outcome = 'ok' | 'refused' | 'error' | 'open'

/** The client of copies that the network made: nobody waits for their answers. */
export const NETWORK = 'the network'

/** What DynamoDB said. */
export interface Answer {
  readonly outcome: 'ok' | 'refused' | 'error'
  readonly atMs: number
  /** The lease row as it was before a granted acquire, or as it is after a refusal; absent where there is none. */
  readonly row?: AttributeMap
  /** The highest token that the protected row had seen before an effect was accepted. */
  readonly seenToken?: number
  readonly error?: string
}

/** One request on the wire, a single try of the SDK. */
export interface Try {
  readonly kind: 'try'
  readonly id: number
  /** A worker process, or `NETWORK` for a copy that the network made. */
  readonly who: string
  /** Equal for all tries of one request. */
  readonly request: string
  readonly label: Label
  /** The transaction's ClientRequestToken: DynamoDB applies all requests that share it once. */
  readonly transaction?: string
  /** When it reached the network. */
  readonly invokedAtMs: number
  /** When the network let it go on to DynamoDB, perhaps much later; absent where it never did: nothing came of such a try. */
  readonly forwardedAtMs?: number
  readonly outcome: Outcome
  /** What the client learned, or could have: it was put on its connection. Absent where the outcome is open. */
  readonly answer?: Answer
  /** What DynamoDB said where that never reached the client. */
  readonly withheld?: Answer
  readonly fault?: string
}

/** What DynamoDB said, or the network in its stead, whether or not it reached the client. */
export function said({ answer, withheld }: Pick<Try, 'answer' | 'withheld'>): Answer | undefined {
  return answer ?? withheld
}

/** What a worker says of itself: `began` once per tenure, `believes` whenever it looked and its lease said that it leads. */
export type Report =
  | (OfTenure & { readonly kind: 'began' | 'believes'; readonly op: string; readonly tick?: string })
  | (OfTenure & { readonly kind: 'ended'; readonly how: string })
  | (OfTenure & { readonly kind: 'acknowledged'; readonly op: string; readonly tick?: string })
  | (OfTenure & { readonly kind: 'failed'; readonly op: string; readonly error: string; readonly applied: Applied })

interface OfTenure {
  readonly who: string
  readonly attempt: string
  readonly fencingToken: number
  readonly atMs: number
}

export interface Strike {
  readonly kind: 'fault'
  readonly fault: string
  readonly atMs: number
  readonly who?: string
}

/** From now on clocks may differ by more than the budget. */
export interface ClocksLeft {
  readonly kind: 'clocksLeft'
  readonly atMs: number
}

export interface RunHeader {
  readonly kind: 'run'
  readonly workload: string
  readonly seed: number
  readonly lease: string
  readonly leaseMs: number
  readonly maxClockSkewMs: number
}

/** The protected row, read when every process had ended and nothing was on its way any more. */
export interface End {
  readonly kind: 'end'
  readonly atMs: number
  readonly additions: readonly string[]
}

export type Event = Try | Report | Strike | ClocksLeft | RunHeader | End

export interface History {
  readonly run: RunHeader
  /** In the order in which they were sent. */
  readonly tries: readonly Try[]
  readonly reports: readonly Report[]
  readonly strikes: readonly Strike[]
  /** Infinity where clocks kept the budget all along. */
  readonly clocksLeftAtMs: number
  readonly additions: readonly string[]
}

/** Writes one file of a history; a line is in the file when `write` returns, so that it outlives a killed process. */
export interface HistoryFile {
  write(event: Event): void
  close(): void
}

export function openHistory(directory: string, name: string): HistoryFile {
  const file = openSync(join(directory, `${name}.jsonl`), 'a')
  return {
    write: (event) => {
      writeSync(file, `${JSON.stringify(event)}\n`)
    },
    close: () => closeSync(file),
  }
}

/** @throws Error where the directory holds no whole history */
export function readHistory(directory: string): History {
  const files = readdirSync(directory).filter((name) => name.endsWith('.jsonl'))
  return historyOf(files.flatMap((name) => eventsIn(readFileSync(join(directory, name), 'utf8'))))
}

function eventsIn(text: string): Event[] {
  const lines = text.split('\n')
  lines.pop() // empty, or the line in the middle of which a process was killed
  return lines.map((line): Event => JSON.parse(line))
}

/** @throws Error where the history has no beginning or no end */
export function historyOf(events: readonly Event[]): History {
  const run = events.find((event) => event.kind === 'run')
  const end = events.find((event) => event.kind === 'end')
  if (run === undefined || end === undefined) {
    throw new Error('This is not the whole history of a run: it has no beginning or no end.')
  }
  const clocksLeft = events.find((event) => event.kind === 'clocksLeft')
  return {
    run,
    tries: events.filter((event) => event.kind === 'try').toSorted((a, b) => a.invokedAtMs - b.invokedAtMs),
    reports: events.filter(isReport).toSorted((a, b) => a.atMs - b.atMs),
    strikes: events.filter((event) => event.kind === 'fault'),
    clocksLeftAtMs: clocksLeft?.atMs ?? Number.POSITIVE_INFINITY,
    additions: end.additions,
  }
}

const REPORTS: readonly string[] = ['began', 'believes', 'ended', 'acknowledged', 'failed'] satisfies Report['kind'][]

function isReport(event: Event): event is Report {
  return REPORTS.includes(event.kind)
}
