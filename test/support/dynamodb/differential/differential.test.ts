import fc from 'fast-check'
import { expect, inject, it } from 'vitest'
import { Double } from './double.ts'
import { ROWS, requests, type SentRequest } from './random/requests.ts'
import { CONDITIONS, SAMPLE_ROW, SAMPLE_VALUES, UPDATES } from './samples.ts'
import { connect } from './wire.ts'

/** Sequences of 10 to 40 requests. For a longer look: DYNAMODB_SEQUENCES=20000 npx vitest run test/support/dynamodb */
const SEQUENCES = Number(process.env['DYNAMODB_SEQUENCES'] ?? 32)
/** For shrinking, too, where there is a difference. */
const LONGEST_MS = 30_000 + SEQUENCES * 500
const SEED = Number(process.env['DYNAMODB_SEED'] ?? 20261121)
/** The sequences of one run go side by side, each with rows of its own. */
const AT_ONCE = 4

it(
  'answers random requests as DynamoDB Local does, and leaves the same rows',
  async () => {
    using local = connect(inject('dynamodbEndpoint'))
    const double = new Double(local.send)
    await double.createTable(ROWS)
    let played = 0

    await fc.assert(
      fc.asyncProperty(fc.array(requests, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (sequences) => {
        await Promise.all(sequences.map((sequence) => playBack(double, sequence, `run${played++}-`)))
        expect(double.differences.splice(0)).toEqual([])
      }),
      { seed: SEED, numRuns: Math.ceil(SEQUENCES / AT_ONCE), interruptAfterTimeLimit: LONGEST_MS },
    )

    // It would hold of a DynamoDB that refuses everything: each outcome must have been seen, and often.
    for (const outcome of OUTCOMES) expect(double.outcomes.get(outcome), outcome).toBeGreaterThan(5)
  },
  LONGEST_MS + 30_000,
)

it('says what DynamoDB Local says of expressions that are wrong', async () => {
  using local = connect(inject('dynamodbEndpoint'))
  const double = new Double(local.send)
  const table = { name: 'samples', partitionKey: 'pk', sortKey: 'sk' }
  await double.createTable(table)
  const Key = { pk: { S: 'p' }, sk: { S: 's' } }
  const said: (readonly [string, readonly [string, string]])[] = []
  const ask = async (expression: string, parameter: string, more: object) => {
    const used = Object.entries(SAMPLE_VALUES).filter(([name]) => new RegExp(`${name}\\b`).test(expression))
    const values = used.length === 0 ? {} : { ExpressionAttributeValues: Object.fromEntries(used) }
    const put = { TableName: table.name, Item: { ...SAMPLE_ROW, ...Key } }
    await double.send('PutItem', put)
    const request = { TableName: table.name, Key, ...more, [parameter]: expression, ...values }
    const [byLocal, bySimulation] = await double.messages(request)
    said.push([expression, [withoutDetails(byLocal), bySimulation]])
  }
  for (const expression of CONDITIONS) await ask(expression, 'ConditionExpression', {})
  for (const expression of UPDATES) await ask(expression, 'UpdateExpression', { ReturnValues: 'ALL_NEW' })

  expect(double.differences).toEqual([])
  expect(said.filter(([, [byLocal, bySimulation]]) => byLocal !== bySimulation)).toEqual([])
  expect(said.filter(([, [byLocal]]) => byLocal !== '').length).toBeGreaterThan(80)
})

const OUTCOMES = [
  'PutItem done',
  'PutItem ConditionalCheckFailedException',
  'PutItem ValidationException',
  'UpdateItem done',
  'UpdateItem ConditionalCheckFailedException',
  'UpdateItem ValidationException',
  'DeleteItem done',
  'DeleteItem ConditionalCheckFailedException',
  'GetItem done',
  'Query done',
  'Query ValidationException',
  'TransactWriteItems done',
  'TransactWriteItems TransactionCanceledException',
  'TransactWriteItems ValidationException',
]

/** Without the surroundings of a syntax error, and without lists of what would have been right. */
function withoutDetails(message: string): string {
  return message.replace(/, (?:near|valid types|typeSet|lower bound operand): .*$/s, '')
}

/** Up to the first difference: what follows it would differ too. */
async function playBack(double: Double, sequence: readonly SentRequest[], prefix: string): Promise<void> {
  for (const { operation, body, hasTies } of sequence) {
    const request: object = JSON.parse(JSON.stringify(body).replaceAll('§', prefix))
    if (operation === 'Query') await double.queryAll(request, hasTies ? 'dueAt' : 'sk')
    if (hasTies) continue
    const { status } = await double.send(operation, request)
    if (status === 200 && operation !== 'Query' && operation !== 'GetItem') {
      for (const partition of ['1', '2']) await double.queryAll(rowsOf(prefix + partition), 'sk')
    }
    if (double.differences.length > 0) return
  }
}

function rowsOf(partition: string): object {
  return {
    TableName: ROWS.name,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: partition } },
  }
}
