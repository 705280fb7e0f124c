// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of Fn::Sub
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DescribeTableCommand, DescribeTimeToLiveCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import {
  type Json,
  type JsonObject,
  physicalName,
  resolve,
  type Stack,
  TemplateError,
} from '../../../infra/local/stack/intrinsics.ts'
import { synthesize } from '../../../infra/local/stack/synthesize.ts'
import { createTables, deleteTables } from '../../../infra/local/stack/tables.ts'
import { readStack } from '../../../infra/local/stack/template.ts'
import { localClient } from '../../support/tables.ts'
import { isAlive } from '../fixtures/processes.ts'

const stack = (resources: Stack['resources'] = {}): Stack => ({
  name: 'App-1',
  region: 'eu-central-1',
  account: '000000000000',
  parameters: { GatewayUrl: 'http://127.0.0.1:1' },
  resources: {
    Table: { type: 'AWS::DynamoDB::GlobalTable', properties: {} },
    ApiKey: { type: 'AWS::SecretsManager::Secret', properties: {} },
    ...resources,
  },
})

const tableArn = 'arn:aws:dynamodb:eu-central-1:000000000000:table/App-1-Table'

describe('intrinsic functions', () => {
  test.each<[string, Json, unknown]>([
    ['Ref of a parameter', { Ref: 'GatewayUrl' }, 'http://127.0.0.1:1'],
    ['Ref of a resource', { Ref: 'Table' }, 'App-1-Table'],
    ['Ref of a secret', { Ref: 'ApiKey' }, 'App-1-ApiKey'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    ['Fn::GetAtt', { 'Fn::GetAtt': ['Table', 'Arn'] }, tableArn],
    ['Fn::GetAtt as text', { 'Fn::GetAtt': 'Table.Arn' }, tableArn],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'Table' }]] }, 'a-App-1-Table'],
    ['Fn::Sub', { 'Fn::Sub': '${Table.Arn}/${AWS::Region}/${!kept}' }, `${tableArn}/eu-central-1/\${kept}`],
    ['Fn::Sub with variables', { 'Fn::Sub': ['${a}', { a: { Ref: 'Table' } }] }, 'App-1-Table'],
    ['Fn::Select', { 'Fn::Select': [1, ['a', 'b']] }, 'b'],
    ['AWS::NoValue', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
    ['several keys, one of them Ref', { Ref: 'x', b: 1 }, { Ref: 'x', b: 1 }],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve(stack(), 'Here', value)).toEqual(expected)
  })

  test.each<[string, Json, string]>([
    ['a function it does not know', { 'Fn::ImportValue': 'x' }, 'Here: Fn::ImportValue cannot be resolved'],
    ['a resource that is not there', { Ref: 'Gone' }, 'Here: refers to Gone, which the template does not have'],
    ['a name that every JavaScript object has', { Ref: 'constructor' }, 'Here: refers to constructor, which'],
    ['the same inside of a text', { 'Fn::Sub': ['${toString}', {}] }, 'Here: refers to toString, which'],
    [
      'an attribute it does not know',
      { 'Fn::GetAtt': ['Table', 'StreamArn'] },
      'Here: the attribute StreamArn of Table',
    ],
    ['a wrong argument', { 'Fn::Join': ['-'] }, 'Here: Fn::Join cannot be resolved'],
    ['an index outside the list', { 'Fn::Select': [2, ['a', 'b']] }, 'Here: Fn::Select cannot be resolved'],
  ])('names the resource that uses %s', (_, value, message) => {
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
    Code: { S3Key: 'code.zip', S3Bucket: { 'Fn::Sub': '${Unknown}' } },
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
  test('declares a function that no schedule fires, by whose name another one can invoke it', () => {
    const variables = { GATEWAY_FUNCTION: { Ref: 'Sandbox' }, API_KEY: { Ref: 'ApiKey' } }
    const payer = { ...lambda, properties: { ...lambda.properties, Environment: { Variables: variables } } }
    const sandbox = { ...lambda, properties: { ...lambda.properties, Timeout: 20 } }
    const properties = { FunctionName: { Ref: 'Lambda' }, MaximumRetryAttempts: 1 }
    const config = { type: 'AWS::Lambda::EventInvokeConfig', properties }
    const { functions, schedules } = read({
      Sandbox: sandbox,
      Lambda: payer,
      Config: config,
      S: schedule('rate(1 hour)'),
    })
    expect(functions).toMatchObject([
      { name: 'App-1-Sandbox', timeoutMs: 20_000, retries: 2, environment: { LEASE_TABLE: 'App-1-Table' } },
      { name: 'App-1-Lambda', retries: 1, environment: { GATEWAY_FUNCTION: 'App-1-Sandbox', API_KEY: 'App-1-ApiKey' } },
    ])
    expect(schedules.map(({ targetArn }) => targetArn)).toEqual([functions[1]?.arn])
  })

  test("declares a function, with Lambda's defaults where the template is silent", () => {
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

  test('declares how its asynchronous events are retried', () => {
    const properties = { FunctionName: { Ref: 'Lambda' }, MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 600 }
    const config = { type: 'AWS::Lambda::EventInvokeConfig', properties }
    expect(read({ Lambda: lambda, Config: config }).functions[0]).toMatchObject({ retries: 1, maxEventAgeMs: 600_000 })
  })

  test.each([
    ['rate(1 hour)', 3_600_000],
    ['rate(5 minutes)', 300_000],
    ['rate(2 days)', 172_800_000],
  ])('declares a schedule of %s', (expression, periodMs) => {
    const [found] = read({ Lambda: lambda, S: schedule(expression) }).schedules
    expect(found).toMatchObject({ periodMs, targetArn: expect.stringContaining(':function:App-1-Lambda') })
  })

  test.each(['cron(0 * * * ? *)', 'rate(0 hours)', 'rate(1 fortnight)'])('refuses a schedule of %s', (expression) => {
    expect(() => read({ Lambda: lambda, S: schedule(expression) })).toThrow('S: only rate(…) schedules run here')
  })

  test('refuses a function whose code is no asset', () => {
    const properties = { ...lambda.properties, Code: { ZipFile: 'exports.handler = 1' } }
    expect(() => read({ Lambda: { ...lambda, properties } })).toThrow('Lambda: its code is not a directory')
  })

  test('refuses a property of the wrong type', () => {
    const properties = { ...lambda.properties, Timeout: '3' }
    expect(() => read({ Lambda: { ...lambda, properties } })).toThrow('Lambda: Timeout should be a number')
  })
})

describe('the tables of a stack', () => {
  const client = localClient(inject('dynamodbEndpoint'))
  afterAll(() => client.destroy())

  const definitionOf = (...names: string[]) => ({
    AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: names
      .slice(0, 2)
      .map((AttributeName, nth) => ({ AttributeName, KeyType: nth === 0 ? 'HASH' : 'RANGE' })),
    Replicas: [{ Region: { Ref: 'AWS::Region' } }],
  })
  const globalTable = (properties: JsonObject) => ({ type: 'AWS::DynamoDB::GlobalTable', properties })
  const properties = {
    Leases: {
      ...definitionOf('lease', 'record'),
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    },
    Subscriptions: {
      ...definitionOf('customer', 'plan', 'dueShard', 'dueAt'),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    },
    Charges: definitionOf('customer', 'charge'),
    Sandbox: definitionOf('customer', 'key'),
  }

  test('are created as they are declared, with their keys, indexes, streams and TTL, and deleted again', async () => {
    const resources = Object.fromEntries(Object.entries(properties).map(([id, given]) => [id, globalTable(given)]))
    const { tables } = readStack({ ...stack(), name: `tables-${randomUUID()}`, resources }, () => undefined)
    expect(tables).toHaveLength(4)
    await createTables(client, tables)
    const described = await Promise.all(
      tables.map(async ({ name: TableName }) => (await client.send(new DescribeTableCommand({ TableName }))).Table),
    )
    expect(described.map((table) => table?.KeySchema)).toEqual(
      Object.values(properties).map((given) => given.KeySchema),
    )
    expect(described[0]?.StreamSpecification).toMatchObject({ StreamViewType: 'NEW_AND_OLD_IMAGES' })
    expect(described[1]?.GlobalSecondaryIndexes).toMatchObject(properties.Subscriptions.GlobalSecondaryIndexes)
    const ttl = await client.send(new DescribeTimeToLiveCommand({ TableName: tables[0]?.name }))
    expect(ttl.TimeToLiveDescription).toMatchObject({ AttributeName: 'ttl', TimeToLiveStatus: 'ENABLED' })
    await deleteTables(client, tables)
    const again = client.send(new DescribeTableCommand({ TableName: tables[3]?.name }))
    await expect(again).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

test('an app that leaves a process behind is synthesized, and that process ends with it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const app = `sleep 60 & echo $! > "$CDK_OUTDIR/pid"; echo '{}' > "$CDK_OUTDIR/manifest.json"`
  expect(await synthesize({ app, directory, context: {} }, directory)).toEqual({ directory, stacks: [] })
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
  await expect.poll(() => isAlive(pid)).toBe(false)
})
