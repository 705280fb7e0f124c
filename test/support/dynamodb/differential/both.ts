/** Sends each request to DynamoDB Local and to the simulated DynamoDB, and compares their answers. */
import { isDeepStrictEqual } from 'node:util'
import type { Answer } from '../../../../functions/election/testing/dynamodb/answer.ts'
import { SimulatedDynamoDB } from '../../../../functions/election/testing/dynamodb/database.ts'
import { canonicalNumber, isObject } from '../../../../functions/election/testing/dynamodb/values.ts'
import type { Send } from '../wire.ts'

export interface Difference {
  readonly operation: string
  readonly body: object
  readonly local: unknown
  readonly simulated: unknown
}

export class Both {
  readonly differences: Difference[] = []
  /** How often each operation had each outcome, like `UpdateItem ConditionalCheckFailedException`. */
  readonly outcomes = new Map<string, number>()
  readonly #simulated = new SimulatedDynamoDB()
  readonly #local: Send

  constructor(local: Send) {
    this.#local = local
  }

  /** Returns DynamoDB Local's answer. Send requests for the same rows one at a time. */
  async send(operation: string, body: object): Promise<Answer> {
    const local = await this.#local(operation, body)
    const simulated = this.#simulated.execute(operation, body)
    if (operation === 'CreateTable') return local
    const outcome = `${operation} ${local.status === 200 ? 'done' : typeOf(local)}`
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    const difference = { operation, body, local: comparable(local), simulated: comparable(simulated) }
    const isSame = isDeepStrictEqual(difference.local, difference.simulated) || isKnownDifference(local, simulated)
    if (!isSame) this.differences.push(difference)
    return local
  }
}

/**
 * An update that does not find what it needs in its row cancels a transaction of the service. DynamoDB Local (1.25)
 * refuses the request as invalid.
 */
function isKnownDifference(local: Answer, simulated: Answer): boolean {
  return typeOf(local) === 'ValidationException' && JSON.stringify(simulated.body).includes('"Code":"ValidationError"')
}

/** An answer without the wording of messages, the order in sets and among equal keys, and what a request cost. */
function comparable({ status, body }: Answer): unknown {
  const { Items, ...rest }: Record<string, unknown> = { ...body }
  const items = Array.isArray(Items) ? Items.map((item) => JSON.stringify(plain(item))).toSorted() : []
  return { status, items, rest: plain(rest) }
}

const SETS = ['SS', 'NS', 'BS']
const IGNORED = ['message', 'Message', 'ConsumedCapacity']

function plain(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(plain)
  if (!isObject(json)) return json
  const names = Object.keys(json)
    .filter((name) => !IGNORED.includes(name))
    .sort()
  return Object.fromEntries(names.map((name) => [name, plainField(name, json[name])]))
}

function plainField(name: string, value: unknown): unknown {
  if (name === '__type') return String(value).replace(/^.*#/, '')
  if (name === 'N' && typeof value === 'string') return canonicalNumber(value) // Local leaves those in maps as sent
  return SETS.includes(name) && Array.isArray(value) ? value.toSorted() : plain(value)
}

function typeOf({ body }: Answer): string {
  const { __type = '' }: Record<string, unknown> = { ...body }
  return String(__type).replace(/^.*#/, '')
}
