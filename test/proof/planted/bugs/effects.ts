// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of what protects other rows and third parties. */
import { type Bug, bug, editsIn } from '../bug.ts'

const inFencing = editsIn('functions/election/fencing.ts')
const inFencedWrites = editsIn('functions/election/fenced-writes.ts')
const inDynamodb = editsIn('functions/election/stores/dynamodb.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inLedger = editsIn('functions/billing/ledger.ts')

export const effectBugs: readonly Bug[] = [
  // The write of a replaced leader overwrites that of its successor.
  bug(['S3', 'S6'], 'no condition in the fence', [
    inFencing('<= :tenureFence)', '<= :tenureFence OR #tenureFence > :tenureFence)'),
  ]),
  // The first write of a successor leaves no token to compare an older one with.
  bug(['S3', 'S6'], 'the fence does not remember the token', [
    inFencing(
      "['#tenureFence = :tenureFence', ...(isNumbered ? ['#tenureStep = :tenureStamp'] : [])]",
      "isNumbered ? ['#tenureStep = :tenureStamp'] : ['#tenureFence = :tenureFence']",
    ),
  ]),
  // A late copy of a leader's older write overwrites its newer one.
  bug(['S6'], 'no step in the fence', [
    inFencing(
      '(#tenureStep.settled < :tenureStep AND #tenureStep.step <> :tenureStep)',
      '#tenureStep.settled < :tenureStep OR #tenureStep.settled >= :tenureStep',
    ),
    inFencing('(seen.settled < step && seen.step !== step) // F2', 'true'),
  ]),
  // The second try of a write whose reply was lost is applied again.
  bug(['S6'], 'the fence lets the same write through twice', [
    inFencing(' AND #tenureStep.step <> :tenureStep)', ')'),
    inFencing('seen.settled < step && seen.step !== step) // F2', 'seen.settled < step)'),
  ]),
  // A write that was applied at its first try is reported as refused at the second.
  bug(['S6'], 'own effect not recognised', [
    inFencing("if (seen.step === step) return 'mine'", "if (seen.step === step) return 'absent'"),
  ]),
  // A write that was refused is reported as written.
  bug(['S6'], 'the step of an older leader taken for its own', [
    inFencing('#tenureStep.fencingToken < :tenureFence OR ', ''),
    inFencing("numberOf(stamp?.['fencingToken']) === fencingToken", 'true'),
  ]),
  // Of two concurrent writes the one that arrives last is refused.
  bug(['S6'], 'a write under way counts as answered', [
    inFencedWrites(
      'const settled = Math.min(lowest(unkeyed), isKeyed ? step : lowest(keyed), step) - 1',
      'const settled = step - 1 + Math.min(0, lowest(unkeyed), isKeyed ? 0 : lowest(keyed))',
    ),
  ]),
  // Late copies of the leader's older writes undo its newer ones.
  bug(['S6'], 'no write counts as answered', [
    inFencedWrites('isKeyed ? step : lowest(keyed), step) - 1', 'isKeyed ? step : 1, 1) - 1'),
  ]),
  // The row remembers only the last of them: a copy of another is applied again.
  bug(['S6'], 'concurrent writes to one row', [
    inFencedWrites('{ turns: new Turns(1), writes: 0 }', '{ turns: new Turns(9), writes: 0 }'),
  ]),
  // Its first try may have been applied before the newer leader wrote the row.
  bug(['S6'], 'a stale write always reported as not applied', [
    inFencedWrites("applied: unanswered ? 'unknown' : 'no',", "applied: 'no',"),
  ]),
  // DynamoDB takes a late first try for another transaction, and applies it again.
  bug(['S6', 'S5'], 'a new token for each try of a transaction', [
    inDynamodb('ClientRequestToken })', 'ClientRequestToken: ClientRequestToken && crypto.randomUUID() })'),
  ]),
  // A replaced leader writes whole transactions.
  bug(['S3'], 'no condition in the guard', [
    inExpressions(
      'return { ConditionExpression: H1_STILL_MINE, ExpressionAttributeValues',
      'return { ConditionExpression: `(${H1_STILL_MINE}) OR attribute_exists(attempt)`, ExpressionAttributeValues',
    ),
  ]),
  // A leader that dies between the two has completed a tick whose effects never happen.
  bug(['S5'], 'effects after the completion, in a transaction of their own', [
    inDynamodb(
      `    const completion = { Update: this.#onLeaseRow(request.lease, holderUpdate(request)) }
    return await this.#transact(this.#paths.leases, request.lease, [completion, ...items], token)`,
      `    const reply = await this.write(request)
    const command = new TransactWriteCommand({ TransactItems: [...items], ClientRequestToken: token })
    if (reply.granted) await this.#paths.leases.send(command)
    return reply`,
    ),
  ]),
  // Each leader uses a key of its own at the gateway, and the subscriber pays twice.
  bug([], 'the token in the idempotency key', [
    inLedger(
      "lease.idempotencyKey('charge', customer,",
      "lease.idempotencyKey('charge', lease.fencingToken, customer,",
    ),
    inLedger(
      'return readCharge(row ?? {}, order, lease.fencingToken)',
      'return readCharge({ ...row, key }, order, lease.fencingToken)',
    ),
  ]),
]
