/** What one attempt of a candidate came to, by its requests: its function may return, throw and log anything. */
// @ts-nocheck

import { parseJson, property } from '../../../functions/election/json.ts'
import { oneLine } from '../../programs/text.ts'
import type { Ending } from '../lambda-host/environment.ts'
import type { ErrorReport } from '../lambda-host/messages.ts'
import type { TenureEnd } from './entries.ts'
import type { Step } from './tenure-logs.ts'
import { type MissingTable, rowOf } from './wire.ts'

export interface Observations {
  /** In the order of their first acquire. */
  readonly leases: readonly ObservedLease[]
  readonly missingTables: readonly MissingTable[]
}

export interface ObservedLease {
  readonly lease: string
  readonly leaseMs: number
  readonly tick?: string | undefined
  /** Of the last grant; absent if there was none. */
  readonly token?: number | undefined
  /** How the last granted tenure ended in the row; absent if it has not. */
  readonly ended?: TenureEnd | undefined
  /** Absent if the lease was granted, or no answer came. */
  readonly refusedAs?: 'held' | 'tickDone' | 'paused' | undefined
}

export const leaseIn = ({ leases }: Observations, name: string): ObservedLease | undefined =>
  leases.find(({ lease }) => lease === name)

/** In the order in which the protocol itself explains a refusal. */
export function whyRefused(item: unknown, tick: string | undefined): ObservedLease['refusedAs'] {
  const { completedTick, isPaused } = rowOf(item)
  if (completedTick !== undefined && tick !== undefined && completedTick >= tick) return 'tickDone'
  if (property(item, 'holder') !== undefined) return 'held'
  return isPaused ? 'paused' : undefined
}

export type TryOutcome =
  | {
      readonly status: 'completed'
      readonly fencingToken: number
      /** What the function threw after its tick was completed. */
      readonly thrown?: ErrorReport
    }
  | { readonly status: 'released' }
  /** Handed over to a new invocation. */
  | { readonly status: 'continued'; readonly fencingToken: number }
  | { readonly status: 'standby'; readonly reason: string }
  | {
      readonly status: 'failed'
      readonly error: ErrorReport
      /** Absent if it failed without having led. */
      readonly fencingToken?: number | undefined
      /** Another attempt failed in the same way, and the terminal has shown it. */
      readonly isTold?: boolean
    }

const MAX_REASON = 100

/** Only what the function threw, and why it stood by, is best read from its own result. */
export function outcomeOf(ending: Ending, observations: Observations, lease: string): TryOutcome {
  const observed = leaseIn(observations, lease)
  const { token, ended } = observed ?? {}
  const thrown = ending.ok ? undefined : ending.error
  if (ended === 'completed' && token !== undefined) {
    return { status: 'completed', fencingToken: token, ...(thrown === undefined ? {} : { thrown }) }
  }
  if (ended === 'continued' && token !== undefined && ending.ok) return { status: 'continued', fencingToken: token }
  if (ending.ok && observed !== undefined && (token === undefined || ended === 'released')) {
    const returned = property(ending.value, 'status') === 'standby' ? property(ending.value, 'reason') : undefined
    const reason = typeof returned === 'string' ? oneLine(returned, MAX_REASON) : observed.refusedAs
    if (reason !== undefined) return { status: 'standby', reason }
    if (ended === 'released') return { status: 'released' }
  }
  return { status: 'failed', error: thrown ?? mistakeIn(observations, lease), fencingToken: token }
}

function mistakeIn(observations: Observations, name: string): ErrorReport {
  const error = (errorType: string, errorMessage: string) => ({ errorType, errorMessage })
  const observed = leaseIn(observations, name)
  if (observed === undefined && observations.leases.length > 0) {
    const others = observations.leases.map(({ lease }) => `"${lease}"`).join(', ')
    const advice = 'use LEASE_NAME, or give that name as --lease'
    return error('OtherLease', `It requested the lease ${others}, not "${name}": ${advice}`)
  }
  if (observed === undefined) {
    const advice = 'does it use leaderOnly or withLease, with LEASE_TABLE and LEASE_NAME?'
    return error('NoElection', `It returned without requesting the lease "${name}": ${advice}`)
  }
  const { token, ended } = observed
  if (token === undefined) return error('Unanswered', `It requested the lease "${name}", got no answer, and returned`)
  if (ended === 'failed') {
    const consequence = 'Lambda does not retry this tick. Let it throw'
    return error(
      'SwallowedError',
      `Its task failed under token ${token}, but it returned without an error: ${consequence}`,
    )
  }
  const causes = 'either it does not await withLease, or it was replaced and caught the LeaseLostError'
  return error('Unfinished', `It returned with token ${token} and without completing its tick: ${causes}`)
}

/** CloudWatch reads these lines as metrics, and does not show them as logs. */
export const withoutMetrics = (logs: readonly string[]): readonly string[] =>
  logs.filter((line) => property(parseJson(line), '_aws') === undefined)

export function thrownIn(outcome: TryOutcome): ErrorReport | undefined {
  if (outcome.status === 'failed') return outcome.error
  return outcome.status === 'completed' ? outcome.thrown : undefined
}

export function lastStepOf(outcome: TryOutcome, logs: readonly string[] = []): Omit<Step, 'atMs'> {
  const thrown = thrownIn(outcome)
  const lines = withoutMetrics(logs)
  const trace = [
    ...(thrown?.trace?.slice(1).map((frame) => frame.trim()) ?? []),
    ...(lines.length > 0 ? ['Logged:', ...lines] : []),
  ]
  const ending = thrown === undefined ? 'Returns' : `Fails with ${thrown.errorType}: ${thrown.errorMessage}`
  const after = {
    ...{ completed: '; its tick is completed', released: ' after it released the lease', failed: '' },
    continued: ' after it handed its work over',
  }
  const description = outcome.status === 'standby' ? `Stands by: ${outcome.reason}` : ending + after[outcome.status]
  return { description, trace }
}
