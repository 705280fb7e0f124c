import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { type Json, physicalName, resolve, type Stack, TemplateError } from '../../../infra/local/stack/intrinsics.ts'
import { synthesize } from '../../../infra/local/stack/synthesize.ts'
import { createTables, deleteTables } from '../../../infra/local/stack/tables.ts'
import { readStack } from '../../../infra/local/stack/template.ts'
import { localClient } from '../../support/tables.ts'
import { isAlive } from '../fixtures/processes.ts'

const stack = (resources: Stack['resources'] = {}): Stack => ({
  name: 'App-1',
  region: 'eu-central-1',
  account: '000000000000',
  resources: {
    Table: { type: 'AWS::DynamoDB::GlobalTable', properties: {} },
    ApiKey: { type: 'AWS::SecretsManager::Secret', properties: {} },
    Queue: { type: 'AWS::SQS::Queue', properties: {} },
    ...resources,
  },
})

describe('intrinsic functions', () => {
  test.each<[string, Json, unknown]>([
    ['Ref of a table', { Ref: 'Table' }, 'App-1-Table'],
    ['Ref of a secret', { Ref: 'ApiKey' }, 'App-1-ApiKey'],
    ['Ref of a queue', { Ref: 'Queue' }, 'https://sqs.eu-central-1.amazonaws.com/000000000000/App-1-Queue'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    ['Fn::GetAtt', { 'Fn::GetAtt': ['Table', 'Arn'] }, 'arn:aws:dynamodb:eu-central-1:000000000000:table/App-1-Table'],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'Table' }]] }, 'a-App-1-Table'],
    ['AWS::NoValue', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
    ['not an object that has other keys too', { Ref: 'x', b: 1 }, { Ref: 'x', b: 1 }],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve(stack(), 'Here', value)).toEqual(expected)
  })

  test.each<[string, Json, string]>([
    ['an unknown function', { 'Fn::ImportValue': 'x' }, 'Here: Fn::ImportValue cannot be resolved'],
    ['an unknown resource', { Ref: 'Gone' }, 'Here: refers to Gone, which is not in the template'],
    ['a name that every JavaScript object has', { Ref: 'constructor' }, 'Here: refers to constructor, which'],
    ['an unknown attribute', { 'Fn::GetAtt': ['Table', 'StreamArn'] }, 'Here: Fn::GetAtt cannot be resolved'],
    ['a wrong argument', { 'Fn::Join': ['-'] }, 'Here: Fn::Join cannot be resolved'],
  ])('refuses %s, and names the resource', (_, value, message) => {
    expect(() => resolve(stack(), 'Here', value)).toThrow(TemplateError)
    expect(() => resolve(stack(), 'Here', value)).toThrow(message)
  })

  test('a name that the template gives is kept', () => {
    const named = { type: 'AWS::DynamoDB::GlobalTable', properties: { TableName: 'leases' } }
    expect(physicalName(stack({ Named: named }), 'Named')).toBe('leases')
  })
})

const lambda = {
  type: 'AWS::Lambda::Function',
  properties: {
    Code: { S3Key: 'code.zip', S3Bucket: { 'Fn::Sub': 'not resolved, because it is not read' } },
    Handler: 'index.handler',
    Environment: { Variables: { LEASE_TABLE: { Ref: 'Table' }, LEASE_MS: 1500 } },
  },
}
const schedule = (ScheduleExpression: string) => ({
  type: 'AWS::Scheduler::Schedule',
  properties: { ScheduleExpression, Target: { Arn: { 'Fn::GetAtt': ['Lambda', 'Arn'] }, Input: '{}' } },
})
const read = (resources: Stack['resources']) =>
  readStack(stack(resources), (key) => (key === 'code.zip' ? '/code' : undefined))

