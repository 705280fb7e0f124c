/** The protected task of a run: what it needs before the first tick, and what is to be said of it afterwards. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Money } from '../../../functions/billing/money.ts'
import type { Display } from '../cli/display.ts'
import type { StartOptions } from '../cli/options.ts'
import type { ElectionSummary } from '../cli/summary.ts'
import type { Verdict } from '../cli/verdict.ts'
import type { CallFault } from '../faults/fault.ts'
import type { FaultInjectorOptions } from '../faults/fault-injector.ts'
import type { Interceptor } from '../lambda-host/interceptor.ts'
import type { Attempt } from '../lambda-host/lambda-host.ts'
import type { TryOutcome } from '../observe/outcome.ts'
import type { Recorder } from '../observe/recorder.ts'
import type { Candidate } from '../stack/schedules.ts'
import type { LambdaFunction } from '../stack/template.ts'
import type { Tally } from './tally.ts'

export interface Task<Report extends ElectionSummary> {
  readonly leaseTable: string
  readonly lease: string
  /** How long a grant of the lease lasts. */
  readonly leaseMs: number
  /** As its lanes and texts call it. */
  readonly name: string
  /** Those that the stacks declare. */
  readonly candidates: readonly Candidate[]
  /** The candidate of this number, from 1, as it is woken. */
  candidate(number: number): Candidate
  /** What stands between the function and what it calls, from the function on. */
  readonly interceptors: readonly Interceptor[]
  /** Puts in place what the task works on. */
  seed(): Promise<void>
  /** The first tick of the run, epoch ms. */
  firstTickMs(periodMs: number, nowMs: number): number
  /** Says what is going to happen. */
  introduce(firstTick: string): void
  /** A tick is about to begin. @returns how far it is, told every second of a tick that takes long */
  tickStarts(number: number, tickMs: number): (() => void) | undefined
  /** What the tick brought, where it is about money. */
  tickEnded(): Promise<readonly Money[] | undefined>
  /** Whether nothing is left to do for a later tick. */
  isSettled(tick: string): Promise<boolean>
  /** What a try came to. @default by what its function returned, threw or logged */
  readonly read?: ((attempt: Attempt) => TryOutcome) | undefined
  report(tally: Tally, ended: HowItEnded): Promise<Reported<Report>>
}

export interface HowItEnded {
  /** The run was interrupted before its last tick was over. */
  readonly cut: boolean
  readonly isInterrupted: boolean
  /** The last tick that is over, and the last that was begun, as canonical ISO text; empty where there is none. */
  readonly lastTick: string
  readonly latestTick: string
  /** How many were woken at a tick, at most. */
  readonly candidates: number
  /** What was planned and could not be done, in sentences. */
  readonly undone: readonly string[]
}

export interface Reported<Report extends ElectionSummary> {
  readonly summary: Report
  readonly verdict: Verdict
  readonly struck: readonly CallFault[]
  readonly charges: readonly Money[]
}

/** What a task is made with. */
export interface Stage {
  readonly options: StartOptions
  readonly client: DynamoDBClient
  readonly functions: readonly LambdaFunction[]
  readonly candidates: readonly Candidate[]
  readonly display: Display
  /** What a request's last try asked of the leases, by the wire. */
  readonly seen: Recorder['observations']
  readonly injecting: Omit<FaultInjectorOptions, 'kindOf' | 'pastLeaseMs'>
  readonly signal: AbortSignal
}

export type TaskMaker<Report extends ElectionSummary> = (stage: Stage) => Task<Report>
