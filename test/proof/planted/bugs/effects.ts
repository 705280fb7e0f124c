// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of what protects other rows and third parties. */
import { type Bug, editsIn } from '../bug.ts'

const inFencing = editsIn('functions/election/fencing.ts')
const inFencedWrites = editsIn('functions/election/fenced-writes.ts')
const inDynamodb = editsIn('functions/election/stores/dynamodb.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inLedger = editsIn('functions/billing/ledger.ts')

export const effectBugs: readonly Bug[] = [
  {
    name: 'no condition in the fence',
    why: 'the write of a replaced leader overwrites that of its successor',
    claims: ['S3', 'S6'],
    edits: [inFencing('F1', '<= :tenureFence)', '<= :tenureFence OR #tenureFence > :tenureFence)')],
  },
  {
    name: 'the fence does not remember the token',
    why: 'the first write of a successor leaves no token to compare an older one with',
    claims: ['S3', 'S6'],
    edits: [
      inFencing(
        'fence',
        "['#tenureFence = :tenureFence', ...(isNumbered ? ['#tenureStep = :tenureStamp'] : [])]",
        "isNumbered ? ['#tenureStep = :tenureStamp'] : ['#tenureFence = :tenureFence']",
      ),
    ],
  },
  {
    name: 'no step in the fence',
    why: "a late copy of a leader's older write overwrites its newer one",
    claims: ['S6'],
    edits: [
      inFencing(
        'F2',
        '(#tenureStep.settled < :tenureStep AND #tenureStep.step <> :tenureStep)',
        '#tenureStep.settled < :tenureStep OR #tenureStep.settled >= :tenureStep',
      ),
      inFencing('fenceAdmits', '(seen.settled < step && seen.step !== step) // F2', 'true'),
    ],
  },
  {
    name: 'the fence lets the same write through twice',
    why: 'the second try of a write whose reply was lost is applied again',
    claims: ['S6'],
    edits: [
      inFencing('F2', ' AND #tenureStep.step <> :tenureStep)', ')'),
      inFencing('fenceAdmits', 'seen.settled < step && seen.step !== step) // F2', 'seen.settled < step)'),
    ],
  },
  {
    name: 'own effect not recognised',
    why: 'a write that was applied at its first try is reported as refused at the second',
    claims: ['S6'],
    edits: [
      inFencing(
        'explainRefusedWrite',
        "if (seen.step === step) return 'mine'",
        "if (seen.step === step) return 'absent'",
      ),
    ],
  },
  {
    name: 'the step of an older leader taken for its own',
    why: 'a write that was refused is reported as written',
    claims: ['S6'],
    edits: [
      inFencing('F2', '#tenureStep.fencingToken < :tenureFence OR ', ''),
      inFencing('readSeen', "numberOf(stamp?.['fencingToken']) === fencingToken", 'true'),
    ],
  },
  {
    name: 'a write under way counts as answered',
    why: 'of two concurrent writes the one that arrives last is refused',
    claims: ['S6'],
    edits: [
      inFencedWrites(
        'FencedWrites.#sendNow',
        'const settled = Math.min(lowest(unkeyed), isKeyed ? step : lowest(keyed), step) - 1',
        'const settled = step - 1 + Math.min(0, lowest(unkeyed), isKeyed ? 0 : lowest(keyed))',
      ),
    ],
  },
  {
    name: 'no write counts as answered',
    why: "late copies of the leader's older writes undo its newer ones",
    claims: ['S6'],
    edits: [
      inFencedWrites(
        'FencedWrites.#sendNow',
        'isKeyed ? step : lowest(keyed), step) - 1',
        'isKeyed ? step : 1, 1) - 1',
      ),
    ],
  },
  {
    name: 'concurrent writes to one row',
    why: 'the row remembers only the last of them: a copy of another is applied again',
    claims: ['S6'],
    edits: [
      inFencedWrites('FencedWrites.send', '{ turns: new Turns(1), writes: 0 }', '{ turns: new Turns(9), writes: 0 }'),
    ],
  },
  {
    name: 'a stale write always reported as not applied',
    why: 'its first try may have been applied before the newer leader wrote the row',
    claims: ['S6'],
    edits: [inFencedWrites('FencedWrites.#stale', "applied: unanswered ? 'unknown' : 'no',", "applied: 'no',")],
  },
  {
    name: 'a new token for each try of a transaction',
    why: 'DynamoDB takes a late first try for another transaction, and applies it again',
    claims: ['S6', 'S5'],
    edits: [
      inDynamodb(
        'DynamoDBLeaseStore.#transact',
        'ClientRequestToken })',
        'ClientRequestToken: ClientRequestToken && crypto.randomUUID() })',
      ),
    ],
  },
  {
    name: 'no condition in the guard',
    why: 'a replaced leader writes whole transactions',
    claims: ['S3'],
    edits: [
      inExpressions(
        'guardCondition',
        'return { ConditionExpression: H1_STILL_MINE, ExpressionAttributeValues',
        'return { ConditionExpression: `(${H1_STILL_MINE}) OR attribute_exists(attempt)`, ExpressionAttributeValues',
      ),
    ],
  },
  {
    name: 'effects after the completion, in a transaction of their own',
    why: 'a leader that dies between the two has completed a tick whose effects never happen',
    claims: ['S5'],
    edits: [
      inDynamodb(
        'DynamoDBLeaseStore.completeWith',
        `    const completion = { Update: this.#onLeaseRow(request.lease, holderUpdate(request)) }
    return await this.#transact(this.#leases, request.lease, [completion, ...items], token)`,
        `    const reply = await this.write(request)
    const command = new TransactWriteCommand({ TransactItems: [...items], ClientRequestToken: token })
    if (reply.granted) await this.#leases.send(command)
    return reply`,
      ),
    ],
  },
  {
    name: 'the token in the idempotency key',
    why: 'each leader uses a key of its own at the gateway, and the subscriber pays twice',
    claims: [],
    edits: [
      inLedger(
        'chargesTable',
        "lease.idempotencyKey('charge', customer,",
        "lease.idempotencyKey('charge', lease.fencingToken, customer,",
      ),
      inLedger(
        'chargesTable',
        'return readCharge(row ?? {}, order, lease.fencingToken)',
        'return readCharge({ ...row, key }, order, lease.fencingToken)',
      ),
    ],
  },
]
