/**
 * Requests as they arrive at the tables: the shipped rules decide, and the claims are checked against the ledger.
 * Originals, retries by the SDK and delayed copies all come through here.
 */
// @ts-nocheck

import type { FencedWrite } from '../../../functions/election/fencing.ts'
import type { LeaseRecord } from '../../../functions/election/rules.ts'
import type { Model } from './model.ts'
import type { Acquire, Fenced, FencedRow, GiveBack, Guarded, Ledger, Message, State, Transfer, Write } from './state.ts'
import { bitsOf, isPaused, missedIn } from './work.ts'
import { clockOf, identityOf, SKEW_MS, tickName, tickNumber, type World } from './world.ts'

interface Arrival {
  readonly state: State
  readonly granted: boolean
  /** The lease row that comes with the answer. */
  readonly record: LeaseRecord | undefined
}

const bit = (tick: number): number => 1 << tick
export const isCompleted = (ledger: Ledger, tick: number): boolean => (ledger.completed & bit(tick)) !== 0
/** The tick itself or a later one is completed. */
export const isDone = (ledger: Ledger, tick: number): boolean => ledger.completed >= bit(tick)

export function arrives(model: Model, state: State, message: Message): Arrival {
  switch (message.kind) {
    case 'acquire':
      return acquireArrives(model, state, message)
    case 'write':
      return writeArrives(model, state, message)
    case 'giveBack':
      return giveBackArrives(model, state, message)
    case 'fence':
      return fencedArrives(model, state, message)
    case 'guard':
      return guardedArrives(model, state, message)
    case 'transfer':
      return transferArrives(model, state, message)
  }
}

function acquireArrives(model: Model, state: State, message: Acquire): Arrival {
  const reply = model.rules.acquire(state.row, message.request)
  if (!reply.granted) return { state, ...reply }
  checkAcquisition(model, state, message, reply.record)
  const ledger = withAcquisition(model.world, state.ledger, message, reply.record)
  return { state: { ...state, row: reply.record, ledger }, ...reply }
}

function withAcquisition(world: World, ledger: Ledger, { from, request }: Acquire, record: LeaseRecord): Ledger {
  return {
    ...ledger,
    acquisitions: ledger.acquisitions + 1,
    highestToken: Math.max(ledger.highestToken, record.fencingToken),
    lastAttempt: request.attempt,
    otherOrder: request.attempt === ledger.lastAttempt ? ledger.otherOrder : ledger.acquisitions,
    lastSentMs: sentMs(world, from, request),
    missed: request.tick === undefined ? 0 : bitsOf(missedIn(record, request.tick)),
    reserved: undefined,
  }
}

function checkAcquisition(model: Model, { ledger, row }: State, { from, request }: Acquire, record: LeaseRecord): void {
  const { world } = model
  if (record.fencingToken <= ledger.highestToken) {
    model.broke('S2', `token ${record.fencingToken} is granted, but ${ledger.highestToken} was granted before`)
  }
  checkReserved(model, ledger, request, record)
  if (model.rules.openTransfer(record, request.nowMs) !== undefined) {
    model.broke('R1', `a request to an earlier leader asks ${request.candidate} to hand over`)
  }
  const tick = tickNumber(request.tick)
  if (isDone(ledger, tick)) model.broke('S4', `tick ${tick} is granted, but it or a later one is completed`)
  // The rest is about copies. A deleted row knows of no earlier grant.
  if (world.deletions > 0) return
  if (ledger.lastAttempt === request.attempt) {
    model.broke('S2', `attempt ${request.attempt} is granted twice in a row: one request has two tokens`)
  }
  if (row === undefined) return
  const lateMs = ledger.lastSentMs - sentMs(world, from, request)
  if (lateMs > 2 * SKEW_MS) {
    model.broke('L2', `a request acquires that was sent ${lateMs / 1000} s before the row was last changed`)
  }
}

/** R1: until a reservation ends, only the continuation leads, or the event that handed over; and it has the state. */
function checkReserved(
  model: Model,
  { reserved }: Ledger,
  { eventId, candidate, continuation = candidate, nowMs }: Acquire['request'],
  { checkpoint }: LeaseRecord,
): void {
  if (reserved === undefined) return
  const isForAnother = reserved.reservedFor !== continuation
  if (isForAnother && (eventId === undefined || reserved.eventId !== eventId)) {
    if (reserved.reservedUntilMs <= nowMs - SKEW_MS) model.reached('a reservation ends unused')
    else model.broke('R1', `${candidate} acquires the lease, which is reserved for another`)
    return
  }
  if (eventId === undefined) {
    model.reached('a server takes the lease that is kept for it')
    return
  }
  const isOwnEvent = reserved.eventId === eventId
  model.reached(isOwnEvent ? 'a retry resumes what it handed over' : 'a continuation takes its reservation')
  if (checkpoint === undefined) model.broke('L3', `${eventId} continues, but the state that was handed over is gone`)
}

