// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code that is looked for is quoted as it is
/** Bugs of asking for the lease: rules A1 to A6, the answer, the clock. */
import type { Bug } from '../bug.ts'

const RULES = 'functions/election/rules.ts'
const EXPRESSIONS = 'functions/election/stores/expressions.ts'
const ACQUIRE = 'functions/election/acquire.ts'
const NOT_WON = 'functions/election/not-won.ts'

export const acquireBugs: readonly Bug[] = [
  {
    name: 'A1 does not look at the expiry of a held lease',
    why: 'every asker takes the lease from whoever has it',
    claims: ['S1'],
    edits: [
      {
        file: RULES,
        find: 'record?.holder === undefined || record.expiresAtMs <= nowMs - maxClockSkewMs, // A1',
        replace: 'true,',
      },
      {
        file: EXPRESSIONS,
        find: 'OR expiresAtMs <= :expiredBefore)',
        replace: 'OR expiresAtMs <= :expiredBefore OR expiresAtMs > :expiredBefore)',
      },
    ],
  },
  {
    name: 'A1 without the clock budget',
    why: 'an expiry that another clock wrote is believed to the millisecond',
    claims: ['S1'],
    edits: [
      {
        file: RULES,
        find: 'record.expiresAtMs <= nowMs - maxClockSkewMs, // A1',
        replace: 'record.expiresAtMs <= nowMs,',
      },
      { file: EXPRESSIONS, find: "':expiredBefore': nowMs - maxClockSkewMs,", replace: "':expiredBefore': nowMs," },
    ],
  },
  {
    name: 'A1 with the clock budget twice',
    why: 'after a crash everybody waits for longer than is promised',
    claims: ['L1'],
    edits: [
      {
        file: RULES,
        find: 'record.expiresAtMs <= nowMs - maxClockSkewMs, // A1',
        replace: 'record.expiresAtMs <= nowMs - 2 * maxClockSkewMs,',
      },
      {
        file: EXPRESSIONS,
        find: "':expiredBefore': nowMs - maxClockSkewMs,",
        replace: "':expiredBefore': nowMs - 2 * maxClockSkewMs,",
      },
    ],
  },
  {
    name: 'A2 as equality',
    why: 'only the very tick that was completed last counts as done',
    claims: ['S4'],
    edits: [
      { file: RULES, find: 'record.completedTick < tick, // A2', replace: 'record.completedTick !== tick,' },
      { file: EXPRESSIONS, find: 'OR completedTick < :tick)', replace: 'OR completedTick <> :tick)' },
    ],
  },
  {
    name: 'A2 dropped',
    why: 'a fast leader frees the lease before slow racers of its tick arrive',
    claims: ['S4'],
    edits: [
      {
        file: RULES,
        find: 'tick === undefined || record?.completedTick === undefined || record.completedTick < tick, // A2',
        replace: 'true,',
      },
      {
        file: EXPRESSIONS,
        find: 'OR completedTick < :tick)',
        replace: 'OR completedTick < :tick OR completedTick >= :tick)',
      },
    ],
  },
  {
    name: 'A5 dropped',
    why: 'a second copy of a granted request, late, acquires for nobody',
    claims: ['S2'],
    edits: [
      { file: RULES, find: 'record?.attempt !== attempt, // A5', replace: 'true,' },
      { file: EXPRESSIONS, find: 'OR attempt <> :attempt)', replace: 'OR attempt <> :attempt OR attempt = :attempt)' },
    ],
  },
  {
    name: 'A6 dropped',
    why: 'a request that the network delayed acquires for nobody',
    claims: ['L2'],
    edits: [
      {
        file: RULES,
        find: 'record === undefined || record.writtenAtMs <= nowMs + maxClockSkewMs, // A6',
        replace: 'true,',
      },
      {
        file: EXPRESSIONS,
        find: 'OR writtenAtMs <= :writtenBefore)',
        replace: 'OR writtenAtMs <= :writtenBefore OR writtenAtMs > :writtenBefore)',
      },
    ],
  },
  {
    name: 'token not raised by an acquire',
    why: 'the fence cannot tell a leader from its successor',
    claims: ['S2', 'S3'],
    edits: [
      {
        file: RULES,
        find: '(record?.fencingToken ?? request.nowMs) + 1,',
        replace: 'record?.fencingToken ?? request.nowMs,',
      },
      {
        file: EXPRESSIONS,
        find: 'if_not_exists(fencingToken, :now) + :one',
        replace: 'if_not_exists(fencingToken, :now) + :zero',
      },
      { file: EXPRESSIONS, find: "':one': 1,", replace: '' },
    ],
  },
  {
    name: 'tokens begin with one',
    why: 'a row that somebody deleted gives its tokens again',
    claims: ['S2'],
    edits: [
      {
        file: RULES,
        find: '(record?.fencingToken ?? request.nowMs) + 1,',
        replace: '(record?.fencingToken ?? 0) + 1,',
      },
      {
        file: EXPRESSIONS,
        find: 'if_not_exists(fencingToken, :now) + :one',
        replace: 'if_not_exists(fencingToken, :zero) + :one',
      },
    ],
  },
  {
    name: 'own win recognised without the attempt',
    why: 'a retry of the same event has the same name, and takes the lease of its predecessor for its own',
    claims: ['S1', 'L3'],
    edits: [
      {
        file: RULES,
        find: "if (holder === request.candidate && record.attempt === request.attempt) return { kind: 'won', record }",
        replace: "if (holder === request.candidate) return { kind: 'won', record }",
      },
    ],
  },
  {
    name: 'own win not recognised',
    why: 'whose first reply was lost stands by, with the lease in hand',
    claims: ['L3'],
    edits: [
      {
        file: RULES,
        find: "if (holder === request.candidate && record.attempt === request.attempt) return { kind: 'won', record }",
        replace: '',
      },
    ],
  },
  {
    name: "the event's request id as attempt",
    why: "Lambda's retries and duplicates share it, and take each other's leases for their own",
    claims: ['S1', 'S2'],
    edits: [
      {
        file: ACQUIRE,
        find: 'attempt: crypto.randomUUID(),',
        replace: 'attempt: settings.eventId ?? crypto.randomUUID(),',
      },
    ],
  },
  {
    name: 'stands by while an earlier try of the event holds the lease',
    why: 'Lambda is told that all is well, and the tick of a dead leader is lost',
    claims: ['L3'],
    edits: [
      {
        file: RULES,
        find: "if (request.eventId !== undefined && record.eventId === request.eventId) return { kind: 'stillHeld', retryAfterMs }",
        replace: '',
      },
    ],
  },
  {
    name: 'deadline counted from the reply',
    why: 'the time that the request took is counted twice',
    claims: ['S1'],
    edits: [
      {
        file: ACQUIRE,
        find: 'return new LeaseHandle({ ...settings, record: won, askedAt, latestExpiryMs })',
        replace: `const expiresAtMs = clock.wallMs() + (won.expiresAtMs - askedAt.wallMs)
    return new LeaseHandle({ ...settings, record: { ...won, expiresAtMs }, askedAt: instantOf(clock), latestExpiryMs })`,
      },
    ],
  },
  {
    name: 'an answer after the deadline is believed',
    why: 'another may lead by then',
    claims: ['S1'],
    edits: [
      {
        file: NOT_WON,
        find: 'const isOver = new Deadline(clock, askedAt, won.expiresAtMs).remainingMs() === 0',
        replace: 'const isOver = new Deadline(clock, askedAt, won.expiresAtMs).remainingMs() < 0',
      },
      {
        file: 'functions/election/with-lease.ts',
        find: 'lease.assertHeld() // the answer may have come late, or the caller given up meanwhile',
        replace: '',
      },
      {
        file: 'functions/election/middleware.ts',
        find: 'lease.assertHeld() // the answer may have come late: then middy calls onError',
        replace: '',
      },
    ],
  },
  {
    name: 'a wrong clock is ignored',
    why: 'who leads on a clock that is far ahead keeps all others out, for as long as it is wrong',
    claims: [],
    edits: [
      {
        file: ACQUIRE,
        find: 'skew?.error ?? lateAnswer',
        replace: 'lateAnswer',
      },
    ],
  },
  {
    name: 'the way of an answer taken for an error of the clock',
    why: 'whoever is answered slowly is told that its clock is wrong, and does not run',
    claims: [],
    edits: [
      {
        file: 'functions/election/clock.ts',
        find: 'const aheadAtLeast = sentAtMs - (dateMs + 1000)',
        replace: 'const aheadAtLeast = receivedAtMs - (dateMs + 1000)',
      },
    ],
  },
  {
    name: 'held told as superseded',
    why: 'who stands by is told that a later tick is done, where nobody has done any',
    claims: ['L3'],
    edits: [
      {
        file: RULES,
        find: "return { kind: 'standby', reason: 'held', holder, retryAfterMs }",
        replace: "return { kind: 'standby', reason: 'superseded' }",
      },
    ],
  },
  {
    name: 'given back by a wrong clock',
    why: 'a vacant row from the future keeps all others out',
    claims: ['L2'],
    edits: [
      {
        file: ACQUIRE,
        find: 'nowMs: Math.min(endOf(askedAt, clock), serverMs)',
        replace: 'nowMs: serverMs < 0 ? serverMs : endOf(askedAt, clock)',
      },
    ],
  },
  {
    name: "given back under the end of the second of DynamoDB's Date",
    why: 'a candidate that keeps the budget behind true time is refused a lease that is free',
    claims: ['L2'],
    edits: [
      {
        file: 'functions/election/clock-skew.ts',
        find: 'dateMs + Math.min(999, Math.floor(maxClockSkewMs / 2))',
        replace: 'dateMs + 999',
      },
    ],
  },
  {
    name: 'a time to live on the lease row',
    why: 'DynamoDB deletes it after its expiry, and with it which ticks are done',
    claims: ['S4'],
    edits: [
      { file: EXPRESSIONS, find: "'step = :zero',", replace: "'step = :zero', '#ttl = :ttl'," },
      { file: EXPRESSIONS, find: "':one': 1,", replace: "':one': 1, ':ttl': Math.ceil(expiresAtMs / 1000)," },
      {
        file: EXPRESSIONS,
        find: `    ConditionExpression: [
      A1_VACANT_OR_EXPIRED,`,
        replace: `    ...{ ExpressionAttributeNames: { '#ttl': 'ttl' } },
    ConditionExpression: [
      A1_VACANT_OR_EXPIRED,`,
      },
    ],
  },
  {
    name: 'ticks not floored to the period',
    why: 'rate() schedules of different candidates name different ticks in one period',
    claims: ['S4'],
    edits: [
      {
        file: 'functions/election/tick.ts',
        find: 'periodMs === undefined ? instantMs : Math.floor(instantMs / periodMs) * periodMs',
        replace: 'instantMs',
      },
    ],
  },
]
