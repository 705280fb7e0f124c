/**
 * What one write of a lease row means, from the row before and after it alone: no clock, no network, no memory of other
 * records. So a record gives the same facts however often, and in whatever order, it is delivered.
 *
 *   F1  elected: the row has a holder, and both its fencing token and its attempt are new
 *   F2  takenOver: elected, and the row still named an earlier holder. That tenure ended when its lease expired: after
 *       that it could do nothing more, however late the takeover came
 *   F3  ended: the holder is gone, token and attempt are the same, and `endedBy` says how. The leader wrote this itself
 *   F4  forced: the token is the same, there was a holder, and either `attempt` changed (whether or not the holder
 *       stays), or the holder is gone and `endedBy` is absent or `forced`, which no leader writes
 *   F5  paused: `pausedUntilMs` appeared or changed, and is later than the write
 *   F6  resumed: a pause in force was removed, or its end was moved into the past
 *   F7  closed: the leader stays, and the completed tick is later: it closed a tick that was missed
 *
 * Renewals, checkpoints, and fencing tokens raised by hand are no facts.
 */
// @ts-nocheck

import type { LeaseRecord } from '../election/rules.ts'

/** A lease row, with the attributes that only operators write. */
export interface LeaseImage extends LeaseRecord {
  readonly pausedBy?: string | undefined
  readonly pausedReason?: string | undefined
}

export interface LeaseChange {
  /** Undefined if the row is new. */
  readonly before: LeaseImage | undefined
  readonly after: LeaseImage
  readonly sequenceNumber: string
  /** Roughly, by DynamoDB's clock; epoch ms. */
  readonly createdAtMs: number
}

/** The tenure that a fact is about, and when the fact happened; epoch ms. */
interface OfTenure {
  readonly lease: string
  readonly fencingToken: number
  readonly tick?: string | undefined
  readonly beganAtMs: number
  readonly atMs: number
}

/** Of one candidate: of a forced tenure, the candidate forced out. */
interface OfLeader extends OfTenure {
  readonly candidate: string
}

type Previous = Omit<OfLeader, 'lease' | 'atMs'> & { readonly expiredAtMs: number }
type EndedBy = 'completed' | 'released' | 'failed' | 'continued'
/** Of work that several invocations did: how often it was handed over so far, and when the first of them began. */
interface Continued {
  readonly continuations?: number | undefined
  readonly sinceMs?: number | undefined
}
interface GivenUp {
  readonly gaveUp?: string | undefined
}
interface HandedOver {
  /** The candidate for which the lease is kept. */
  readonly handedOverTo?: string | undefined
}
interface OfPause extends OfTenure {
  readonly sequenceNumber: string
  /** The tenure has ended. */
  readonly isVacant: boolean
}

export type Fact =
  | (OfLeader & { readonly kind: 'elected'; readonly expiresAtMs: number })
  | (OfLeader & { readonly kind: 'takenOver'; readonly previous: Previous })
  | (OfLeader &
      GivenUp &
      Continued &
      HandedOver & { readonly kind: 'ended'; readonly endedBy: EndedBy; readonly errorName?: string | undefined })
  /** The leader closed an earlier tick than its own, and goes on. */
  | (OfLeader & GivenUp & { readonly kind: 'closed'; readonly closedTick: string })
  | (OfLeader & { readonly kind: 'forced'; readonly expiresAtMs: number })
  | (OfPause &
      Pick<LeaseImage, 'pausedBy' | 'pausedReason'> & { readonly kind: 'paused'; readonly pausedUntilMs: number })
  | (OfPause & { readonly kind: 'resumed' })

export type FactOf<Kind extends Fact['kind']> = Extract<Fact, { readonly kind: Kind }>

/** All facts of a record are about the tenure of the fencing token that the row has after the write. */
export function factsOf(change: LeaseChange): readonly Fact[] {
  return [...electionIn(change), ...endIn(change), ...pauseIn(change)]
}

