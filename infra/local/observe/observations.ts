/** What one attempt requested of the leases, and the result, by its requests: its function may return anything. */
import { property } from '../../../functions/json.ts'
import { type Answer, endIn, isRefusal, type LeaseRequest, rowOf } from './wire.ts'

export interface Observations {
  /** In the order of their first acquire. */
  readonly leases: readonly ObservedLease[]
  /** Writes refused because another candidate leads. */
  readonly staleWritesRefused: number
}

export interface ObservedLease {
  readonly lease: string
  /** The longest duration that it requested. */
  readonly leaseMs: number
  readonly tick?: string | undefined
  /** Of the last grant; absent if there was none. */
  readonly token?: number | undefined
  /** How the last granted tenure ended in the row; absent if it has not. */
  readonly ended?: 'completed' | 'released' | 'failed' | undefined
  /** Absent if the lease was granted, or no answer came. */
  readonly refusedAs?: 'held' | 'tickDone' | 'paused' | undefined
}

export const NO_OBSERVATIONS: Observations = { leases: [], staleWritesRefused: 0 }

/** The attempt sends this request, which may never arrive. */
export function afterRequest(before: Observations, request: LeaseRequest | undefined): Observations {
  if (request?.kind !== 'acquire') return before
  const { lease, tick, expiresAtMs, nowMs } = request
  const leaseMs = Math.max(expiresAtMs - nowMs, leaseIn(before, lease)?.leaseMs ?? 0)
  return withLease(before, lease, { leaseMs, tick })
}

/** @param token of the attempt's last grant, this one included */
export function afterAnswer(
  before: Observations,
  request: LeaseRequest | undefined,
  { body, error }: Answer,
  token: number | undefined,
): Observations {
  if (request === undefined) return before
  const { lease } = request
  if (error === undefined) {
    if (request.kind === 'acquire') return withLease(before, lease, { token, ended: undefined, refusedAs: undefined })
    const ended = endIn(request)
    return ended === undefined ? before : withLease(before, lease, { ended })
  }
  // If the reply of a grant is lost, the SDK repeats the acquire, and that is refused.
  const isNews = request.kind === 'acquire' && isRefusal(error) && leaseIn(before, lease)?.token === undefined
  return isNews ? withLease(before, lease, { refusedAs: whyRefused(property(body, 'Item'), request.tick) }) : before
}

export const leaseIn = ({ leases }: Observations, name: string): ObservedLease | undefined =>
  leases.find(({ lease }) => lease === name)

function withLease(before: Observations, name: string, changes: Partial<ObservedLease>): Observations {
  const known = leaseIn(before, name)
  const changed = { lease: name, leaseMs: 0, ...known, ...changes }
  const leases =
    known === undefined ? [...before.leases, changed] : before.leases.map((one) => (one === known ? changed : one))
  return { ...before, leases }
}

/** In the order in which the protocol itself explains a refusal. */
function whyRefused(item: unknown, tick: string | undefined): ObservedLease['refusedAs'] {
  const { completedTick, isPaused } = rowOf(item)
  if (completedTick !== undefined && tick !== undefined && completedTick >= tick) return 'tickDone'
  if (property(item, 'holder') !== undefined) return 'held'
  return isPaused ? 'paused' : undefined
}
