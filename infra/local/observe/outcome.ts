/** What one try of a candidate came to, read from what its function returned, threw or logged. */
import { parseJson, property } from '../../../functions/json.ts'
import { oneLine, printable } from '../../programs/text.ts'
import type { Ending } from '../lambda-host/environment.ts'
import type { ErrorReport } from '../lambda-host/messages.ts'
import type { Seen } from './observations.ts'

/** What the leader did, as far as a run counts it. */
export interface Work {
  readonly staleWritesRefused: number
}

export type TryOutcome =
  | {
      readonly status: 'completed'
      readonly fencingToken: number
      readonly work: Work
      /** What it threw when its tick was done already. */
      readonly thrown?: ErrorReport
    }
  | { readonly status: 'released' }
  | { readonly status: 'standby'; readonly reason: string }
  | {
      readonly status: 'failed'
      readonly error: ErrorReport
      readonly logs: readonly string[]
      readonly work: Work
      /** The token with which it had led, where it had. */
      readonly ledWithToken?: number | undefined
      /** The very same was told before of another try: a terminal need not repeat it. */
      readonly isTold?: boolean
    }

/** What is shown of what the function returned. */
const LONGEST_REASON = 100
const LONGEST_VALUE = 500

export function outcomeOf(ending: Ending): TryOutcome {
  if (!ending.ok) return failureOf(ending)
  const { status, fencingToken, result, reason } = fieldsOf(ending.value)
  if (status === 'completed' && typeof fencingToken === 'number') return { status, fencingToken, work: workOf(result) }
  if (status === 'standby' && typeof reason === 'string') return { status, reason: oneLine(reason, LONGEST_REASON) }
  if (status === 'released') return { status }
  const errorMessage = `The function returned no outcome, but ${printable(JSON.stringify(ending.value), LONGEST_VALUE)}`
  return { status: 'failed', error: { errorType: 'UnknownOutcome', errorMessage }, logs: [], work: workOf(undefined) }
}

/** Who failed when its tick was recorded as done already has completed it, as its requests show. */
export function completedAfterAll(outcome: TryOutcome, seen: Seen | undefined): TryOutcome {
  const done = seen?.leases.find(({ ended }) => ended === 'completed')
  if (outcome.status !== 'failed' || done?.token === undefined) return outcome
  return { status: 'completed', fencingToken: done.token, work: outcome.work, thrown: outcome.error }
}

/** A leader that fails returns nothing, but it has logged that it leads, as `leading`, and what it had done, as `billed`. */
function failureOf({ error, logs }: Ending & { ok: false }): TryOutcome {
  const lines = logs.map((line) => fieldsOf(parseJson(line))) // a line of plain text has no fields
  const said = (message: string) => lines.findLast((line) => line['message'] === message)
  const token = said('leading')?.['fencingToken']
  const led = typeof token === 'number' ? { ledWithToken: token } : {}
  // Metrics are for CloudWatch, not for people.
  const readable = logs.filter((line) => property(parseJson(line), '_aws') === undefined)
  return { status: 'failed', error, logs: readable, work: workOf(said('billed')), ...led }
}

function workOf(value: unknown): Work {
  return { staleWritesRefused: countOf(fieldsOf(value)['staleWritesRefused']) }
}

const countOf = (value: unknown): number => (typeof value === 'number' ? value : 0)

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}
