/** The protected task of a run (billing, or the user's own function): what a run asks of it, and what it gives it. */
import type { ScheduledFault } from '../faults/fault.ts'
import type { PlanOptions } from '../faults/plan.ts'
import type { PlannedFaultsOptions } from '../faults/planned-faults.ts'
import type { Protection } from '../faults/protections.ts'
import type { Interceptor } from '../lambda-host/interceptor.ts'
import type { Attempt } from '../lambda-host/lambda-host.ts'
import type { TryOutcome } from '../observe/outcome.ts'
import type { Recorder } from '../observe/recorder.ts'
import type { Deployment } from './deployment.ts'
import type { Display } from './display.ts'
import type { Tally } from './running-ticks.ts'

/** `ticks` does not count those after the chaos; undefined runs until Ctrl-C. */
export interface RunOptions extends PlanOptions {
  readonly without: readonly Protection[]
  readonly everyMs: number
  readonly candidates: number
  readonly cold: boolean
  /** Of the candidates' function, in milliseconds. @default as deployed */
  readonly timeoutMs: number | undefined
  /** Multiplies Lambda's retry delays and the lease duration: 0.1 makes them a tenth. */
  readonly timeScale: number
  readonly scenario: readonly ScheduledFault[]
  readonly page: boolean
  readonly port: number
}

export interface TaskContext extends Pick<Deployment, 'client' | 'functions' | 'candidates' | 'lease'> {
  readonly options: RunOptions
  readonly display: Display
  readonly recorder: Pick<Recorder, 'observations'>
  readonly injecting: Omit<PlannedFaultsOptions, 'plan' | 'places' | 'without'>
  readonly signal: AbortSignal
}

export interface Task {
  readonly name: string
  readonly showsLogs?: boolean
  /** Between the functions and what they call, the one nearest to the functions first. */
  readonly interceptors?: readonly Interceptor[]
  seed?(): Promise<void>
  firstTickMs(periodMs: number, nowMs: number): number
  introduce(firstTick: string, periodMs: number): void
  tickStarts?(number: number, tickMs: number): void
  progress?(): void
  tickEnded?(): Promise<string>
  money?(): string
  isSettled?(tick: string): Promise<boolean>
  outcomeOf(attempt: Attempt): TryOutcome
  conclude(end: RunEnd): Promise<Conclusion>
}

/** The object that `--json` prints, counted from the outcomes of the candidates. */
export interface Summary extends Tally {
  readonly staleWritesRefused: number
  readonly completionsRefused: number
  /** By table: writes of replaced leaders that were accepted, because neither fence nor guard protected them. */
  readonly unguardedWrites: Readonly<Record<string, number>>
  readonly candidates: number
}

export interface RunEnd {
  readonly summary: Summary
  /** The run was interrupted before its last tick was over. */
  readonly wasCut: boolean
  readonly isInterrupted: boolean
  /** The last tick that is over, and the last that was started, as canonical ISO text; empty if there is none. */
  readonly lastTick: string
  readonly latestTick: string
  readonly undone: readonly string[]
}

export interface Conclusion {
  readonly summary: Summary
  readonly verdict: {
    readonly errors: readonly string[]
    /** What each missing protection would have prevented. */
    readonly harm: readonly string[]
    /** Why the run proves nothing, as sentences. */
    readonly inconclusive: readonly string[]
  }
  readonly lines: readonly string[]
  readonly success: string
  readonly unfinished: string | undefined
}
