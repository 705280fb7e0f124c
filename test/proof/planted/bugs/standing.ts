/** Bugs of elections of servers. */
import { type Bug, bug, editsIn } from '../bug.ts'

const STANDING = 'functions/election/standing'
const inDecision = editsIn(`${STANDING}/decision.ts`)
const inElection = editsIn(`${STANDING}/election.ts`)
const inObserve = editsIn(`${STANDING}/observe.ts`)
const inStandby = editsIn(`${STANDING}/standby.ts`)
const inTenure = editsIn(`${STANDING}/tenure.ts`)
const inRules = editsIn('functions/election/rules.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')

export const standingBugs: readonly Bug[] = [
  bug(['R1'], 'T1 without the token', [
    inRules('record?.holder === undefined || record.fencingToken !== fencingToken', 'record?.holder === undefined'),
    inExpressions('attribute_exists(holder) AND fencingToken = :fencingToken', 'attribute_exists(holder)'),
  ]),
  bug(['R1'], 'T1 lets a second request undo the first', [
    inRules('if (isOpen && record.transferTo !== to)', 'if (isOpen && record.holder === to)'),
    inExpressions(
      "'transferUntilMs <= :now', 'transferTo = :to']",
      "'transferUntilMs <= :now', 'transferTo <> holder']",
    ),
  ]),
  bug(['R2'], 'a reservation that no right clock has written is waited for', [
    inDecision('reservedUntilMs > nowMs + maxClockSkewMs + LONGEST_RESERVATION_MS', 'reservedUntilMs < 0'),
  ]),
  bug(['R3'], 'a second campaign of an election is not refused', [
    inElection('if (this.#campaign !== undefined) {', 'if (this.#campaign === null) {'),
  ]),
  bug(['R4'], 'an announcement that outlives its tenure', [
    inObserve('record.announcedBy === fencingToken', 'record.announcedBy !== undefined'),
  ]),
  bug([], 'a read that is older than the one before is believed', [
    inObserve('if (difference < 0) return false', 'if (difference < -1e18) return false'),
  ]),
  bug([], 'a turn ends without a release', [
    inTenure('if (lease.ended === undefined && lease.remainingMs() > 0) {', 'if (lease.remainingMs() < 0) {'),
  ]),
  bug([], 'the lease is handed over while the turn runs', [
    inTenure(
      'if (to !== undefined) this.#successor = to',
      'if (to !== undefined) void this.lease.resign(to, RESERVED_MS)',
    ),
  ]),
  bug([], 'a request that fails ends the campaign', [
    inStandby(
      'if (error instanceof InvalidOptionError || error instanceof InvalidTickError) throw error',
      'if (error instanceof Error || error instanceof InvalidOptionError || ' +
        'error instanceof InvalidTickError) throw error',
    ),
  ]),
]
