// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of an acquire: rules A1 to A6, the answer, the clock. */
import { type Bug, bug, editsIn } from '../bug.ts'

const inRules = editsIn('functions/election/rules.ts')
const inRefusal = editsIn('functions/election/refusal.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inAcquire = editsIn('functions/election/acquire.ts')
const inNotWon = editsIn('functions/election/not-won.ts')
const inWithLease = editsIn('functions/election/with-lease.ts')
const inMiddleware = editsIn('functions/election/middleware.ts')
const inClock = editsIn('functions/election/clock.ts')
const inClockSkew = editsIn('functions/election/clock-skew.ts')
const inTick = editsIn('functions/election/tick.ts')

export const acquireBugs: readonly Bug[] = [
  bug(['S1'], 'A1 does not look at the expiry of a held lease', [
    inRules('record?.holder === undefined || record.expiresAtMs <= nowMs - maxClockSkewMs, // A1', 'true,'),
    inExpressions('<= :expiredBefore)', '<= :expiredBefore OR expiresAtMs > :expiredBefore)'),
  ]),
  bug(['S1'], 'A1 without the clock budget', [
    inRules('nowMs - maxClockSkewMs, // A1', 'nowMs,'),
    inExpressions("':expiredBefore': nowMs - maxClockSkewMs", "':expiredBefore': nowMs"),
  ]),
  bug(['L1'], 'A1 with the clock budget twice', [
    inRules('nowMs - maxClockSkewMs, // A1', 'nowMs - 2 * maxClockSkewMs,'),
    inExpressions("':expiredBefore': nowMs - maxClockSkewMs", "':expiredBefore': nowMs - 2 * maxClockSkewMs"),
  ]),
  bug(['S4'], 'A2 as equality', [
    inRules('record.completedTick < tick, // A2', 'record.completedTick !== tick,'),
    inExpressions('OR completedTick < :tick)', 'OR completedTick <> :tick)'),
  ]),
  bug(['S4'], 'A2 dropped', [
    inRules('tick === undefined || record?.completedTick === undefined || record.completedTick < tick, // A2', 'true,'),
    inExpressions('< :tick)', '< :tick OR completedTick >= :tick)'),
  ]),
  bug(['S2'], 'A5 dropped', [
    inRules('record?.attempt !== attempt, // A5', 'true,'),
    inExpressions('OR attempt <> :attempt)', 'OR attempt <> :attempt OR attempt = :attempt)'),
  ]),
  bug(['L2'], 'A6 dropped', [
    inRules('record === undefined || record.writtenAtMs <= nowMs + maxClockSkewMs, // A6', 'true,'),
    inExpressions('<= :writtenBefore)', '<= :writtenBefore OR writtenAtMs > :writtenBefore)'),
  ]),
  bug(['S2', 'S3'], 'token not raised by an acquire', [
    inRules('(record?.fencingToken ?? request.nowMs) + 1', 'record?.fencingToken ?? request.nowMs'),
    inExpressions(':now) + :one', ':now) + :zero'),
    inExpressions("':one': 1,", ''),
  ]),
  bug(['S2'], 'tokens begin with one', [
    inRules('(record?.fencingToken ?? request.nowMs) + 1', '(record?.fencingToken ?? 0) + 1'),
    inExpressions(':now) + :one', ':zero) + :one'),
  ]),
  bug(['S1', 'L3'], 'own win recognised without the attempt', [
    inRefusal('holder === request.candidate && record.attempt === request.attempt', 'holder === request.candidate'),
  ]),
  bug(['L3'], 'own win not recognised', [
    inRefusal('holder === request.candidate && record.attempt === request.attempt', 'false'),
  ]),
  bug(['S1', 'S2'], "the event's request id as attempt", [
    inAcquire("attempt: builtin('node:crypto').randomUUID(),", 'attempt: settings.eventId ?? crypto.randomUUID(),'),
  ]),
  bug(['L3'], 'stands by while an earlier try of the event holds the lease', [
    inRefusal('request.eventId !== undefined && record.eventId === request.eventId', 'false'),
  ]),
  bug(['S1'], 'deadline counted from the reply', [
    inAcquire(
      'return new LeaseHandle({ ...settings, record: won, askedAt, occurrences, latestExpiryMs })',
      `const expiresAtMs = clock.wallMs() + (won.expiresAtMs - askedAt.wallMs)
    const record = { ...won, expiresAtMs }
    return new LeaseHandle({ ...settings, record, askedAt: instantOf(clock), occurrences, latestExpiryMs })`,
    ),
  ]),
  bug(['S1'], 'an answer after the deadline is believed', [
    inNotWon('remainingMs() === 0', 'remainingMs() < 0'),
    inWithLease('lease.assertHeld() // the answer may have come late, or the caller given up meanwhile', ''),
    inMiddleware('lease.assertHeld() // the answer may have come late: then middy calls onError', ''),
  ]),
  bug([], 'a wrong clock is ignored', [inAcquire('skew?.error ?? lateAnswer', 'lateAnswer')]),
  bug([], 'the time of an answer on its way counted as clock error', [
    inClock('aheadAtLeast = sentAtMs -', 'aheadAtLeast = receivedAtMs -'),
  ]),
  bug(['L3'], 'held reported as superseded', [
    inRefusal("if (heldTick === tick) return { kind: 'standby', reason: 'held', ...by }", ''),
  ]),
  bug(['L2'], 'given back with the time of a wrong clock', [
    inAcquire(
      'nowMs: Math.min(endOf(askedAt, clock), serverMs)',
      'nowMs: serverMs < 0 ? serverMs : endOf(askedAt, clock)',
    ),
  ]),
  bug(['L2'], "given back with the end of the second of DynamoDB's Date", [
    inClockSkew('dateMs + Math.min(999, Math.floor(maxClockSkewMs / 2))', 'dateMs + 999'),
  ]),
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
  bug(['S4'], 'ticks not floored to the period', [
    inTick('periodMs === undefined ? instantMs : Math.floor(instantMs / periodMs) * periodMs', 'instantMs'),
  ]),
]
