/**
 * What the sandbox stores: one row per customer and idempotency key.
 *
 * | attribute | type | meaning |
 * |---|---|---|
 * | `customer`, `key` | S | partition and sort key |
 * | `plan`, `period`, `dunned` | S, S, N | the order of the last executed request |
 * | `request` | S | the body of that request; later requests are compared with it |
 * | `sinceMs` | N | when it came; the key expires a window later |
 * | `statusCode`, `body` | N, S | the answer that repetitions get; absent if the request was lost |
 * | `intents` | L | every payment intent ever made under the key; they stay when the key expires |
 */
// @ts-nocheck

import { type DynamoDBClient, PutItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import * as v from 'valibot'
import { isConditionFailed } from '../election/stores/dynamodb-errors.ts'

const [text, number] = [v.string(), v.number()]
/** Money in the currency's minor unit, the currency in lower case, time in epoch seconds. */
const intentSchema = v.object({
  ...{ id: text, status: text, amount: number, currency: text, created: number },
  metadata: v.record(text, text),
})
const rowSchema = v.object({
  ...{ customer: text, key: text, plan: text, period: text, dunned: number, request: text, sinceMs: number },
  ...{ statusCode: v.exactOptional(number), body: v.exactOptional(text) },
  intents: v.pipe(v.array(intentSchema), v.readonly()),
})

export type SandboxIntent = Readonly<v.InferOutput<typeof intentSchema>>
export type SandboxRow = Readonly<v.InferOutput<typeof rowSchema>>

export type SandboxStore = ReturnType<typeof tableStore>

/** The charges in a row of the table. @throws TypeError if it is not a row of the sandbox */
export function chargesOf(row: Readonly<Record<string, unknown>>) {
  const { customer, key, intents } = readRow(row)
  return intents
    .filter(({ status }) => status === 'succeeded')
    .map(({ id, amount, currency, metadata: { plan = '', period = '', dunned = '' } }) => {
      const money = { amountMinor: amount, currency: currency.toUpperCase() }
      return { id, key, customer, plan, period, dunned: Number(dunned), ...money }
    })
}

/** @throws TypeError */
export function readRow(row: unknown): SandboxRow {
  const { success, output, issues } = v.safeParse(rowSchema, row)
  if (success) return output
  throw new TypeError(`The attribute "${v.getDotPath(issues[0])}" of a sandbox row is not what it writes`)
}

export function tableStore(client: DynamoDBClient, TableName: string) {
  return {
    /**
     * Stores a row, unless it has changed since the request was decided: one request to DynamoDB.
     *
     * @param before the row on which it was decided; undefined if there was none
     * @returns undefined if stored; else the row as it is now
     */
    async put(row: SandboxRow, before: SandboxRow | undefined): Promise<SandboxRow | undefined> {
      const command = new PutItemCommand({
        TableName,
        Item: marshall(row, { removeUndefinedValues: true }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        ...unchanged(before),
      })
      try {
        await client.send(command)
        return undefined
      } catch (error) {
        if (!isConditionFailed(error) || error.Item === undefined) throw error
        return readRow(unmarshall(error.Item))
      }
    },

    /** All rows of the customer, including every one stored before the call. */
    async list(customer: string): Promise<readonly SandboxRow[]> {
      const query = {
        TableName,
        // A stale read could miss a charge made a moment ago, and the caller would charge again.
        ConsistentRead: true,
        KeyConditionExpression: 'customer = :customer',
        ExpressionAttributeValues: marshall({ ':customer': customer }),
      }
      const rows: SandboxRow[] = []
      for await (const { Items = [] } of paginateQuery({ client }, query)) {
        rows.push(...Items.map((item) => readRow(unmarshall(item))))
      }
      return rows
    },
  }
}

/** Every execution changes one of the two: a key is executed again only if it has no answer, or after it expired. */
function unchanged(before: SandboxRow | undefined) {
  if (before === undefined) return { ConditionExpression: 'attribute_not_exists(sinceMs)' }
  const answer = before.statusCode === undefined ? 'attribute_not_exists' : 'attribute_exists'
  return {
    ConditionExpression: `sinceMs = :beforeMs AND ${answer}(statusCode)`,
    ExpressionAttributeValues: marshall({ ':beforeMs': before.sinceMs }),
  }
}