describe('a stack', () => {
  test("declares a function, with Lambda's defaults for what the template omits", () => {
    expect(read({ Lambda: lambda }).functions).toEqual([
      {
        name: 'App-1-Lambda',
        arn: 'arn:aws:lambda:eu-central-1:000000000000:function:App-1-Lambda',
        directory: '/code',
        handler: 'index.handler',
        environment: { LEASE_TABLE: 'App-1-Table', LEASE_MS: '1500' },
        timeoutMs: 3_000,
        memoryMb: 128,
        retries: 2,
        maxEventAgeMs: 21_600_000,
      },
    ])
  })

  test('declares functions that no schedule fires too, and how asynchronous events are retried', () => {
    const variables = { GATEWAY_FUNCTION: { Ref: 'Sandbox' }, API_KEY: { Ref: 'ApiKey' } }
    const payer = { ...lambda, properties: { ...lambda.properties, Environment: { Variables: variables } } }
    const sandbox = { ...lambda, properties: { ...lambda.properties, Timeout: 20 } }
    const properties = { FunctionName: { Ref: 'Lambda' }, MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 600 }
    const config = { type: 'AWS::Lambda::EventInvokeConfig', properties }
    const S = schedule('rate(1 hour)')
    const { functions, schedules } = read({ Sandbox: sandbox, Lambda: payer, Config: config, S })
    const environment = { GATEWAY_FUNCTION: 'App-1-Sandbox', API_KEY: 'App-1-ApiKey' }
    expect(functions).toMatchObject([
      { name: 'App-1-Sandbox', timeoutMs: 20_000, retries: 2, environment: { LEASE_TABLE: 'App-1-Table' } },
      { name: 'App-1-Lambda', retries: 1, maxEventAgeMs: 600_000, environment },
    ])
    expect(schedules.map(({ targetArn }) => targetArn)).toEqual([functions[1]?.arn])
  })

  test.each([
    ['rate(1 hour)', 3_600_000],
    ['rate(5 minutes)', 300_000],
    ['rate(2 days)', 172_800_000],
  ])('declares a schedule of %s', (expression, periodMs) => {
    expect(read({ Lambda: lambda, S: schedule(expression) }).schedules).toMatchObject([{ periodMs }])
  })

  test.each([
    ['cron(0 * * ? *)', { S: schedule('cron(0 * * * ? *)') }, 'S: only rate(…) schedules run here'],
    ['rate(1 fortnight)', { S: schedule('rate(1 fortnight)') }, 'S: only rate(…) schedules run here'],
    [
      'code that is not an asset',
      { Lambda: { ...lambda, properties: { ...lambda.properties, Code: { ZipFile: 'exports.handler = 1' } } } },
      'Lambda: its code is not a directory',
    ],
    [
      'a property of the wrong type',
      { Lambda: { ...lambda, properties: { ...lambda.properties, Timeout: '3' } } },
      'Lambda: Timeout should be a number',
    ],
  ])('refuses %s', (_, resources, message) => {
    expect(() => read({ Lambda: lambda, ...resources })).toThrow(message)
  })
})

test('the tables of a stack are created with their keys and indexes, and deleted again', async () => {
  const client = localClient(inject('dynamodbEndpoint'))
  onTestFinished(() => client.destroy())
  const keys = (...names: string[]) =>
    names.map((AttributeName, nth) => ({ AttributeName, KeyType: nth === 0 ? 'HASH' : 'RANGE' }))
  const names = ['customer', 'plan', 'dueShard', 'dueAt']
  const AttributeDefinitions = names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' }))
  const Projection = { ProjectionType: 'KEYS_ONLY' }
  const index = { IndexName: 'due', KeySchema: keys('dueShard', 'dueAt'), Projection }
  const KeySchema = keys('customer', 'plan')
  const properties = { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes: [index] }
  const resources = { Subscriptions: { type: 'AWS::DynamoDB::GlobalTable', properties } }
  const { tables } = readStack({ ...stack(), name: `tables-${randomUUID()}`, resources }, () => undefined)
  await createTables(client, tables)
  const describeTable = () => client.send(new DescribeTableCommand({ TableName: tables[0]?.name }))
  expect((await describeTable()).Table).toMatchObject({ KeySchema, GlobalSecondaryIndexes: [index] })
  await deleteTables(client, tables)
  await expect(describeTable()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
})

test('an app that leaves a process behind is synthesized, and that process ends with it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const app = `sleep 60 & echo $! > "$CDK_OUTDIR/pid"; echo '{}' > "$CDK_OUTDIR/manifest.json"`
  await synthesize({ app, root: directory, directory, context: {} })
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
  await expect.poll(() => isAlive(pid)).toBe(false)
})
