// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code that is looked for is quoted as it is
/** Bugs of what protects other rows and third parties. */
import type { Bug } from '../bug.ts'

const EXPRESSIONS = 'functions/election/stores/expressions.ts'
const FENCING = 'functions/election/fencing.ts'
const WRITES = 'functions/election/fenced-writes.ts'
const STORE = 'functions/election/stores/dynamodb.ts'

export const effectBugs: readonly Bug[] = [
  {
    name: 'no condition in the fence',
    why: 'the write of a replaced leader lands on top of its successor’s',
    claims: ['S3'],
    edits: [
      {
        file: FENCING,
        find: 'OR #tenureFence <= :tenureFence)',
        replace: 'OR #tenureFence <= :tenureFence OR #tenureFence > :tenureFence)',
      },
    ],
  },
  {
    name: 'the fence does not remember the token',
    why: 'the first write of a successor leaves nothing that an older one could be compared with',
    claims: ['S3'],
    edits: [
      {
        file: FENCING,
        find: "['#tenureFence = :tenureFence', ...(isNumbered ? ['#tenureStep = :tenureStamp'] : [])]",
        replace: "isNumbered ? ['#tenureStep = :tenureStamp'] : ['#tenureFence = :tenureFence']",
      },
    ],
  },
  {
    name: 'no step in the fence',
    why: "a late copy of a leader's own older write lands on top of its newer one",
    claims: ['S6'],
    edits: [
      {
        file: FENCING,
        find: '(#tenureStep.settled < :tenureStep AND #tenureStep.step <> :tenureStep)',
        replace: '#tenureStep.settled < :tenureStep OR #tenureStep.settled >= :tenureStep',
      },
      { file: FENCING, find: '(seen.settled < step && seen.step !== step) // F2', replace: 'true' },
    ],
  },
  {
    name: 'the fence lets the same write through twice',
    why: 'the second try of a write whose reply was lost is applied again',
    claims: ['S6'],
    edits: [
      { file: FENCING, find: ' AND #tenureStep.step <> :tenureStep)', replace: ')' },
      { file: FENCING, find: 'seen.settled < step && seen.step !== step) // F2', replace: 'seen.settled < step)' },
    ],
  },
  {
    name: 'own effect not recognised',
    why: 'a write that landed at its first try is reported as refused at the second',
    claims: ['S6'],
    edits: [
      {
        file: FENCING,
        find: "if (seen.step === step) return 'mine'",
        replace: "if (seen.step === step) return 'absent'",
      },
    ],
  },
  {
    name: 'the step of an older leader taken for one’s own',
    why: 'a write that was refused is reported as written',
    claims: ['S6'],
    edits: [
      { file: FENCING, find: '#tenureStep.fencingToken < :tenureFence OR ', replace: '' },
      { file: FENCING, find: "numberOf(stamp?.['fencingToken']) === fencingToken", replace: 'true' },
    ],
  },
  {
    name: 'a write under way counts as answered',
    why: 'of two writes side by side the one that arrives last is refused',
    claims: ['S6'],
    edits: [
      {
        file: WRITES,
        find: 'const settled = Math.min(lowest(unkeyed), isKeyed ? step : lowest(keyed), step) - 1',
        replace: 'const settled = step - 1 + Math.min(0, lowest(unkeyed), isKeyed ? 0 : lowest(keyed))',
      },
    ],
  },
  {
    name: 'no write counts as ended',
    why: 'late copies of the leader’s own older writes undo its newer ones',
    claims: ['S6'],
    edits: [{ file: WRITES, find: 'isKeyed ? step : lowest(keyed), step) - 1', replace: 'isKeyed ? step : 1, 1) - 1' }],
  },
  {
    name: 'writes to one row side by side',
    why: 'the row remembers the last of them alone: a copy of another is applied again',
    claims: ['S6'],
    edits: [
      { file: WRITES, find: '{ turns: new Turns(1), writes: 0 }', replace: '{ turns: new Turns(9), writes: 0 }' },
    ],
  },
  {
    name: 'stale, and certainly not written',
    why: 'the first try may have been written before the newer leader wrote the row',
    claims: ['S6'],
    edits: [{ file: WRITES, find: "applied: unanswered ? 'unknown' : 'no',", replace: "applied: 'no'," }],
  },
  {
    name: 'a new token for each try of a transaction',
    why: 'the first try arrives after the third was applied, and DynamoDB takes it for another',
    claims: ['S6', 'S5'],
    edits: [
      {
        file: STORE,
        find: 'new TransactWriteCommand({ TransactItems: items, ClientRequestToken })',
        replace:
          'new TransactWriteCommand({ TransactItems: items, ClientRequestToken: crypto.randomUUID() || ClientRequestToken })',
      },
    ],
  },
  {
    name: 'no condition in the guard',
    why: 'a replaced leader writes whole transactions',
    claims: ['S3'],
    edits: [
      {
        file: EXPRESSIONS,
        find: 'return { ConditionExpression: H1_STILL_MINE, ExpressionAttributeValues',
        replace:
          'return { ConditionExpression: `(${H1_STILL_MINE}) OR attribute_exists(attempt)`, ExpressionAttributeValues',
      },
    ],
  },
  {
    name: 'effects behind the completion, in a transaction of their own',
    why: 'a leader that dies between the two has completed a tick whose effects never happen',
    claims: ['S5'],
    edits: [
      {
        file: STORE,
        find: `    const completion = { Update: this.#onLeaseRow(request.lease, holderUpdate(request)) }
    return await this.#transact(this.#leases, request.lease, [completion, ...items], token)`,
        replace: `    const reply = await this.write(request)
    const command = new TransactWriteCommand({ TransactItems: [...items], ClientRequestToken: token })
    if (reply.granted) await this.#leases.send(command)
    return reply`,
      },
    ],
  },
  {
    name: 'the token in the key of idempotency',
    why: 'every leader asks the gateway under a key of its own, and the subscriber pays twice',
    claims: [],
    edits: [
      {
        file: 'functions/billing/ledger.ts',
        find: "lease.idempotencyKey('charge', customer,",
        replace: "lease.idempotencyKey('charge', lease.fencingToken, customer,",
      },
      {
        file: 'functions/billing/ledger.ts',
        find: 'return readCharge(row ?? {}, order, lease.fencingToken)',
        replace: 'return readCharge({ ...row, key }, order, lease.fencingToken)',
      },
    ],
  },
]
