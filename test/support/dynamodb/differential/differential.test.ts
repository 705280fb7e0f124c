import fc from 'fast-check'
import { expect, inject, it } from 'vitest'
import { sendTo } from '../wire.ts'
import { Both } from './both.ts'
import { CREATE_TABLE, requests, type SentRequest, TableName } from './random.ts'

/** Sequences of 10 to 40 requests. For a longer run: DYNAMODB_SEQUENCES=20000 npx vitest run test/support/dynamodb */
const SEQUENCES = Number(process.env['DYNAMODB_SEQUENCES'] ?? 32)
/** With the time for shrinking. */
const LONGEST_MS = 30_000 + SEQUENCES * 500
const SEED = Number(process.env['DYNAMODB_SEED'] ?? 20261121)
/** Sequences of one run go side by side, each with rows of its own. */
const AT_ONCE = 4

const OUTCOMES = [
  'PutItem done',
  'PutItem ConditionalCheckFailedException',
  'UpdateItem done',
  'UpdateItem ConditionalCheckFailedException',
  'UpdateItem ValidationException',
  'DeleteItem done',
  'Query done',
  'TransactWriteItems done',
  'TransactWriteItems TransactionCanceledException',
]

it(
  'answers random requests as DynamoDB Local does, and leaves the same rows',
  async () => {
    const both = new Both(sendTo(inject('dynamodbEndpoint')))
    expect((await both.send('CreateTable', CREATE_TABLE)).status).toBe(200)
    let played = 0
    await fc.assert(
      fc.asyncProperty(fc.array(requests, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (sequences) => {
        await Promise.all(sequences.map((sequence) => play(both, sequence, `run${played++}-`)))
        expect(both.differences.splice(0)).toEqual([])
      }),
      { seed: SEED, numRuns: Math.ceil(SEQUENCES / AT_ONCE), interruptAfterTimeLimit: LONGEST_MS },
    )
    // A DynamoDB that refuses everything would pass, so each outcome must be frequent.
    for (const outcome of OUTCOMES) expect(both.outcomes.get(outcome), outcome).toBeGreaterThan(5)
  },
  LONGEST_MS + 30_000,
)

/** Up to the first difference: what follows would differ too. */
async function play(both: Both, sequence: readonly SentRequest[], prefix: string): Promise<void> {
  for (const { operation, body } of sequence) {
    await both.send(operation, JSON.parse(JSON.stringify(body).replaceAll('§', prefix)))
    for (const partition of ['1', '2']) {
      const ExpressionAttributeValues = { ':pk': { S: prefix + partition } }
      const query = { TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues }
      if (operation !== 'Query') await both.send('Query', { ...query, ConsistentRead: true })
    }
    if (both.differences.length > 0) return
  }
}
