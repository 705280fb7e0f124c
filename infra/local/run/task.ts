/** The protected task of a run (billing, or the user's own function): what a run asks of it, and what it gives it. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { ScheduledFault } from '../faults/fault.ts'
import type { PlanOptions } from '../faults/plan.ts'
import type { PlannedFaultsOptions } from '../faults/planned-faults.ts'
import type { Protection } from '../faults/protections.ts'
import type { Interceptor } from '../lambda-host/interceptor.ts'
import type { LambdaFunction } from '../lambda-host/lambda-function.ts'
import type { Attempt } from '../lambda-host/lambda-host.ts'
import type { Effect, FaultEntry } from '../observe/entries.ts'
import type { TryOutcome } from '../observe/outcome.ts'
import type { Recorder } from '../observe/recorder.ts'
import type { LeaseResource } from '../stack/resources.ts'
import type { Candidate } from '../stack/schedules.ts'
import type { Tally } from './running-ticks.ts'
import type { TickRecord, Try } from './tick.ts'

/** `ticks` does not count those after the chaos; undefined runs until Ctrl-C. */
export interface RunOptions extends PlanOptions {
  readonly without: readonly Protection[]
  /** The least real time between the starts of two ticks. */
  readonly everyMs: number
  readonly candidates: number
  readonly cold: boolean
  /** Multiplies Lambda's retry delays and the lease duration: 0.1 makes them a tenth. */
  readonly timeScale: number
  readonly scenario: readonly ScheduledFault[]
  readonly page: boolean
  readonly port: number
}

export interface RunDisplay {
  note(text: string): void
  warn(text: string): void
  page(url: string): void
  fault(fault: Pick<FaultEntry, 'candidate' | 'description'>): void
  /** A replaced leader's write was accepted, because no fence guarded it. */
  unguarded(effect: Effect): void
  progress(answered: number, expected: number): void
  /** @param withLogs shows what the function logged, too */
  tried(tried: Try, withLogs?: boolean): void
  /** @param wasCut the run was interrupted before the tick was over */
  ticked(record: TickRecord, effects: string, wasCut: boolean): void
  ended(conclusion: Conclusion, end: RunEnd): void
}

export interface TaskContext {
  readonly options: RunOptions
  readonly client: DynamoDBClient
  readonly functions: readonly LambdaFunction[]
  readonly candidates: readonly Candidate[]
  readonly lease: LeaseResource
  readonly display: RunDisplay
  readonly recorder: Pick<Recorder, 'observations'>
  readonly injecting: Omit<PlannedFaultsOptions, 'plan' | 'places' | 'without'>
  readonly signal: AbortSignal
}

export type TaskMaker = (context: TaskContext) => Task

export interface Task {
  readonly name: string
  /** Whether the terminal shows what the function logs. */
  readonly showsLogs?: boolean
  /** Between the functions and what they call, the one nearest to the functions first. */
  readonly interceptors?: readonly Interceptor[]
  seed?(): Promise<void>
  firstTickMs(periodMs: number, nowMs: number): number
  introduce(firstTick: string): void
  tickStarts?(number: number, tickMs: number): void
  /** Called every two seconds during a tick. */
  progress?(): void
  /** What the tick did, in a few words. */
  tickEnded?(): Promise<string>
  /** The money that moved so far, in a few words. */
  money?(): string
  isSettled?(tick: string): Promise<boolean>
  outcomeOf(attempt: Attempt): TryOutcome
  conclude(end: RunEnd): Promise<Conclusion>
}

export interface EndTally extends Tally {
  /** Completions of replaced leaders. */
  readonly completionsRefused: number
  /** By table: writes of replaced leaders that were accepted, because neither fence nor guard protected them. */
  readonly unguardedWrites: Readonly<Record<string, number>>
}

export interface RunEnd {
  readonly tally: EndTally
  /** The run was interrupted before its last tick was over. */
  readonly wasCut: boolean
  readonly isInterrupted: boolean
  /** The last tick that is over, and the last that was started, as canonical ISO text; empty if there is none. */
  readonly lastTick: string
  readonly latestTick: string
  readonly candidates: number
  /** What was planned and not done, as sentences. */
  readonly undone: readonly string[]
}

/** The object that `--json` prints, counted from the outcomes of the candidates. */
export interface Summary extends EndTally {
  readonly candidates: number
}

export interface Verdict {
  readonly errors: readonly string[]
  /** What each missing protection would have prevented. */
  readonly harm: readonly string[]
  /** Why the run proves nothing, as sentences. */
  readonly inconclusive: readonly string[]
}

export interface Conclusion {
  readonly summary: Summary
  readonly verdict: Verdict
  /** What the task did, for the terminal. */
  readonly lines: readonly string[]
  /** Completes "All is well:". */
  readonly success: string
}

export type Asked = Pick<RunOptions, 'killLeader' | 'freezeLeader' | 'chaos' | 'without' | 'scenario'>
