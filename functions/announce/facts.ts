/**
 * What one write of a lease row means, from the row before and after it: no clock, no network, no memory of other
 * records. So a record says the same however often, and in whatever order, it is delivered.
 *
 *   F1  elected: a holder under another fencing token and another attempt, or in a row that is new
 *   F2  takenOver: elected, and the row still named an earlier holder. That tenure ended when its lease expired: from
 *       then on it could do nothing more, whenever somebody noticed
 *   F3  ended: the holder is gone, token and attempt are the same, and `endedBy` says how. The leader did this itself
 *   F4  forced: same token, a holder was there, and `attempt` changed (whether or not the holder stays), or the holder is
 *       gone and nothing says how: each end by the leader itself does
 *   F5  paused: `pausedUntilMs` appeared or changed, and is later than the write
 *   F6  resumed: a pause that was in force went away or was set into the past
 *
 * Renewals, checkpoints, and fencing tokens raised by hand hold none.
 */
import type { LeaseRecord } from '../election/rules.ts'

/** A lease row, with what operators write beside the protocol. */
export interface LeaseImage extends LeaseRecord {
  readonly pausedBy?: string
  readonly pausedReason?: string
}

/** One write of a lease row, as the table's stream tells it. */
export interface LeaseChange {
  /** Undefined where the row is new. */
  readonly before: LeaseImage | undefined
  readonly after: LeaseImage
  readonly sequenceNumber: string
  /** By DynamoDB's clock, about; epoch ms. */
  readonly createdAtMs: number
}

/** The tenure that a fact is about, and when it happened; epoch ms. */
interface OfTenure {
  readonly lease: string
  readonly fencingToken: number
  readonly tick?: string
  readonly beganAtMs: number
  readonly atMs: number
}

export interface Elected extends OfTenure {
  readonly kind: 'elected'
  readonly candidate: string
  readonly expiresAtMs: number
}

export interface TakenOver extends OfTenure {
  readonly kind: 'takenOver'
  readonly candidate: string
  readonly previous: {
    readonly fencingToken: number
    readonly candidate: string
    readonly tick?: string
    readonly beganAtMs: number
    readonly expiredAtMs: number
  }
}

export interface Ended extends OfTenure {
  readonly kind: 'ended'
  readonly candidate: string
  readonly endedBy: 'completed' | 'released' | 'failed'
  readonly errorName?: string
}

export interface Forced extends OfTenure {
  readonly kind: 'forced'
  /** Who was put out. */
  readonly candidate: string
}

export interface Paused extends OfTenure {
  readonly kind: 'paused'
  readonly sequenceNumber: string
  readonly pausedUntilMs: number
  readonly pausedBy?: string
  readonly pausedReason?: string
}

export interface Resumed extends OfTenure {
  readonly kind: 'resumed'
  readonly sequenceNumber: string
}

export type Fact = Elected | TakenOver | Ended | Forced | Paused | Resumed

/** All facts of a record are about the tenure of the token that the row has after it. */
export function factsOf(change: LeaseChange): readonly Fact[] {
  return [...electionIn(change), ...endIn(change), ...pauseIn(change)]
}

function electionIn({ before, after }: LeaseChange): readonly Fact[] {
  const isNew = before?.fencingToken !== after.fencingToken && before?.attempt !== after.attempt
  if (!isNew || after.holder === undefined) return []
  const candidate = cut(after.holder)
  const elected: Elected = {
    kind: 'elected',
    ...tenureIn(after),
    atMs: after.acquiredAtMs,
    candidate,
    expiresAtMs: after.expiresAtMs,
  }
  if (before?.holder === undefined) return [elected]
  const { lease: _lease, ...previous } = tenureIn(before)
  const takenOver: TakenOver = {
    kind: 'takenOver',
    ...tenureIn(after),
    atMs: after.acquiredAtMs,
    candidate,
    previous: { ...previous, candidate: cut(before.holder), expiredAtMs: before.expiresAtMs },
  }
  return [elected, takenOver]
}

function endIn(change: LeaseChange): readonly Fact[] {
  const { before, after } = change
  if (before?.holder === undefined || before.fencingToken !== after.fencingToken) return []
  const isPutOut = before.attempt !== after.attempt
  if (!isPutOut && after.holder !== undefined) return []
  const common = { ...tenureIn(after), atMs: writtenAtMs(change), candidate: cut(before.holder) }
  const { endedBy, errorName } = after
  if (isPutOut || endedBy === undefined || endedBy === 'forced') return [{ kind: 'forced', ...common }]
  return [{ kind: 'ended', ...common, endedBy, ...(errorName === undefined ? {} : { errorName: cut(errorName) }) }]
}

function pauseIn(change: LeaseChange): readonly Fact[] {
  const { before, after, sequenceNumber } = change
  const { pausedUntilMs, pausedBy, pausedReason } = after
  if (pausedUntilMs === before?.pausedUntilMs) return []
  const atMs = writtenAtMs(change)
  const common = { ...tenureIn(after), atMs, sequenceNumber }
  if (pausedUntilMs !== undefined && pausedUntilMs > atMs) {
    const by = pausedBy === undefined ? {} : { pausedBy: cut(pausedBy) }
    const reason = pausedReason === undefined ? {} : { pausedReason: cut(pausedReason, LONGEST_REASON) }
    return [{ kind: 'paused', ...common, pausedUntilMs, ...by, ...reason }]
  }
  const wasInForce = before?.pausedUntilMs !== undefined && before.pausedUntilMs > atMs
  return wasInForce ? [{ kind: 'resumed', ...common }] : []
}

function tenureIn({ lease, fencingToken, tick, acquiredAtMs }: LeaseImage): Omit<OfTenure, 'atMs'> {
  return { lease, fencingToken, beganAtMs: acquiredAtMs, ...(tick === undefined ? {} : { tick }) }
}

/**
 * By the clock of whoever wrote, where that stamped the row, else by DynamoDB's. A stream rounds that down to the second,
 * which may lie before the write that this one came after.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
 */
function writtenAtMs({ before, after, createdAtMs }: LeaseChange): number {
  const isStamped = after.writtenAtMs !== before?.writtenAtMs || after.step !== before.step
  return isStamped ? after.writtenAtMs : Math.max(createdAtMs, after.writtenAtMs)
}

const LONGEST_NAME = 256
const LONGEST_REASON = 1_000

/** Rows can be edited by hand: whoever reads an event need not expect a text of 400 KB. */
function cut(text: string, length = LONGEST_NAME): string {
  return text.slice(0, length).toWellFormed()
}
