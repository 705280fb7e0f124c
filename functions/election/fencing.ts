import { createHash } from 'node:crypto'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { InvalidOptionError } from './errors.ts'

/**
 * The fence is the weakest and cheapest protection, and the one that works across Regions. A protected row carries, per
 * lease, the highest token that wrote it, and which write of that leader was the last. Rules for a write to such a row:
 *   F1  the row's token is not higher than mine: a replaced leader's write is refused
 *   F2  under my own token: the row has neither this write already, nor one that I sent after this one was answered: a
 *       late copy of my own older write is refused, while writes that I sent side by side all land, in any order
 * A write that the caller sends itself (`lease.fence`, items of a transaction) has no step, and is held to F1 alone.
 *
 * The fence orders writes. It does not protect a read made before a stale write landed: read with `claim`, or put a
 * condition on what was read. A deleted row forgets its token: keep a marker row if that matters. A Put replaces the whole
 * row, the tokens of other leases too: if several leases write the same row, use Update.
 */
export interface FencedWrite {
  readonly fencingToken: number
  /** Counts the tenure's sends; 0 for a write that the caller sends itself. */
  readonly step: number
  /** All sends of the tenure to this row up to this step were answered before this one was sent, or given up. */
  readonly settled: number
}

/** What a protected row remembers; `step` and `settled` are absent unless the leader of that token wrote it by `send`. */
export interface Seen {
  readonly fencingToken: number | undefined
  readonly step: number | undefined
  readonly settled: number | undefined
}

export function fenceAttribute(lease: string): string {
  return `fencingToken:${lease}`
}

export function stepAttribute(lease: string): string {
  return `fencingStep:${lease}`
}

const RESERVED = ['#tenureFence', '#tenureStep', ':tenureFence', ':tenureStep', ':tenureStamp']

const F1 = '(attribute_not_exists(#tenureFence) OR #tenureFence <= :tenureFence)'
// The step may be an older leader's, while the newer one has only sent writes of its own: it says whose it is.
const F2 =
  '(attribute_not_exists(#tenureStep.fencingToken) OR #tenureStep.fencingToken < :tenureFence OR ' +
  '(#tenureStep.settled < :tenureStep AND #tenureStep.step <> :tenureStep))'

/** F1 and F2, as a condition on the row. */
export function fenceAdmits(seen: Seen, { fencingToken, step }: FencedWrite): boolean {
  if (seen.fencingToken === undefined || seen.fencingToken < fencingToken) return true
  if (seen.fencingToken > fencingToken) return false // F1
  return step === 0 || seen.settled === undefined || (seen.settled < step && seen.step !== step) // F2
}

/**
 * What the row says about a write that DynamoDB refused and of which an earlier try may have been applied:
 * `stale`: a newer leader wrote it since; `mine`: it has this very write; `covered`: another write of mine that was under
 * way at the same time came last; `absent`: it was not applied, or an unfenced write has removed the trace.
 */
export function explainRefusedWrite(
  seen: Seen,
  { fencingToken, step, settled }: FencedWrite,
): 'stale' | 'mine' | 'covered' | 'absent' {
  if (seen.fencingToken === undefined || seen.fencingToken < fencingToken) return 'absent'
  if (seen.fencingToken > fencingToken) return 'stale'
  if (seen.step === step) return 'mine'
  return seen.step === undefined || seen.step === 0 || seen.step > settled ? 'covered' : 'absent'
}

/**
 * The Put, Update or Delete input with the rules added as a condition. Put and Update also store what the row has to
 * remember. The input itself is not changed.
 *
 * @throws InvalidOptionError if the input uses the reserved placeholders, #tenureFence and others that begin like it
 */
