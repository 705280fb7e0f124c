import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { builtin } from './builtin.ts'
import { InvalidOptionError } from './errors.ts'

/**
 * The fence is the weakest and cheapest protection, and the only one that works across Regions. A protected row has,
 * for each lease, the highest token that wrote it, and that leader's last write. A write to such a row must obey:
 *   F1  the row's token is not higher than mine: a replaced leader's write is refused
 *   F2  under my own token, the row has neither this write, nor one that I sent after this one was answered: a late
 *       copy of my own older write is refused, while writes that I sent in parallel are all applied, in any order
 * A write that the caller sends itself (`lease.fence`, items of a transaction) has no step: only F1 applies to it.
 *
 * The fence orders writes. It does not protect a read made before a stale write landed: read with `claim`, or put a
 * condition on what was read. A deleted row loses its token: keep a marker row if that matters. A Put replaces the
 * whole row, including the tokens of other leases: if several leases write the same row, use Update.
 */
export interface FencedWrite {
  readonly fencingToken: number
  /** Counts the tenure's sends; 0 for a write that the caller sends itself. */
  readonly step: number
  /** All sends of the tenure to this row up to this step had ended before this one was sent. */
  readonly settled: number
}

/** What a protected row shows; `step` and `settled` are absent unless the leader of that token wrote it with `send`. */
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
// The step may be an older leader's, if the newer one wrote without steps: the stamp says whose it is.
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
 * What the row shows about a refused write, an earlier try of which may have been applied.
 * - `stale`: a newer leader wrote the row since
 * - `mine`: the row has this write
 * - `covered`: another write of mine, which was under way at the same time, was applied last
 * - `absent`: the write was not applied, or an unfenced write removed its trace
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
 * The Put, Update or Delete input with the rules as a condition. Put and Update also store token and step in the row.
 * The input is not changed.
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
  const isUpdate = 'UpdateExpression' in input
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
    // A Put replaces the row: even without a step it must refuse copies of writes that were answered before.
    const remembered = { [fenceAttribute(lease)]: fencingToken, [stepAttribute(lease)]: stamp }
    return { ...fenced, Item: { ...fenced.Item, ...remembered } }
  }
  if (!isUpdate) return fenced
  const assignments = ['#tenureFence = :tenureFence', ...(isNumbered ? ['#tenureStep = :tenureStamp'] : [])]
  return { ...fenced, UpdateExpression: withSet(fenced.UpdateExpression ?? '', assignments.join(', ')) }
}

/** An input of a single write or of a transaction. */
export interface Fenceable {
  readonly ConditionExpression?: string | undefined
  readonly ExpressionAttributeNames?: Record<string, string> | undefined
  readonly ExpressionAttributeValues?: Record<string, unknown> | undefined
  readonly Item?: Record<string, unknown> | undefined
  readonly UpdateExpression?: string | undefined
}

/**
 * An update has at most one SET clause. SET is a reserved word, so it is never the name of an attribute:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
 */
function withSet(updateExpression: string, assignments: string): string {
  const clause = /(^|[\s,)])SET(?=[\s#])/i
  if (!clause.test(updateExpression)) return `${updateExpression} SET ${assignments}`.trim()
  return updateExpression.replace(clause, (keyword) => `${keyword} ${assignments},`)
}

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

/** Attributes may have any type: a key made of `undefined` would be the same for every customer. */
function isUnitPart(part: unknown): boolean {
  return typeof part === 'string' ? part !== '' && part.isWellFormed() : Number.isFinite(part)
}

/** Stripe's limit: https://docs.stripe.com/api/idempotent_requests */
const LONGEST_KEY = 255

/**
 * An idempotency key for a third party, which cannot check our token. It is made of the business unit alone (what,
 * whom, which period, which dunning), so that every leader and every attempt sends the same key. Parts are separated
 * whatever they contain; a key longer than 255 characters is replaced by its SHA-256.
 * @throws InvalidOptionError without parts, or with an empty one
 */
export function idempotencyKey(unit: readonly (string | number)[]): string {
  if (unit.length === 0 || !unit.every(isUnitPart)) {
    const given = unit.map((part) => (isUnitPart(part) ? typeof part : String(part).slice(0, 60)))
    throw new InvalidOptionError(
      "idempotencyKey needs the business unit, like ('charge', customer, period): texts that are not empty " +
        `and finite numbers. But it got (${given.join(', ')}).`,
    )
  }
  const key = unit.map((part) => encodeURIComponent(part)).join(':')
  return key.length <= LONGEST_KEY ? key : builtin('node:crypto').hash('sha256', key)
}
