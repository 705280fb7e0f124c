// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of what protects other rows and third parties. */
import { type Bug, bug, editsIn } from '../bug.ts'

const inFencing = editsIn('functions/election/fencing.ts')
const inFencedWrites = editsIn('functions/election/fenced-writes.ts')
const inDynamodb = editsIn('functions/election/stores/dynamodb.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inLedger = editsIn('functions/billing/ledger.ts')

export const effectBugs: readonly Bug[] = [
  bug(
    'no condition in the fence',
    'the write of a replaced leader overwrites that of its successor',
    ['S3', 'S6'],
    inFencing('F1', '<= :tenureFence)', '<= :tenureFence OR #tenureFence > :tenureFence)'),
  ),
  bug(
    'the fence does not remember the token',
    'the first write of a successor leaves no token to compare an older one with',
    ['S3', 'S6'],
    inFencing(
      'fence',
      "['#tenureFence = :tenureFence', ...(isNumbered ? ['#tenureStep = :tenureStamp'] : [])]",
      "isNumbered ? ['#tenureStep = :tenureStamp'] : ['#tenureFence = :tenureFence']",
    ),
  ),
  bug(
    'no step in the fence',
    "a late copy of a leader's older write overwrites its newer one",
    ['S6'],
    inFencing(
      'F2',
      '(#tenureStep.settled < :tenureStep AND #tenureStep.step <> :tenureStep)',
      '#tenureStep.settled < :tenureStep OR #tenureStep.settled >= :tenureStep',
    ),
    inFencing('fenceAdmits', '(seen.settled < step && seen.step !== step) // F2', 'true'),
  ),
  bug(
    'the fence lets the same write through twice',
    'the second try of a write whose reply was lost is applied again',
    ['S6'],
    inFencing('F2', ' AND #tenureStep.step <> :tenureStep)', ')'),
    inFencing('fenceAdmits', 'seen.settled < step && seen.step !== step) // F2', 'seen.settled < step)'),
  ),
  bug(
    'own effect not recognised',
    'a write that was applied at its first try is reported as refused at the second',
    ['S6'],
    inFencing(
      'explainRefusedWrite',
      "if (seen.step === step) return 'mine'",
      "if (seen.step === step) return 'absent'",
    ),
  ),
  bug(
    'the step of an older leader taken for its own',
    'a write that was refused is reported as written',
    ['S6'],
    inFencing('F2', '#tenureStep.fencingToken < :tenureFence OR ', ''),
    inFencing('readSeen', "numberOf(stamp?.['fencingToken']) === fencingToken", 'true'),
  ),
  bug(
    'a write under way counts as answered',
    'of two concurrent writes the one that arrives last is refused',
    ['S6'],
    inFencedWrites(
      'FencedWrites.#sendNow',
      'const settled = Math.min(lowest(unkeyed), isKeyed ? step : lowest(keyed), step) - 1',
      'const settled = step - 1 + Math.min(0, lowest(unkeyed), isKeyed ? 0 : lowest(keyed))',
    ),
  ),
  bug(
    'no write counts as answered',
    "late copies of the leader's older writes undo its newer ones",
    ['S6'],
    inFencedWrites('FencedWrites.#sendNow', 'isKeyed ? step : lowest(keyed), step) - 1', 'isKeyed ? step : 1, 1) - 1'),
  ),
  bug(
    'concurrent writes to one row',
    'the row remembers only the last of them: a copy of another is applied again',
    ['S6'],
    inFencedWrites('FencedWrites.send', '{ turns: new Turns(1), writes: 0 }', '{ turns: new Turns(9), writes: 0 }'),
  ),
  bug(
    'a stale write always reported as not applied',
    'its first try may have been applied before the newer leader wrote the row',
    ['S6'],
    inFencedWrites('FencedWrites.#stale', "applied: unanswered ? 'unknown' : 'no',", "applied: 'no',"),
  ),
  bug(
    'a new token for each try of a transaction',
    'DynamoDB takes a late first try for another transaction, and applies it again',
    ['S6', 'S5'],
    inDynamodb(
      'DynamoDBLeaseStore.#transact',
      'ClientRequestToken })',
      'ClientRequestToken: ClientRequestToken && crypto.randomUUID() })',
    ),
  ),
  bug(
    'no condition in the guard',
    'a replaced leader writes whole transactions',
    ['S3'],
    inExpressions(
      'guardCondition',
      'return { ConditionExpression: H1_STILL_MINE, ExpressionAttributeValues',
      'return { ConditionExpression: `(${H1_STILL_MINE}) OR attribute_exists(attempt)`, ExpressionAttributeValues',
    ),
  ),
  bug(
    'effects after the completion, in a transaction of their own',
    'a leader that dies between the two has completed a tick whose effects never happen',
    ['S5'],
    inDynamodb(
      'DynamoDBLeaseStore.completeWith',
      `    const completion = { Update: this.#onLeaseRow(request.lease, holderUpdate(request)) }
    return await this.#transact(this.#leases, request.lease, [completion, ...items], token)`,
      `    const reply = await this.write(request)
    const command = new TransactWriteCommand({ TransactItems: [...items], ClientRequestToken: token })
    if (reply.granted) await this.#leases.send(command)
    return reply`,
    ),
  ),
  bug(
    'the token in the idempotency key',
    'each leader uses a key of its own at the gateway, and the subscriber pays twice',
    [],
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
  ),
]
