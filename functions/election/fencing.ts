import { createHash } from 'node:crypto'
import { InvalidOptionError } from './errors.ts'

/**
 * The weakest and cheapest protection, and the one that works across Regions: a protected row carries, per lease, the
 * highest token that wrote it. It orders writes. It does not protect a read made before a stale write landed: read with
 * `claim`, or put a condition on what was read. A deleted row forgets its token: keep a marker row where that matters. A Put
 * replaces the whole row, the tokens of other leases too: where several leases write the same row, use Update.
 */
export function fenceAttribute(lease: string): string {
  return `fencingToken:${lease}`
}

const NAME = '#tenureFence'
const VALUE = ':tenureFence'

/**
 * The Put, Update or Delete input with the token's condition added: absent, or no newer than mine. Put and Update also
 * store the token. The input itself is not changed.
 *
 * @throws InvalidOptionError where the input uses the reserved placeholders #tenureFence or :tenureFence
 */
export function fence<Input extends Fenceable>(input: Input, lease: string, fencingToken: number): Input {
  for (const legacy of ['AttributeUpdates', 'Expected', 'ConditionalOperator']) {
    if (legacy in input) {
      throw new InvalidOptionError(
        `A fenced write cannot have ${legacy}: use UpdateExpression and ConditionExpression.`,
      )
    }
  }
  if (NAME in (input.ExpressionAttributeNames ?? {}) || VALUE in (input.ExpressionAttributeValues ?? {})) {
    throw new InvalidOptionError(
      `The placeholders ${NAME} and ${VALUE} belong to the fence: is this input fenced already?`,
    )
  }
  const unseen = `(attribute_not_exists(${NAME}) OR ${NAME} <= ${VALUE})`
  const fenced = {
    ...input,
    ConditionExpression:
      input.ConditionExpression === undefined ? unseen : `(${input.ConditionExpression}) AND ${unseen}`,
    ExpressionAttributeNames: { ...input.ExpressionAttributeNames, [NAME]: fenceAttribute(lease) },
    ExpressionAttributeValues: { ...input.ExpressionAttributeValues, [VALUE]: fencingToken },
  }
  if ('Item' in fenced) return { ...fenced, Item: { ...fenced.Item, [fenceAttribute(lease)]: fencingToken } }
  if ('UpdateExpression' in fenced) return { ...fenced, UpdateExpression: withSet(fenced.UpdateExpression ?? '') }
  return fenced
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
function withSet(updateExpression: string): string {
  const assignment = `${NAME} = ${VALUE}`
  const clause = /(^|[\s,)])SET\s/i
  if (!clause.test(updateExpression)) return `${updateExpression} SET ${assignment}`.trim()
  return updateExpression.replace(clause, (keyword) => `${keyword}${assignment}, `)
}

/** The highest token that a row has seen, in the form in which either client returns it. */
export function seenToken(row: unknown, lease: string): number | undefined {
  if (typeof row !== 'object' || row === null) return undefined
  const value: unknown = Object.entries(row).find(([name]) => name === fenceAttribute(lease))?.[1]
  if (typeof value === 'number') return value
  if (typeof value === 'object' && value !== null && 'N' in value) return Number(value.N)
  return undefined
}

/** Items of a document client are of any type: a key made of `undefined` would be the same for every customer. */
function isUnitPart(part: unknown): boolean {
  return typeof part === 'string' ? part !== '' && part.isWellFormed() : Number.isFinite(part)
}

/** The longest key that Stripe takes: https://docs.stripe.com/api/idempotent_requests */
const LONGEST_KEY = 255

/**
 * A key of idempotency for a third party, which cannot check our token: made of the business unit alone (what, whom, which
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
