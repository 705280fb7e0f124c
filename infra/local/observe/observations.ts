/** What one try asked of the leases, and what came of it, by the requests themselves: a function may return what it likes. */
import { property } from '../../../functions/election/json.ts'
import { isRefusal, type LeaseCall, textOf } from './lease-call.ts'

export interface Seen {
  /** In the order in which it asked for them first. */
  readonly leases: readonly SeenLease[]
  /** Its writes that were refused because another leads by then. */
  readonly staleWritesRefused: number
}

export interface SeenLease {
  readonly lease: string
  /** For how long it asked, at most. */
  readonly leaseMs: number
  /** For which tick it asked; absent where it asked without one. */
  readonly tick?: string | undefined
  /** Of the last grant; absent where there was none. */
  readonly token?: number | undefined
  /** How that grant's tenure ended in the row; absent where it has not. */
  readonly ended?: 'completed' | 'released' | 'failed' | undefined
  /** Why it was not granted; absent where it was, or where no answer came. */
  readonly refusedAs?: 'held' | 'tickDone' | 'paused' | undefined
}

export const NOTHING_SEEN: Seen = { leases: [], staleWritesRefused: 0 }

/** The try sends this request, whether or not it ever arrives. */
export function asking(seen: Seen, asked: LeaseCall | undefined): Seen {
  if (asked?.kind !== 'acquire') return seen
  const { lease, tick, expiresAtMs, nowMs } = asked
  const leaseMs = Math.max(expiresAtMs - nowMs, leaseOf(seen, lease)?.leaseMs ?? 0)
  return withLease(seen, lease, { leaseMs, tick })
}

/** What the service answered. */
export interface Answer {
  readonly body: unknown
  /** The name of its error, such as `ConditionalCheckFailedException`; undefined for a success. */
  readonly error: string | undefined
}

/** This request was answered so. @param token of the try's last grant, this one included */
export function answered(
  seen: Seen,
  asked: LeaseCall | undefined,
  { body, error }: Answer,
  token: number | undefined,
): Seen {
  if (asked === undefined) return seen
  const { lease } = asked
  if (error === undefined) {
    if (asked.kind === 'acquire') return withLease(seen, lease, { token, ended: undefined, refusedAs: undefined })
    if (asked.kind === 'complete') return withLease(seen, lease, { ended: 'completed' })
    return asked.kind === 'release' ? withLease(seen, lease, { ended: asked.how }) : seen
  }
  // Of a grant whose reply was lost the SDK learns by a refusal.
  const isNews = asked.kind === 'acquire' && isRefusal(error) && leaseOf(seen, lease)?.token === undefined
  return isNews ? withLease(seen, lease, { refusedAs: whyRefused(property(body, 'Item'), asked.tick) }) : seen
}

export const leaseOf = ({ leases }: Seen, name: string): SeenLease | undefined =>
  leases.find(({ lease }) => lease === name)

function withLease(seen: Seen, name: string, news: Partial<SeenLease>): Seen {
  const known = leaseOf(seen, name)
  const changed = { lease: name, leaseMs: 0, ...known, ...news }
  const leases =
    known === undefined ? [...seen.leases, changed] : seen.leases.map((one) => (one === known ? changed : one))
  return { ...seen, leases }
}

/** The row tells, in the order of the protocol's own reasons. */
function whyRefused(row: unknown, tick: string | undefined): 'held' | 'tickDone' | 'paused' | undefined {
  const completedTick = textOf(property(row, 'completedTick'))
  if (completedTick !== undefined && tick !== undefined && completedTick >= tick) return 'tickDone'
  if (property(row, 'holder') !== undefined) return 'held'
  return property(row, 'pausedUntilMs') === undefined ? undefined : 'paused'
}
