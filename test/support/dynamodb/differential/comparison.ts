/** Whether the simulated DynamoDB and DynamoDB Local gave the same answer. */
import type { Answer } from '../database.ts'
import { canonicalNumber } from '../decimal.ts'
import { isObject } from '../values.ts'

/**
 * An answer without what may differ: the wording of messages, the order within sets, what a request cost, and whether a full
 * page tells that it is the last.
 */
export function comparable({ status, body }: Answer): unknown {
  return { status, body: plain(body) }
}

const SETS = ['SS', 'NS', 'BS']
const LEFT_OUT = ['message', 'Message', 'ConsumedCapacity', 'LastEvaluatedKey']

export function comparableItem(item: unknown): unknown {
  return plain(item)
}

function plain(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(plain)
  if (!isObject(json)) return json
  const fields = Object.entries(json).filter(([name]) => !LEFT_OUT.includes(name))
  return Object.fromEntries(fields.map(([name, value]) => [name, plainField(name, value)]))
}

function plainField(name: string, value: unknown): unknown {
  if (name === '__type') return String(value).replace(/^.*#/, '')
  if (name === 'N' && typeof value === 'string') return canonicalNumber(value) // Local's sums within maps may be 3.0
  return SETS.includes(name) && Array.isArray(value) ? value.toSorted() : plain(value)
}

export function messageOf({ body }: Answer): string {
  const { message, Message = '' }: Record<string, unknown> = { ...body }
  return String(message ?? Message)
}

export function typeOfError({ body }: Answer): string {
  const { __type = '' }: Record<string, unknown> = { ...body }
  return String(__type).replace(/^.*#/, '')
}

const ABOUT_THE_ROW =
  /^(?:The document path provided in the update|The provided expression refers to an attribute|An operand in the update)/

/**
 * Where DynamoDB Local (1.25) is known not to do as the service does, and this DynamoDB does as the service. Beside these
 * Local stores an update that gives an index's key another type, leaves numbers within maps and lists as they were spelled,
 * fails with an internal error where nothing is updated and UPDATED_NEW is asked for, and reads { "S": 1 } as a text.
 */
export function isKnownDifference(local: Answer, simulated: Answer): boolean {
  const said = messageOf(simulated)
  if (local.status === 200) return false
  switch (typeOfError(simulated)) {
    // What an update does not find in its row cancels a transaction, and its reason says so. Local refuses the request.
    case 'TransactionCanceledException':
      return said.includes('ValidationError') && ABOUT_THE_ROW.test(messageOf(local))
    // The form of a transaction is looked at before its rows. Local looks at the conditions first.
    case 'ValidationException':
      return said === 'Transaction request cannot include multiple operations on one item'
    default:
      return false
  }
}