/** In true time. */
function sentMs(world: World, from: number, { nowMs }: { readonly nowMs: number }): number {
  return nowMs - clockOf(world, from)
}

function writeArrives(model: Model, state: State, { request, order, from }: Write): Arrival {
  const reply = model.rules.write(state.row, request)
  if (!reply.granted) return { state, ...reply }
  const { row } = state
  const ledger = { ...state.ledger, lastSentMs: sentMs(model.world, from, request) }
  if (isReplaced(ledger, order, request.attempt)) model.broke('S3', `a replaced leader's ${request.kind} lands`)
  // A delayed copy that shortens a lease leads to two leaders. This finds it earlier.
  if (row !== undefined && request.step <= row.step) {
    model.broke('S1', `an older ${request.kind} (step ${request.step}) undoes step ${row.step} of the same leader`)
  }
  if (row?.holder === undefined) model.broke('S1', `a ${request.kind} lands on a lease that its leader had given up`)
  if (!('expiresAtMs' in request)) checkVacated(model, request.kind, reply.record)
  const next = { ...state, row: reply.record, ledger: afterWrite(model, ledger, request, from) }
  if (request.kind === 'complete' || request.kind === 'advance') checkClosed(model, state, request, reply.record)
  return { state: next, ...reply }
}

function afterWrite({ world }: Model, ledger: Ledger, request: Write['request'], from: number): Ledger {
  if (request.kind === 'complete' || request.kind === 'advance') {
    return { ...ledger, completed: ledger.completed | bit(tickNumber(request.tick)) }
  }
  if (request.kind !== 'release' || request.endedBy === 'failed') return ledger
  const { reservedFor, reservedUntilMs } = request
  if (reservedFor === undefined || reservedUntilMs === undefined) return ledger
  const eventId = world.standing ? undefined : identityOf(world, from).eventId
  return { ...ledger, reserved: { reservedFor, reservedUntilMs, eventId } }
}

type Closes = Extract<Write['request'], { readonly kind: 'complete' | 'advance' }>

/** S4, S5 and L4, when a tick is completed or given up. */
function checkClosed(model: Model, { ledger, row }: State, request: Closes, after: LeaseRecord): void {
  const tick = tickNumber(request.tick)
  const isOnce = request.kind === 'complete' || request.closesOnce === true
  if (isOnce && isCompleted(ledger, tick)) model.broke('S5', `tick ${tick} is completed twice, with its effects`)
  if (request.gaveUp !== undefined) model.reached('a missed tick is given up')
  const latest = 31 - Math.clz32(ledger.completed | bit(tick))
  if (tickNumber(after.completedTick) !== latest)
    model.broke('S4', `the row does not say that tick ${latest} is completed`)
  if (after.gaveUp !== request.gaveUp) model.broke('L4', `the row does not say whether tick ${tick} was given up`)
  for (let skipped = firstOpen(row); skipped < tick; skipped++) {
    const isKnown = isCompleted(ledger, skipped) || (ledger.missed & bit(skipped)) !== 0 || isPaused(row, skipped)
    if (!isKnown) model.broke('L4', `tick ${tick} is closed, and tick ${skipped} vanishes: it was in no missed ticks`)
  }
  checkMissed(model, after, ledger.completed | bit(tick))
}

/** The tick after the last that is closed, or the first of the lease. */
function firstOpen({ completedTick, firstTick }: Partial<LeaseRecord> = {}): number {
  return completedTick === undefined ? tickNumber(firstTick) : tickNumber(completedTick) + 1
}

/** L4: a later leader has every tick that is neither closed nor paused, and no other one. */
export function checkMissed(model: Model, row: LeaseRecord, closed: number): void {
  const later = 1 + Math.max(...model.world.candidates.map(({ tick }) => tick))
  const missed = missedIn(row, tickName(later))
  for (let tick = firstOpen(row); tick < later; tick++) {
    if (isPaused(row, tick) || missed.includes(tickName(tick))) continue
    model.broke('L4', `tick ${tick} vanishes: it is not closed, and a leader of tick ${later} does not miss it`)
  }
  if ((bitsOf(missed) & closed) !== 0) model.broke('L4', 'a tick that is closed is missed')
}

function checkVacated(model: Model, what: string, { holder }: LeaseRecord): void {
  if (holder !== undefined) model.broke('L2', `the ${what} is granted, but ${holder} still holds the lease`)
}

