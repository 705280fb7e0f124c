// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of an acquire: rules A1 to A6, the answer, the clock. */
import { type Bug, bug, editsIn } from '../bug.ts'

const inRules = editsIn('functions/election/rules.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inAcquire = editsIn('functions/election/acquire.ts')
const inNotWon = editsIn('functions/election/not-won.ts')
const inWithLease = editsIn('functions/election/with-lease.ts')
const inMiddleware = editsIn('functions/election/middleware.ts')
const inClock = editsIn('functions/election/clock.ts')
const inClockSkew = editsIn('functions/election/clock-skew.ts')
const inTick = editsIn('functions/election/tick.ts')

export const acquireBugs: readonly Bug[] = [
  // Every candidate takes the lease from its holder.
  bug(['S1'], 'A1 does not look at the expiry of a held lease', [
    inRules('record?.holder === undefined || record.expiresAtMs <= nowMs - maxClockSkewMs, // A1', 'true,'),
    inExpressions('<= :expiredBefore)', '<= :expiredBefore OR expiresAtMs > :expiredBefore)'),
  ]),
  // The expiry was written by another clock, which may be off by the budget.
  bug(['S1'], 'A1 without the clock budget', [
    inRules('nowMs - maxClockSkewMs, // A1', 'nowMs,'),
    inExpressions("':expiredBefore': nowMs - maxClockSkewMs", "':expiredBefore': nowMs"),
  ]),
  // After a crash all candidates wait longer than promised.
  bug(['L1'], 'A1 with the clock budget twice', [
    inRules('nowMs - maxClockSkewMs, // A1', 'nowMs - 2 * maxClockSkewMs,'),
    inExpressions("':expiredBefore': nowMs - maxClockSkewMs", "':expiredBefore': nowMs - 2 * maxClockSkewMs"),
  ]),
  // Only the tick that was completed last counts as done.
  bug(['S4'], 'A2 as equality', [
    inRules('record.completedTick < tick, // A2', 'record.completedTick !== tick,'),
    inExpressions('OR completedTick < :tick)', 'OR completedTick <> :tick)'),
  ]),
  // A fast leader frees the lease before the slow candidates of its tick arrive.
  bug(['S4'], 'A2 dropped', [
    inRules('tick === undefined || record?.completedTick === undefined || record.completedTick < tick, // A2', 'true,'),
    inExpressions('< :tick)', '< :tick OR completedTick >= :tick)'),
  ]),
  // A late copy of a granted request acquires a lease that no candidate uses.
  bug(['S2'], 'A5 dropped', [
    inRules('record?.attempt !== attempt, // A5', 'true,'),
    inExpressions('OR attempt <> :attempt)', 'OR attempt <> :attempt OR attempt = :attempt)'),
  ]),
  // A request that the network delayed acquires a lease that no candidate uses.
  bug(['L2'], 'A6 dropped', [
    inRules('record === undefined || record.writtenAtMs <= nowMs + maxClockSkewMs, // A6', 'true,'),
    inExpressions('<= :writtenBefore)', '<= :writtenBefore OR writtenAtMs > :writtenBefore)'),
  ]),
  // The fence cannot distinguish a leader from its successor.
  bug(['S2', 'S3'], 'token not raised by an acquire', [
    inRules('(record?.fencingToken ?? request.nowMs) + 1', 'record?.fencingToken ?? request.nowMs'),
    inExpressions(':now) + :one', ':now) + :zero'),
    inExpressions("':one': 1,", ''),
  ]),
  // A row that is created again after a deletion repeats its tokens.
  bug(['S2'], 'tokens begin with one', [
    inRules('(record?.fencingToken ?? request.nowMs) + 1', '(record?.fencingToken ?? 0) + 1'),
    inExpressions(':now) + :one', ':zero) + :one'),
  ]),
  // A retry of an event has the same candidate name, and believes that it holds the lease of the earlier try.
  bug(['S1', 'L3'], 'own win recognised without the attempt', [
    inRules('holder === request.candidate && record.attempt === request.attempt', 'holder === request.candidate'),
  ]),
  // A candidate whose first reply was lost stands by although it holds the lease.
  bug(['L3'], 'own win not recognised', [
    inRules('holder === request.candidate && record.attempt === request.attempt', 'false'),
  ]),
  // Lambda's retries and duplicates share it, and each believes that it holds the other's lease.
  bug(['S1', 'S2'], "the event's request id as attempt", [
    inAcquire('attempt: crypto.randomUUID(),', 'attempt: settings.eventId ?? crypto.randomUUID(),'),
  ]),
  // Lambda sees a success and does not retry: the tick of a dead leader is lost.
  bug(['L3'], 'stands by while an earlier try of the event holds the lease', [
    inRules('request.eventId !== undefined && record.eventId === request.eventId', 'false'),
  ]),
  // The lease seems to last longer by the time that the request took.
  bug(['S1'], 'deadline counted from the reply', [
    inAcquire(
      'return new LeaseHandle({ ...settings, record: won, askedAt, latestExpiryMs })',
      `const expiresAtMs = clock.wallMs() + (won.expiresAtMs - askedAt.wallMs)
    const record = { ...won, expiresAtMs }
    return new LeaseHandle({ ...settings, record, askedAt: instantOf(clock), latestExpiryMs })`,
    ),
  ]),
  // Another candidate may lead by then.
  bug(['S1'], 'an answer after the deadline is believed', [
    inNotWon('remainingMs() === 0', 'remainingMs() < 0'),
    inWithLease('lease.assertHeld() // the answer may have come late, or the caller given up meanwhile', ''),
    inMiddleware('lease.assertHeld() // the answer may have come late: then middy calls onError', ''),
  ]),
  // A leader whose clock is far ahead keeps all others out for as long as the clock is wrong.
  bug([], 'a wrong clock is ignored', [inAcquire('skew?.error ?? lateAnswer', 'lateAnswer')]),
  // A candidate with a slow answer takes its clock for wrong and does not run.
  bug([], 'the time of an answer on its way counted as clock error', [
    inClock('aheadAtLeast = sentAtMs -', 'aheadAtLeast = receivedAtMs -'),
  ]),
  // A standby reports that a later tick is done although none is.
  bug(['L3'], 'held reported as superseded', [
    inRules(
      "return { kind: 'standby', reason: 'held', holder, retryAfterMs }",
      "return { kind: 'standby', reason: 'superseded' }",
    ),
  ]),
  // A vacant row written in the future keeps all others out.
  bug(['L2'], 'given back with the time of a wrong clock', [
    inAcquire(
      'nowMs: Math.min(endOf(askedAt, clock), serverMs)',
      'nowMs: serverMs < 0 ? serverMs : endOf(askedAt, clock)',
    ),
  ]),
  // A candidate whose clock is behind, within the budget, is refused a free lease.
  bug(['L2'], "given back with the end of the second of DynamoDB's Date", [
    inClockSkew('dateMs + Math.min(999, Math.floor(maxClockSkewMs / 2))', 'dateMs + 999'),
  ]),
  // DynamoDB deletes the row after its expiry, and with it the completed tick.
  bug(['S4'], 'a time to live on the lease row', [
    inExpressions("'step = :zero',", "'step = :zero', '#ttl = :ttl',"),
    inExpressions("':one': 1,", "':one': 1, ':ttl': Math.ceil(expiresAtMs / 1000),"),
    inExpressions(
      `    ConditionExpression: [
      A1_VACANT_OR_EXPIRED,`,
      `    ...{ ExpressionAttributeNames: { '#ttl': 'ttl' } },
    ConditionExpression: [
      A1_VACANT_OR_EXPIRED,`,
    ),
  ]),
  // Rate() schedules of different candidates produce different ticks in one period.
  bug(['S4'], 'ticks not floored to the period', [
    inTick('periodMs === undefined ? instantMs : Math.floor(instantMs / periodMs) * periodMs', 'instantMs'),
  ]),
]
