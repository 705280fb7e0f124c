/** What one attempt of a candidate came to: by its requests, and by what its function returned, threw or logged. */
import { parseJson, property } from '../../../functions/election/json.ts'
import { oneLine, printable } from '../../programs/text.ts'
import type { Ending } from '../lambda-host/environment.ts'
import type { ErrorReport } from '../lambda-host/messages.ts'
import type { FailedAttempt, TenureEnd } from './entries.ts'
import type { Step } from './tenure-logs.ts'
import { type MissingTable, rowOf } from './wire.ts'

/** What the attempt requested of the leases, and the results: its function may return anything. */
export interface Observations {
  /** In the order of their first acquire. */
  readonly leases: readonly ObservedLease[]
  /** Writes refused because another candidate leads. */
  readonly staleWritesRefused: number
  readonly missingTables: readonly MissingTable[]
}

export interface ObservedLease {
  readonly lease: string
  /** The longest duration that it requested. */
  readonly leaseMs: number
  readonly tick?: string | undefined
  /** Of the last grant; absent if there was none. */
  readonly token?: number | undefined
  /** How the last granted tenure ended in the row; absent if it has not. */
  readonly ended?: Exclude<TenureEnd, 'takenOver'> | undefined
  /** Absent if the lease was granted, or no answer came. */
  readonly refusedAs?: 'held' | 'tickDone' | 'paused' | undefined
}

export const NO_OBSERVATIONS: Observations = { leases: [], staleWritesRefused: 0, missingTables: [] }

export const leaseIn = ({ leases }: Observations, name: string): ObservedLease | undefined =>
  leases.find(({ lease }) => lease === name)

/** In the order in which the protocol itself explains a refusal. */
export function whyRefused(item: unknown, tick: string | undefined): ObservedLease['refusedAs'] {
  const { completedTick, isPaused } = rowOf(item)
  if (completedTick !== undefined && tick !== undefined && completedTick >= tick) return 'tickDone'
  if (property(item, 'holder') !== undefined) return 'held'
  return isPaused ? 'paused' : undefined
}

export interface Work {
  readonly staleWritesRefused: number
}

export type TryOutcome =
  | {
      readonly status: 'completed'
      readonly fencingToken: number
      readonly work: Work
      /** What the function threw after its tick was completed. */
      readonly thrown?: ErrorReport
    }
  | { readonly status: 'released' }
  | { readonly status: 'standby'; readonly reason: string }
  | {
      readonly status: 'failed'
      readonly error: ErrorReport
      readonly logs: readonly string[]
      readonly work: Work
      /** Absent if it failed without having led. */
      readonly ledWithToken?: number | undefined
      /** Another attempt failed in the same way, and the terminal has shown it. */
      readonly isTold?: boolean
    }

const MAX_REASON = 100
const MAX_VALUE = 500

export function outcomeOf(ending: Ending): TryOutcome {
  if (!ending.ok) return failureOf(ending)
  const { status, fencingToken, result, reason } = fieldsOf(ending.value)
  if (status === 'completed' && typeof fencingToken === 'number') return { status, fencingToken, work: workOf(result) }
  if (status === 'standby' && typeof reason === 'string') return { status, reason: oneLine(reason, MAX_REASON) }
  if (status === 'released') return { status }
  const errorMessage = `The function returned no outcome, but ${printable(JSON.stringify(ending.value), MAX_VALUE)}`
  return { status: 'failed', error: { errorType: 'UnknownOutcome', errorMessage }, logs: [], work: workOf(undefined) }
}

/** A leader that failed after its requests completed the tick has completed it. */
export function completedAfterAll(outcome: TryOutcome, observations: Observations | undefined): TryOutcome {
  const done = observations?.leases.find(({ ended }) => ended === 'completed')
  if (outcome.status !== 'failed' || done?.token === undefined) return outcome
  return { status: 'completed', fencingToken: done.token, work: outcome.work, thrown: outcome.error }
}

/** A leader that fails returns nothing, but it has logged `leading` with its token, and its work as `billed`. */
function failureOf({ error, logs }: Ending & { ok: false }): TryOutcome {
  const lines = logs.map((line) => fieldsOf(parseJson(line))) // a line of plain text has no fields
  const logged = (message: string) => lines.findLast((line) => line['message'] === message)
  const token = logged('leading')?.['fencingToken']
  const led = typeof token === 'number' ? { ledWithToken: token } : {}
  return { status: 'failed', error, logs: withoutMetrics(logs), work: workOf(logged('billed')), ...led }
}

/** CloudWatch reads these lines as metrics, and does not show them as logs. */
export const withoutMetrics = (logs: readonly string[]): readonly string[] =>
  logs.filter((line) => property(parseJson(line), '_aws') === undefined)

function workOf(value: unknown): Work {
  const count = fieldsOf(value)['staleWritesRefused']
  return { staleWritesRefused: typeof count === 'number' ? count : 0 }
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

/** The feed gets the beginning of an error; the log gets all of it. */
const MAX_MESSAGE = 1_000

export const failureIn = ({ errorType, errorMessage }: ErrorReport): FailedAttempt['error'] => ({
  ...{ name: errorType, message: errorMessage.slice(0, MAX_MESSAGE) },
})

/** @param logs the last lines that the invocation wrote */
export function lastStepOf(outcome: TryOutcome, logs: readonly string[] = []): Omit<Step, 'atMs'> {
  const lines = outcome.status === 'failed' ? outcome.logs : logs
  const thrown =
    outcome.status === 'failed' ? outcome.error : outcome.status === 'completed' ? outcome.thrown : undefined
  const trace = [...framesOf(thrown?.trace), ...(lines.length > 0 ? ['Logged:', ...lines] : [])]
  const ending = thrown === undefined ? 'Returns' : `Fails with ${thrown.errorType}: ${thrown.errorMessage}`
  const after = { completed: '; its tick is completed', released: ' after it released the lease', failed: '' }
  const description = outcome.status === 'standby' ? `Stands by: ${outcome.reason}` : ending + after[outcome.status]
  return { description, trace }
}

/** Without the first lines of a stack, which repeat the message. */
const framesOf = (trace: readonly string[] = []) =>
  trace.filter((line) => /^\s*at /.test(line)).map((line) => line.trim())