/** Another attempt acquired after this tenure; a copy of its own request does not count. */
function isReplaced({ acquisitions, lastAttempt, otherOrder }: Ledger, order: number, attempt: string): boolean {
  return order < (attempt === lastAttempt ? otherOrder : acquisitions)
}

function giveBackArrives(model: Model, state: State, { request, from }: GiveBack): Arrival {
  const reply = model.rules.giveBack(state.row, request)
  if (!reply.granted) return { state, ...reply }
  checkVacated(model, 'giving back', reply.record)
  const ledger = { ...state.ledger, lastSentMs: sentMs(model.world, from, request) }
  return { state: { ...state, row: reply.record, ledger }, ...reply }
}

/** T1: of two requests the second must not undo the first, and none is for a former leader. */
function transferArrives(model: Model, state: State, { request }: Transfer): Arrival {
  const { row } = state
  const reply = model.rules.requestTransfer(row, request)
  if (!reply.granted) return { state, ...reply }
  const open = row && model.rules.openTransfer(row, request.nowMs)
  if (row?.holder === undefined || row.fencingToken !== request.fencingToken) {
    model.broke('R1', `a request to hand over to ${request.to} reaches another leader than it is for`)
  }
  if (open !== undefined && open !== request.to) model.broke('R1', `the leader is asked for ${open} and ${request.to}`)
  return { state: { ...state, row: reply.record }, ...reply }
}

/** A write by `send` to a protected row: F1 and F2, and perhaps a condition of the caller's own. */
function fencedArrives(model: Model, state: State, { request: write, order }: Fenced): Arrival {
  const { fenced, acquisitions } = state.ledger
  const refused = { state, granted: false, record: undefined }
  if (!model.rules.fenceAdmits(fenced.seen, write)) {
    const isOwn = (fenced.seen.fencingToken ?? 0) <= write.fencingToken
    model.reached(isOwn ? 'a copy of an own effect is refused' : "a replaced leader's effect is refused by the fence")
    return refused
  }
  if (model.world.ownCondition && fenced.order === order) {
    model.reached("an effect is refused by the caller's own condition")
    return refused
  }
  if (fenced.order > order) model.broke('S3', "a replaced leader's effect lands on a row that its successor wrote")
  else if (fenced.order === order) checkOwnOrder(model, fenced, write)
  if (order < acquisitions) model.reached("a replaced leader's effect lands on a row that no newer leader wrote")
  const before = fenced.order === order ? fenced : { landed: 0, settled: 0 }
  const after: FencedRow = {
    seen: write,
    order: Math.max(order, fenced.order),
    landed: before.landed | bit(write.step),
    settled: Math.max(before.settled, write.settled),
  }
  return { state: { ...state, ledger: { ...state.ledger, fenced: after } }, granted: true, record: undefined }
}

export function hasLanded({ fenced }: Ledger, { request: write, order }: Fenced): boolean {
  return fenced.order === order && (fenced.landed & bit(write.step)) !== 0
}

/** S6. A copy may land again only if a write beside it came in between (docs/protocol.md, What remains). */
function checkOwnOrder(model: Model, { seen, landed, settled }: FencedRow, { step }: FencedWrite): void {
  if (step <= settled) {
    model.broke('S6', `effect ${step} lands after one of the same leader that was sent when it had ended`)
  }
  if ((landed & bit(step)) === 0) {
    if ((seen.step ?? 0) > step) model.reached('effects of one leader side by side land in another order')
    return
  }
  const isAnotherBetween = seen.step !== step && (seen.settled ?? 0) < step
  if (isAnotherBetween) model.reached('a copy lands again, with another effect of its leader in between')
  else model.broke('S6', `effect ${step} lands twice`)
}

/** An effect in one transaction with a check of the lease row: what `transact` sends. */
function guardedArrives(model: Model, state: State, { request: tenure, order }: Guarded): Arrival {
  const { row, ledger } = state
  const lands = model.rules.isHeldBy(row, tenure)
  if (!lands) model.reached('an effect is refused by the guard')
  if (lands && isReplaced(ledger, order, tenure.attempt)) {
    model.broke('S3', "a replaced leader's guarded effect lands after its successor acquired")
  }
  return { state, granted: lands, record: undefined }
}

const NAMES = {
  ...{ renew: 'renewal', saveCheckpoint: 'checkpoint', advance: 'advance', complete: 'completion', release: 'release' },
  ...{ proclaim: 'proclamation', acquire: 'acquire', giveBack: 'giving back', guard: 'guarded effect' },
  transfer: 'request to hand over',
}

export function nameOf(message: Message): string {
  if (message.kind === 'fence') return `effect ${message.request.step}`
  return NAMES[message.kind === 'write' ? message.request.kind : message.kind]
}
