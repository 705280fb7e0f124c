// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of an acquire: rules A1 to A6, the answer, the clock. */
import { type Bug, editsIn } from '../bug.ts'

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
  {
    name: 'A1 does not look at the expiry of a held lease',
    why: 'every candidate takes the lease from its holder',
    claims: ['S1'],
    edits: [
      inRules(
        'acquireConditions',
        'record?.holder === undefined || record.expiresAtMs <= nowMs - maxClockSkewMs, // A1',
        'true,',
      ),
      inExpressions('A1_VACANT_OR_EXPIRED', '<= :expiredBefore)', '<= :expiredBefore OR expiresAtMs > :expiredBefore)'),
    ],
  },
  {
    name: 'A1 without the clock budget',
    why: 'the expiry was written by another clock, which may be off by the budget',
    claims: ['S1'],
    edits: [
      inRules('acquireConditions', 'nowMs - maxClockSkewMs, // A1', 'nowMs,'),
      inExpressions('acquireUpdate', "':expiredBefore': nowMs - maxClockSkewMs", "':expiredBefore': nowMs"),
    ],
  },
  {
    name: 'A1 with the clock budget twice',
    why: 'after a crash all candidates wait longer than promised',
    claims: ['L1'],
    edits: [
      inRules('acquireConditions', 'nowMs - maxClockSkewMs, // A1', 'nowMs - 2 * maxClockSkewMs,'),
      inExpressions(
        'acquireUpdate',
        "':expiredBefore': nowMs - maxClockSkewMs",
        "':expiredBefore': nowMs - 2 * maxClockSkewMs",
      ),
    ],
  },
  {
    name: 'A2 as equality',
    why: 'only the tick that was completed last counts as done',
    claims: ['S4'],
    edits: [
      inRules('acquireConditions', 'record.completedTick < tick, // A2', 'record.completedTick !== tick,'),
      inExpressions('A2_TICK_NOT_DONE', 'OR completedTick < :tick)', 'OR completedTick <> :tick)'),
    ],
  },
  {
    name: 'A2 dropped',
    why: 'a fast leader frees the lease before the slow candidates of its tick arrive',
    claims: ['S4'],
    edits: [
      inRules(
        'acquireConditions',
        'tick === undefined || record?.completedTick === undefined || record.completedTick < tick, // A2',
        'true,',
      ),
      inExpressions('A2_TICK_NOT_DONE', '< :tick)', '< :tick OR completedTick >= :tick)'),
    ],
  },
  {
    name: 'A5 dropped',
    why: 'a late copy of a granted request acquires a lease that no candidate uses',
    claims: ['S2'],
    edits: [
      inRules('acquireConditions', 'record?.attempt !== attempt, // A5', 'true,'),
      inExpressions('A5_ATTEMPT_IS_NEW', 'OR attempt <> :attempt)', 'OR attempt <> :attempt OR attempt = :attempt)'),
    ],
  },
  {
    name: 'A6 dropped',
    why: 'a request that the network delayed acquires a lease that no candidate uses',
    claims: ['L2'],
    edits: [
      inRules(
        'acquireConditions',
        'record === undefined || record.writtenAtMs <= nowMs + maxClockSkewMs, // A6',
        'true,',
      ),
      inExpressions('A6_REQUEST_IS_FRESH', '<= :writtenBefore)', '<= :writtenBefore OR writtenAtMs > :writtenBefore)'),
    ],
  },
  {
    name: 'token not raised by an acquire',
    why: 'the fence cannot distinguish a leader from its successor',
    claims: ['S2', 'S3'],
    edits: [
      inRules('acquired', '(record?.fencingToken ?? request.nowMs) + 1', 'record?.fencingToken ?? request.nowMs'),
      inExpressions('acquireUpdate', ':now) + :one', ':now) + :zero'),
      inExpressions('acquireUpdate', "':one': 1,", ''),
    ],
  },
  {
    name: 'tokens begin with one',
    why: 'a row that is created again after a deletion repeats its tokens',
    claims: ['S2'],
    edits: [
      inRules('acquired', '(record?.fencingToken ?? request.nowMs) + 1', '(record?.fencingToken ?? 0) + 1'),
      inExpressions('acquireUpdate', ':now) + :one', ':zero) + :one'),
    ],
  },
  {
    name: 'own win recognised without the attempt',
    why: 'a retry of an event has the same candidate name, and believes that it holds the lease of the earlier try',
    claims: ['S1', 'L3'],
    edits: [
      inRules(
        'explainRefusal',
        'holder === request.candidate && record.attempt === request.attempt',
        'holder === request.candidate',
      ),
    ],
  },
  {
    name: 'own win not recognised',
    why: 'a candidate whose first reply was lost stands by although it holds the lease',
    claims: ['L3'],
    edits: [inRules('explainRefusal', 'holder === request.candidate && record.attempt === request.attempt', 'false')],
  },
  {
    name: "the event's request id as attempt",
    why: "Lambda's retries and duplicates share it, and each believes that it holds the other's lease",
    claims: ['S1', 'S2'],
    edits: [inAcquire('askOnce', 'attempt: crypto.randomUUID(),', 'attempt: settings.eventId ?? crypto.randomUUID(),')],
  },
  {
    name: 'stands by while an earlier try of the event holds the lease',
    why: 'Lambda sees a success and does not retry: the tick of a dead leader is lost',
    claims: ['L3'],
    edits: [inRules('explainRefusal', 'request.eventId !== undefined && record.eventId === request.eventId', 'false')],
  },
  {
    name: 'deadline counted from the reply',
    why: 'the lease seems to last longer by the time that the request took',
    claims: ['S1'],
    edits: [
      inAcquire(
        'askOnce',
        'return new LeaseHandle({ ...settings, record: won, askedAt, latestExpiryMs })',
        `const expiresAtMs = clock.wallMs() + (won.expiresAtMs - askedAt.wallMs)
    const record = { ...won, expiresAtMs }
    return new LeaseHandle({ ...settings, record, askedAt: instantOf(clock), latestExpiryMs })`,
      ),
    ],
  },
  {
    name: 'an answer after the deadline is believed',
    why: 'another candidate may lead by then',
    claims: ['S1'],
    edits: [
      inNotWon('lateAnswer', 'remainingMs() === 0', 'remainingMs() < 0'),
      inWithLease(
        'withLease',
        'lease.assertHeld() // the answer may have come late, or the caller given up meanwhile',
        '',
      ),
      inMiddleware('leaderOnly', 'lease.assertHeld() // the answer may have come late: then middy calls onError', ''),
    ],
  },
  {
    name: 'a wrong clock is ignored',
    why: 'a leader whose clock is far ahead keeps all others out for as long as the clock is wrong',
    claims: [],
    edits: [inAcquire('askOnce', 'skew?.error ?? lateAnswer', 'lateAnswer')],
  },
  {
    name: 'the time of an answer on its way counted as clock error',
    why: 'a candidate with a slow answer takes its clock for wrong and does not run',
    claims: [],
    edits: [inClock('certainOffsetMs', 'aheadAtLeast = sentAtMs -', 'aheadAtLeast = receivedAtMs -')],
  },
  {
    name: 'held reported as superseded',
    why: 'a standby reports that a later tick is done although none is',
    claims: ['L3'],
    edits: [
      inRules(
        'explainRefusal',
        "return { kind: 'standby', reason: 'held', holder, retryAfterMs }",
        "return { kind: 'standby', reason: 'superseded' }",
      ),
    ],
  },
  {
    name: 'given back with the time of a wrong clock',
    why: 'a vacant row written in the future keeps all others out',
    claims: ['L2'],
    edits: [
      inAcquire(
        'giveBack',
        'nowMs: Math.min(endOf(askedAt, clock), serverMs)',
        'nowMs: serverMs < 0 ? serverMs : endOf(askedAt, clock)',
      ),
    ],
  },
  {
    name: "given back with the end of the second of DynamoDB's Date",
    why: 'a candidate whose clock is behind, within the budget, is refused a free lease',
    claims: ['L2'],
    edits: [inClockSkew('serverTimeMs', 'dateMs + Math.min(999, Math.floor(maxClockSkewMs / 2))', 'dateMs + 999')],
  },
  {
    name: 'a time to live on the lease row',
    why: 'DynamoDB deletes the row after its expiry, and with it the completed tick',
    claims: ['S4'],
    edits: [
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
    ],
  },
  {
    name: 'ticks not floored to the period',
    why: 'rate() schedules of different candidates produce different ticks in one period',
    claims: ['S4'],
    edits: [
      inTick(
        'canonicalTick',
        'periodMs === undefined ? instantMs : Math.floor(instantMs / periodMs) * periodMs',
        'instantMs',
      ),
    ],
  },
]
