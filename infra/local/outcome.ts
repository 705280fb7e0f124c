/** What one try of a candidate came to, read from what its function returned, threw or logged. */
import type { Ending } from './environment.ts'
import type { ErrorReport } from './runtime.ts'

/** What the leader did, as far as a run counts it. */
export interface Work {
  readonly declined: number
  readonly staleWritesRefused: number
}

export type TryOutcome =
  | { readonly status: 'completed'; readonly fencingToken: number; readonly work: Work }
  | { readonly status: 'released' }
  | { readonly status: 'standby'; readonly reason: string }
  | { readonly status: 'failed'; readonly error: ErrorReport; readonly logs: readonly string[]; readonly work: Work }

export function outcomeOf(ending: Ending): TryOutcome {
  if (!ending.ok) return { status: 'failed', error: ending.error, logs: ending.logs, work: loggedWork(ending.logs) }
  const { status, fencingToken, result, reason } = fieldsOf(ending.value)
  if (status === 'completed' && typeof fencingToken === 'number') return { status, fencingToken, work: workOf(result) }
  if (status === 'standby' && typeof reason === 'string') return { status, reason }
  if (status === 'released') return { status }
  const errorMessage = `The function returned no outcome, but ${JSON.stringify(ending.value)}`
  return { status: 'failed', error: { errorType: 'UnknownOutcome', errorMessage }, logs: [], work: workOf(undefined) }
}

/** A leader that failed returns nothing, but it has logged what it had done by then, as `billed`. */
function loggedWork(logs: readonly string[]): Work {
  const entry = logs.map(jsonOf).findLast((line) => line['message'] === 'billed')
  return workOf(entry)
}

function workOf(value: unknown): Work {
  const { declined, staleWritesRefused } = fieldsOf(value)
  return { declined: countOf(declined), staleWritesRefused: countOf(staleWritesRefused) }
}

const countOf = (value: unknown): number => (typeof value === 'number' ? value : 0)

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

function jsonOf(line: string): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(line))
  } catch {
    return {} // a line of plain text
  }
}