export function fence<Input extends Fenceable>(input: Input, lease: string, write: FencedWrite): Input {
  for (const legacy of ['AttributeUpdates', 'Expected', 'ConditionalOperator']) {
    if (legacy in input) {
      throw new InvalidOptionError(
        `A fenced write cannot have ${legacy}: use UpdateExpression and ConditionExpression.`,
      )
    }
  }
  const { ConditionExpression: own, ExpressionAttributeNames: names, ExpressionAttributeValues: values } = input
  if (RESERVED.some((name) => Object.hasOwn({ ...names, ...values }, name))) {
    throw new InvalidOptionError(
      `The placeholders ${RESERVED.join(', ')} belong to the fence: is this input fenced already?`,
    )
  }
  const { fencingToken, step, settled } = write
  const isNumbered = step > 0
  const isUpdate = !('Item' in input) && 'UpdateExpression' in input
  const condition = isNumbered ? `${F1} AND ${F2}` : F1
  const stamp = { fencingToken, step, settled }
  const fenced = {
    ...input,
    ConditionExpression: own === undefined ? condition : `(${own}) AND ${condition}`,
    ExpressionAttributeNames: {
      ...names,
      '#tenureFence': fenceAttribute(lease),
      ...(isNumbered && { '#tenureStep': stepAttribute(lease) }),
    },
    ExpressionAttributeValues: {
      ...values,
      ':tenureFence': fencingToken,
      ...(isNumbered && { ':tenureStep': step }),
      ...(isNumbered && isUpdate && { ':tenureStamp': stamp }),
    },
  }
  if ('Item' in fenced) {
    // A Put replaces the row: without a step of its own it still keeps out what was answered before.
    const remembered = { [fenceAttribute(lease)]: fencingToken, [stepAttribute(lease)]: stamp }
    return { ...fenced, Item: { ...fenced.Item, ...remembered } }
  }
  if (!isUpdate) return fenced
  const assignments = ['#tenureFence = :tenureFence', ...(isNumbered ? ['#tenureStep = :tenureStamp'] : [])]
  return { ...fenced, UpdateExpression: withSet(fenced.UpdateExpression ?? '', assignments.join(', ')) }
}

/** What the inputs of single writes and of transactions have in common. */
export interface Fenceable {
  readonly ConditionExpression?: string | undefined
  readonly ExpressionAttributeNames?: Record<string, string> | undefined
  readonly ExpressionAttributeValues?: Record<string, unknown> | undefined
  readonly Item?: Record<string, unknown> | undefined
  readonly UpdateExpression?: string | undefined
}

/**
 * An update has one SET clause at most. SET is a reserved word of DynamoDB, so that a bare SET is always the clause and
 * never an attribute: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
 */
function withSet(updateExpression: string, assignments: string): string {
  const clause = /(^|[\s,)])SET(?=[\s#])/i
  if (!clause.test(updateExpression)) return `${updateExpression} SET ${assignments}`.trim()
  return updateExpression.replace(clause, (keyword) => `${keyword} ${assignments},`)
}

/** Reads what a row remembers of a lease's leaders, in DynamoDB's own form of values. */
export function readSeen(row: Readonly<Record<string, AttributeValue>> | undefined, lease: string): Seen {
  const of = (name: string) => (row !== undefined && Object.hasOwn(row, name) ? row[name] : undefined)
  const fencingToken = numberOf(of(fenceAttribute(lease)))
  const stamp = of(stepAttribute(lease))?.M
  const isOfToken = numberOf(stamp?.['fencingToken']) === fencingToken
  return {
    fencingToken,
    step: isOfToken ? numberOf(stamp?.['step']) : undefined,
    settled: isOfToken ? numberOf(stamp?.['settled']) : undefined,
  }
}

function numberOf(value: AttributeValue | undefined): number | undefined {
  return value?.N === undefined ? undefined : Number(value.N)
}

/** Items of a document client are of any type: a key made of `undefined` would be the same for every customer. */
function isUnitPart(part: unknown): boolean {
  return typeof part === 'string' ? part !== '' && part.isWellFormed() : Number.isFinite(part)
}

/** The longest key that Stripe takes: https://docs.stripe.com/api/idempotent_requests */
const LONGEST_KEY = 255

/**
 * An idempotency key for a third party, which cannot check our token: made of the business unit alone (what, whom, which
 * period, how often dunned), so that every leader of every attempt asks with the same key. Parts are kept apart whatever
 * they contain; a key over 255 characters is replaced by its SHA-256.
 *
 * @throws InvalidOptionError without parts, or with an empty one
 */
export function idempotencyKey(unit: readonly (string | number)[]): string {
  if (unit.length === 0 || !unit.every(isUnitPart)) {
    throw new InvalidOptionError(
      `idempotencyKey needs the business unit, like ('charge', customer, period): texts that are not empty and finite numbers. But it got (${unit.map((part) => (isUnitPart(part) ? typeof part : String(part).slice(0, 60))).join(', ')}).`,
    )
  }
  const key = unit.map((part) => encodeURIComponent(part)).join(':')
  return key.length <= LONGEST_KEY ? key : createHash('sha256').update(key).digest('hex')
}
