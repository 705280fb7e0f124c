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
  bug(
    'A1 does not look at the expiry of a held lease',
    'every candidate takes the lease from its holder',
    ['S1'],
    inRules(
      'acquireConditions',
      'record?.holder === undefined || record.expiresAtMs <= nowMs - maxClockSkewMs, // A1',
      'true,',
    ),
    inExpressions('A1_VACANT_OR_EXPIRED', '<= :expiredBefore)', '<= :expiredBefore OR expiresAtMs > :expiredBefore)'),
  ),
  bug(
    'A1 without the clock budget',
    'the expiry was written by another clock, which may be off by the budget',
    ['S1'],
    inRules('acquireConditions', 'nowMs - maxClockSkewMs, // A1', 'nowMs,'),
    inExpressions('acquireUpdate', "':expiredBefore': nowMs - maxClockSkewMs", "':expiredBefore': nowMs"),
  ),
  bug(
    'A1 with the clock budget twice',
    'after a crash all candidates wait longer than promised',
    ['L1'],
    inRules('acquireConditions', 'nowMs - maxClockSkewMs, // A1', 'nowMs - 2 * maxClockSkewMs,'),
    inExpressions(
      'acquireUpdate',
      "':expiredBefore': nowMs - maxClockSkewMs",
      "':expiredBefore': nowMs - 2 * maxClockSkewMs",
    ),
  ),
  bug(
    'A2 as equality',
    'only the tick that was completed last counts as done',
    ['S4'],
    inRules('acquireConditions', 'record.completedTick < tick, // A2', 'record.completedTick !== tick,'),
    inExpressions('A2_TICK_NOT_DONE', 'OR completedTick < :tick)', 'OR completedTick <> :tick)'),
  ),
  bug(
    'A2 dropped',
    'a fast leader frees the lease before the slow candidates of its tick arrive',
    ['S4'],
    inRules(
      'acquireConditions',
      'tick === undefined || record?.completedTick === undefined || record.completedTick < tick, // A2',
      'true,',
    ),
    inExpressions('A2_TICK_NOT_DONE', '< :tick)', '< :tick OR completedTick >= :tick)'),
  ),
  bug(
    'A5 dropped',
    'a late copy of a granted request acquires a lease that no candidate uses',
    ['S2'],
    inRules('acquireConditions', 'record?.attempt !== attempt, // A5', 'true,'),
    inExpressions('A5_ATTEMPT_IS_NEW', 'OR attempt <> :attempt)', 'OR attempt <> :attempt OR attempt = :attempt)'),
  ),
  bug(
    'A6 dropped',
    'a request that the network delayed acquires a lease that no candidate uses',
    ['L2'],
    inRules(
      'acquireConditions',
      'record === undefined || record.writtenAtMs <= nowMs + maxClockSkewMs, // A6',
      'true,',
    ),
    inExpressions('A6_REQUEST_IS_FRESH', '<= :writtenBefore)', '<= :writtenBefore OR writtenAtMs > :writtenBefore)'),
  ),
  bug(
    'token not raised by an acquire',
    'the fence cannot distinguish a leader from its successor',
    ['S2', 'S3'],
    inRules('acquired', '(record?.fencingToken ?? request.nowMs) + 1', 'record?.fencingToken ?? request.nowMs'),
    inExpressions('acquireUpdate', ':now) + :one', ':now) + :zero'),
    inExpressions('acquireUpdate', "':one': 1,", ''),
  ),
  bug(
    'tokens begin with one',
    'a row that is created again after a deletion repeats its tokens',
    ['S2'],
    inRules('acquired', '(record?.fencingToken ?? request.nowMs) + 1', '(record?.fencingToken ?? 0) + 1'),
    inExpressions('acquireUpdate', ':now) + :one', ':zero) + :one'),
  ),
  bug(
    'own win recognised without the attempt',
    'a retry of an event has the same candidate name, and believes that it holds the lease of the earlier try',
    ['S1', 'L3'],
    inRules(
      'explainRefusal',
      'holder === request.candidate && record.attempt === request.attempt',
      'holder === request.candidate',
    ),
  ),
  bug(
    'own win not recognised',
    'a candidate whose first reply was lost stands by although it holds the lease',
    ['L3'],
    inRules('explainRefusal', 'holder === request.candidate && record.attempt === request.attempt', 'false'),
  ),
  bug(
    "the event's request id as attempt",
    "Lambda's retries and duplicates share it, and each believes that it holds the other's lease",
    ['S1', 'S2'],
    inAcquire('askOnce', 'attempt: crypto.randomUUID(),', 'attempt: settings.eventId ?? crypto.randomUUID(),'),
  ),
  bug(
    'stands by while an earlier try of the event holds the lease',
    'Lambda sees a success and does not retry: the tick of a dead leader is lost',
    ['L3'],
    inRules('explainRefusal', 'request.eventId !== undefined && record.eventId === request.eventId', 'false'),
  ),
  bug(
    'deadline counted from the reply',
    'the lease seems to last longer by the time that the request took',
    ['S1'],
    inAcquire(
      'askOnce',
      'return new LeaseHandle({ ...settings, record: won, askedAt, latestExpiryMs })',
      `const expiresAtMs = clock.wallMs() + (won.expiresAtMs - askedAt.wallMs)
    const record = { ...won, expiresAtMs }
    return new LeaseHandle({ ...settings, record, askedAt: instantOf(clock), latestExpiryMs })`,
    ),
  ),
  bug(
    'an answer after the deadline is believed',
    'another candidate may lead by then',
    ['S1'],
    inNotWon('lateAnswer', 'remainingMs() === 0', 'remainingMs() < 0'),
    inWithLease(
      'withLease',
      'lease.assertHeld() // the answer may have come late, or the caller given up meanwhile',
      '',
    ),
    inMiddleware('leaderOnly', 'lease.assertHeld() // the answer may have come late: then middy calls onError', ''),
  ),
  bug(
    'a wrong clock is ignored',
    'a leader whose clock is far ahead keeps all others out for as long as the clock is wrong',
    [],
    inAcquire('askOnce', 'skew?.error ?? lateAnswer', 'lateAnswer'),
  ),
  bug(
    'the time of an answer on its way counted as clock error',
    'a candidate with a slow answer takes its clock for wrong and does not run',
    [],
    inClock('certainOffsetMs', 'aheadAtLeast = sentAtMs -', 'aheadAtLeast = receivedAtMs -'),
  ),
  bug(
    'held reported as superseded',
    'a standby reports that a later tick is done although none is',
    ['L3'],
    inRules(
      'explainRefusal',
      "return { kind: 'standby', reason: 'held', holder, retryAfterMs }",
      "return { kind: 'standby', reason: 'superseded' }",
    ),
  ),
  bug(
    'given back with the time of a wrong clock',
    'a vacant row written in the future keeps all others out',
    ['L2'],
    inAcquire(
      'giveBack',
      'nowMs: Math.min(endOf(askedAt, clock), serverMs)',
      'nowMs: serverMs < 0 ? serverMs : endOf(askedAt, clock)',
    ),
  ),
  bug(
    "given back with the end of the second of DynamoDB's Date",
    'a candidate whose clock is behind, within the budget, is refused a free lease',
    ['L2'],
    inClockSkew('serverTimeMs', 'dateMs + Math.min(999, Math.floor(maxClockSkewMs / 2))', 'dateMs + 999'),
  ),
  bug(
    'a time to live on the lease row',
    'DynamoDB deletes the row after its expiry, and with it the completed tick',
    ['S4'],
    inExpressions('acquireUpdate', "'step = :zero',", "'step = :zero', '#ttl = :ttl',"),
    inExpressions('acquireUpdate', "':one': 1,", "':one': 1, ':ttl': Math.ceil(expiresAtMs / 1000),"),
    inExpressions(
      'acquireUpdate',
      `    ConditionExpression: [
      A1_VACANT_OR_EXPIRED,`,
      `    ...{ ExpressionAttributeNames: { '#ttl': 'ttl' } },
    ConditionExpression: [
      A1_VACANT_OR_EXPIRED,`,
    ),
  ),
  bug(
    'ticks not floored to the period',
    'rate() schedules of different candidates produce different ticks in one period',
    ['S4'],
    inTick(
      'canonicalTick',
      'periodMs === undefined ? instantMs : Math.floor(instantMs / periodMs) * periodMs',
      'instantMs',
    ),
  ),
]
