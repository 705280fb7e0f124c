/** The protected task of a run (billing, or the user's own function): what a run asks of it, and what it gives it. */
// @ts-nocheck

import type { PlannedFaultsOptions } from '../faults/planned-faults.ts'
import type { Interceptor } from '../lambda-host/interceptor.ts'
import type { Attempt } from '../lambda-host/lambda-host.ts'
import type { TryOutcome } from '../observe/outcome.ts'
import type { Recorder } from '../observe/recorder.ts'
import type { Deployment } from './deployment.ts'
import type { Display } from './display.ts'
import type { RunOptions } from './options.ts'
import type { Conclusion, RunEnd } from './verdict.ts'

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
  /** Called every ten seconds during a tick. */
  progress?(): void
  tickEnded?(): Promise<string>
  money?(): string
  isSettled?(tick: string): Promise<boolean>
  outcomeOf(attempt: Attempt): TryOutcome
  conclude(end: RunEnd): Promise<Conclusion>
}
