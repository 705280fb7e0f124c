/** DynamoDB Local and the simulated DynamoDB side by side: each request goes to both, and their answers are compared. */
import { inspect, isDeepStrictEqual } from 'node:util'
import { type Answer, SimulatedDynamoDB, type TableSchema } from '../database.ts'
import { requestOf } from '../request.ts'
import { comparable, comparableItem, isKnownDifference, messageOf, typeOfError } from './comparison.ts'
import { createTableRequest, schemaOf } from './create-table.ts'
import type { Send } from './wire.ts'

export interface Difference {
  readonly operation: string
  readonly body: object
  readonly local: unknown
  readonly simulated: unknown
}

export class Double {
  readonly differences: Difference[] = []
  /** How often each operation had each outcome, like `UpdateItem ConditionalCheckFailedException`. */
  readonly outcomes = new Map<string, number>()
  readonly #simulated = new SimulatedDynamoDB()
  readonly #local: Send

  constructor(local: Send) {
    this.#local = local
  }

  async createTable(schema: TableSchema): Promise<void> {
    const { status, body } = await this.send('CreateTable', createTableRequest(schema))
    if (status !== 200) throw new Error(`DynamoDB Local could not create the table: ${JSON.stringify(body)}`)
  }

  /** Sends an update, and gives what both say is wrong with it, or two empty texts. */
  async messages(body: object): Promise<readonly [local: string, simulated: string]> {
    const { local, simulated } = await this.#sendBoth('UpdateItem', body)
    return [messageOf(local), messageOf(simulated)]
  }

  /** Gives Local's answer. Requests for the same rows must come one at a time, or the two may apply them in another order. */
  async send(operation: string, body: object): Promise<Answer> {
    if (operation !== 'CreateTable') return (await this.#sendBoth(operation, body)).local
    const created = await this.#local(operation, body)
    if (created.status === 200) this.#simulated.createTable(schemaOf(body))
    return created
  }

  async #sendBoth(operation: string, body: object): Promise<{ readonly local: Answer; readonly simulated: Answer }> {
    const local = await this.#local(operation, body)
    const simulated = this.#simulated.execute(operation, body)
    const outcome = `${operation} ${local.status === 200 ? 'done' : typeOfError(local)}`
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    if (!isKnownDifference(local, simulated)) {
      this.#compare({ operation, body, local: comparable(local), simulated: comparable(simulated) })
    }
    return { local, simulated }
  }

  /**
   * All pages of a query from both, whose last may be empty in one of them alone. Rows that are equal by the keys of an index
   * come in no order that is promised; `sortKey` is what they must be in the order of.
   */
  async queryAll(body: object, sortKey: string): Promise<void> {
    const local = await allPages((page) => this.#local('Query', page), body)
    const simulated = await allPages(async (page) => this.#simulated.execute('Query', page), body)
    this.#compare({ operation: 'Query', body, local: found(local, sortKey), simulated: found(simulated, sortKey) })
  }

  #compare(difference: Difference): void {
    if (!isDeepStrictEqual(difference.local, difference.simulated)) this.differences.push(difference)
  }
}

const ON_ONE_LINE = { sorted: true, depth: null, breakLength: Number.POSITIVE_INFINITY, compact: true } as const

function found({ items, error }: Pages, sortKey: string): unknown {
  return {
    error,
    order: items.map((item) => inspect(requestOf(item)[sortKey])),
    items: items.map((item) => inspect(comparableItem(item), ON_ONE_LINE)).toSorted(),
  }
}

interface Pages {
  readonly items: readonly unknown[]
  readonly error: string
}

async function allPages(send: (page: object) => Promise<Answer>, query: object): Promise<Pages> {
  const items: unknown[] = []
  let next: object = {}
  for (;;) {
    const answer = await send({ ...query, ...next })
    const { Items, LastEvaluatedKey }: Record<string, unknown> = { ...answer.body }
    if (!Array.isArray(Items)) return { items, error: typeOfError(answer) }
    items.push(...Items)
    if (LastEvaluatedKey === undefined) return { items, error: '' }
    next = { ExclusiveStartKey: LastEvaluatedKey }
  }
}
