// @ts-nocheck
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code is quoted as it is
/** Bugs of what protects other rows and third parties. */
import { type Bug, bug, editsIn } from '../bug.ts'

const inFencing = editsIn('functions/election/fencing.ts')
const inFencedWrites = editsIn('functions/election/fenced-writes.ts')
const inDynamodb = editsIn('functions/election/stores/dynamodb.ts')
const inExpressions = editsIn('functions/election/stores/expressions.ts')
const inSdk = editsIn('functions/election/stores/sdk.ts')
const inLedger = editsIn('functions/billing/ledger.ts')

export const effectBugs: readonly Bug[] = [
  bug(['S3', 'S6'], 'no condition in the fence', [
    inFencing('<= :tenureFence)', '<= :tenureFence OR #tenureFence > :tenureFence)'),
  ]),
  bug(['S3', 'S6'], 'the fence does not remember the token', [
    inFencing(
      "['#tenureFence = :tenureFence', ...(isNumbered ? ['#tenureStep = :tenureStamp'] : [])]",
      "isNumbered ? ['#tenureStep = :tenureStamp'] : ['#tenureFence = :tenureFence']",
    ),
  ]),
  bug(['S6'], 'no step in the fence', [
    inFencing(
      '(#tenureStep.settled < :tenureStep AND #tenureStep.step <> :tenureStep)',
      '#tenureStep.settled < :tenureStep OR #tenureStep.settled >= :tenureStep',
    ),
    inFencing('(seen.settled < step && seen.step !== step) // F2', 'true'),
  ]),
  bug(['S6'], 'the fence lets the same write through twice', [
    inFencing(' AND #tenureStep.step <> :tenureStep)', ')'),
    inFencing('seen.settled < step && seen.step !== step) // F2', 'seen.settled < step)'),
  ]),
  bug(['S6'], 'own effect not recognised', [
    inFencing("if (seen.step === step) return 'mine'", "if (seen.step === step) return 'absent'"),
  ]),
  bug(['S6'], 'the step of an older leader taken for its own', [
    inFencing('#tenureStep.fencingToken < :tenureFence OR ', ''),
    inFencing("numberOf(stamp?.['fencingToken']) === fencingToken", 'true'),
  ]),
  bug(['S6'], 'a write under way counts as answered', [
    inFencedWrites(
      'const settled = Math.min(lowest(unkeyed), isKeyed ? step : lowest(keyed), step) - 1',
      'const settled = step - 1 + Math.min(0, lowest(unkeyed), isKeyed ? 0 : lowest(keyed))',
    ),
  ]),
  bug(['S6'], 'no write counts as answered', [
    inFencedWrites('isKeyed ? step : lowest(keyed), step) - 1', 'isKeyed ? step : 1, 1) - 1'),
  ]),
  bug(['S6'], 'concurrent writes to one row', [inFencedWrites('?? new Turns(1)', '?? new Turns(9)')]),
  bug(['S6'], 'a stale write always reported as not applied', [
    inFencedWrites("applied: unanswered ? 'unknown' : 'no',", "applied: 'no',"),
  ]),
  bug(['S6', 'S5'], 'a new token for each try of a transaction', [
    inSdk('ClientRequestToken })', 'ClientRequestToken: ClientRequestToken && crypto.randomUUID() })'),
  ]),
  bug(['S3'], 'no condition in the guard', [
    inExpressions(
      'return { ConditionExpression: H1_STILL_MINE, ExpressionAttributeValues',
      'return { ConditionExpression: `(${H1_STILL_MINE}) OR attribute_exists(attempt)`, ExpressionAttributeValues',
    ),
  ]),
  bug(['S5'], 'effects after the completion, in a transaction of their own', [
    inDynamodb(
      `    const completion = { Update: this.#onLeaseRow(request.lease, holderUpdate(request)) }
    return await this.#transact(request.lease, [completion, ...items], token, true)`,
      `    const reply = await this.write(request)
    if (reply.granted) await this.#sdk?.transact([...items], token, new Wire(this.#clock), true)
    return reply`,
    ),
  ]),
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
