/** Sends random requests to DynamoDB Local and to the simulated DynamoDB, and compares their answers. */
// @ts-nocheck

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, inject, it } from 'vitest'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { SimulatedDynamoDB } from '../../../functions/election/testing/dynamodb/database.ts'
import { canonicalNumber, isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import { CREATE_TABLE, sequenceOf, TableName } from './random.ts'
import { sendTo } from './wire.ts'

/** Of 10 to 40 requests each. */
const SEQUENCES = 32
/** With the time for shrinking. */
const LONGEST_MS = 46_000

const OUTCOMES = [
  ...['PutItem done', 'PutItem ConditionalCheckFailedException', 'UpdateItem done', 'DeleteItem done', 'Query done'],
  ...['UpdateItem ConditionalCheckFailedException', 'UpdateItem ValidationException'],
  ...['TransactWriteItems done', 'TransactWriteItems TransactionCanceledException'],
]

it(
  'answers random requests as DynamoDB Local does, and leaves the same rows',
  async () => {
    const send = sendTo(inject('dynamodbEndpoint'))
    const simulated = new SimulatedDynamoDB()
    for (const create of [send, simulated.execute.bind(simulated)]) await create('CreateTable', CREATE_TABLE)
    const outcomes = new Map<string, number>()
    let played = 0

    /** @throws at the first difference: what follows would differ too */
    const compare = async (operation: string, body: object) => {
      const [local, mine] = [await send(operation, body), simulated.execute(operation, body)]
      const outcome = `${operation} ${local.status === 200 ? 'done' : typeOf(local)}`
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (isDeepStrictEqual(comparable(local), comparable(mine)) || isKnownDifference(local, mine)) return
      expect({ operation, body, answer: comparable(mine) }).toEqual({ operation, body, answer: comparable(local) })
    }
    const play = async (g: fc.GeneratorValue) => {
      const run = `run${played++}-`
      for (const { operation, body } of sequenceOf(g, run)) {
        await compare(operation, body)
        for (const partition of ['1', '2']) {
          const ExpressionAttributeValues = { ':pk': { S: run + partition } }
          const query = { TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues }
          if (operation !== 'Query') await compare('Query', { ...query, ConsistentRead: true })
        }
      }
    }

    const limits = { seed: 20261121, numRuns: SEQUENCES, interruptAfterTimeLimit: LONGEST_MS }
    await fc.assert(fc.asyncProperty(fc.gen(), play), limits)
    // A DynamoDB that refuses everything would pass, so each outcome must be frequent.
    for (const outcome of OUTCOMES) expect(outcomes.get(outcome), outcome).toBeGreaterThan(5)
  },
  LONGEST_MS + 30_000,
)

/**
 * An update that does not find what it needs in its row cancels a transaction of the service. DynamoDB Local (1.25)
 * refuses the request as invalid.
 */
function isKnownDifference(local: Answer, simulated: Answer): boolean {
  return typeOf(local) === 'ValidationException' && JSON.stringify(simulated.body).includes('"Code":"ValidationError"')
}

function typeOf({ body }: Answer): string {
  return String(Reflect.get(body, '__type')).replace(/^.*#/, '')
}

/** An answer without the wording of messages, the order in sets and among equal keys, and what a request cost. */
function comparable({ status, body }: Answer): unknown {
  const { Items, ...rest }: Record<string, unknown> = { ...body }
  const items = Array.isArray(Items) ? Items.map((item) => JSON.stringify(plain(item))).toSorted() : []
  return { status, items, rest: plain(rest) }
}

function plain(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(plain)
  if (!isObject(json)) return json
  const names = Object.keys(json).filter((name) => !['message', 'Message', 'ConsumedCapacity'].includes(name))
  return Object.fromEntries(names.toSorted().map((name) => [name, plainField(name, json[name])]))
}

function plainField(name: string, value: unknown): unknown {
  if (name === '__type') return String(value).replace(/^.*#/, '')
  if (name === 'N' && typeof value === 'string') return canonicalNumber(value) // Local leaves those in maps as sent
  return ['SS', 'NS', 'BS'].includes(name) && Array.isArray(value) ? value.toSorted() : plain(value)
}