function electionIn({ before, after }: LeaseChange): readonly Fact[] {
  const isNew = before?.fencingToken !== after.fencingToken && before?.attempt !== after.attempt
  if (!isNew || after.holder === undefined) return []
  const common = { lease: after.lease, ...tenureIn(after), atMs: after.acquiredAtMs, candidate: cut(after.holder) }
  const elected: Fact = { kind: 'elected', ...common, expiresAtMs: after.expiresAtMs }
  if (before?.holder === undefined) return [elected]
  const previous = { ...tenureIn(before), candidate: cut(before.holder), expiredAtMs: before.expiresAtMs }
  return [elected, { kind: 'takenOver', ...common, previous }]
}

function endIn(change: LeaseChange): readonly Fact[] {
  const { before, after } = change
  if (before?.holder === undefined || before.fencingToken !== after.fencingToken) return []
  const isForcedOut = before.attempt !== after.attempt
  const { lease, endedBy, errorName, completedTick } = after
  // An operator, or an older version, closes a tick without this.
  const isClosedByLeader = after.completedBy === after.fencingToken
  const gaveUp = isClosedByLeader ? cut(after.gaveUp, LONGEST_REASON) : undefined
  const common = { lease, ...tenureIn(after), atMs: writtenAtMs(change), candidate: cut(before.holder) }
  if (!isForcedOut && after.holder !== undefined) {
    const isLater = completedTick !== undefined && completedTick > (before.completedTick ?? '')
    return isLater && isClosedByLeader ? [{ kind: 'closed', ...common, closedTick: completedTick, gaveUp }] : []
  }
  if (isForcedOut || endedBy === undefined || endedBy === 'forced') {
    return [{ kind: 'forced', ...common, expiresAtMs: before.expiresAtMs }]
  }
  // A hand-over writes the checkpoint; a completion removes it.
  const { checkpoint } = endedBy === 'continued' ? after : before
  const { continuations, sinceMs } = checkpoint?.tick === after.tick ? { ...checkpoint } : {}
  const isKept = endedBy === 'released' && after.reservedBy === after.fencingToken
  const handedOverTo = isKept ? cut(after.reservedFor) : undefined
  const how = { endedBy, errorName: cut(errorName), gaveUp, handedOverTo }
  return [{ kind: 'ended', ...common, ...how, continuations, sinceMs }]
}

function pauseIn(change: LeaseChange): readonly Fact[] {
  const { before, after, sequenceNumber } = change
  const { lease, pausedUntilMs, pausedBy, pausedReason } = after
  if (pausedUntilMs === before?.pausedUntilMs) return []
  const atMs = writtenAtMs(change)
  const common = { lease, ...tenureIn(after), atMs, sequenceNumber, isVacant: after.holder === undefined }
  if (pausedUntilMs !== undefined && pausedUntilMs > atMs) {
    const words = { pausedBy: cut(pausedBy), pausedReason: cut(pausedReason, LONGEST_REASON) }
    return [{ kind: 'paused', ...common, pausedUntilMs, ...words }]
  }
  const wasInForce = before?.pausedUntilMs !== undefined && before.pausedUntilMs > atMs
  return wasInForce ? [{ kind: 'resumed', ...common }] : []
}

const tenureIn = ({ fencingToken, tick, acquiredAtMs }: LeaseImage) => ({ fencingToken, tick, beganAtMs: acquiredAtMs })

/**
 * The writer's time, if it stamped the row, else DynamoDB's. A stream rounds DynamoDB's down to the second, so that it
 * can lie before the previous write of the row; a fact never does.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
 */
function writtenAtMs({ before, after, createdAtMs }: LeaseChange): number {
  const isStamped = after.writtenAtMs !== before?.writtenAtMs || after.step !== before.step
  return isStamped ? after.writtenAtMs : Math.max(createdAtMs, after.writtenAtMs)
}

const LONGEST_NAME = 256
const LONGEST_REASON = 1_000

/** Rows can be edited by hand: this keeps a text of 400 KB out of events. */
function cut<Text extends string | undefined>(text: Text, length = LONGEST_NAME): Text | string {
  return text?.slice(0, length).toWellFormed() ?? text
}
