// @ts-nocheck
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readStack, TemplateError } from '../../../infra/local/stack/assembly.ts'
import { physicalName, resolve, type Stack } from '../../../infra/local/stack/intrinsics.ts'
import { synthesize } from '../../../infra/local/stack/synthesize.ts'
import { isAlive } from '../fixtures/processes.ts'

type Properties = Readonly<Record<string, unknown>>

/** By logical id: a type of Amazon's, and the properties. */
type Resources = Readonly<Record<string, readonly [type: string, Properties]>>

const stack = (resources: Resources = {}): Stack => {
  const all: Resources = {
    Table: ['DynamoDB::GlobalTable', KEYS],
    Topic: ['SNS::Topic', {}],
    Queue: ['SQS::Queue', {}],
    ...resources,
  }
  const named = Object.entries(all).map(
    ([id, [type, Properties]]) => [id, { Type: `AWS::${type}`, Properties }] as const,
  )
  return { name: 'App-1', region: 'eu-central-1', account: '000000000000', resources: new Map(named) }
}

const keys = (...names: string[]) =>
  names.map((AttributeName, nth) => ({ AttributeName, KeyType: nth === 0 ? 'HASH' : 'RANGE' }))
const KEYS = { KeySchema: keys('id'), AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }] }

const UNKNOWN = { 'Fn::ImportValue': 'x' }

test.each<[string, unknown, unknown]>([
  ['Ref of a table', { Ref: 'Table' }, 'App-1-Table'],
  ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
  ['Fn::GetAtt', { 'Fn::GetAtt': ['Table', 'Arn'] }, 'arn:aws:dynamodb:eu-central-1:000000000000:table/App-1-Table'],
  ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'Table' }]] }, 'a-App-1-Table'],
  ['AWS::NoValue', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
  ['neither a Ref with other keys', { Ref: 'Table', b: 1 }, { Ref: 'Table', b: 1 }],
  ['nor an unknown function', UNKNOWN, UNKNOWN],
  ['nor an unknown resource', { Ref: 'Gone' }, { Ref: 'Gone' }],
  ['nor a resource that does not run here', { Ref: 'Topic' }, { Ref: 'Topic' }],
  ['nor a name that every JavaScript object has', { Ref: 'constructor' }, { Ref: 'constructor' }],
  ['nor an unknown attribute', { 'Fn::GetAtt': ['Table', 'Id'] }, { 'Fn::GetAtt': ['Table', 'Id'] }],
  ['nor a part that stays', { 'Fn::Join': ['-', [UNKNOWN]] }, { 'Fn::Join': ['-', [UNKNOWN]] }],
])('resolves %s', (_, value, expected) => {
  expect(resolve(stack(), value)).toEqual(expected)
})

test('a name that the template gives is kept', () => {
  expect(physicalName(stack({ Named: ['DynamoDB::GlobalTable', { TableName: 'leases' }] }), 'Named')).toBe('leases')
})

const LAMBDA = {
  Code: { S3Key: 'code.zip', S3Bucket: UNKNOWN }, // the bucket is not read
  Handler: 'index.handler',
  Environment: { Variables: { LEASE_TABLE: { Ref: 'Table' }, LEASE_MS: 1500 } },
}
const lambda = (changes: Properties = {}) => ['Lambda::Function', { ...LAMBDA, ...changes }] as const
const schedule = (ScheduleExpression: string) =>
  ['Scheduler::Schedule', { ScheduleExpression, Target: { Arn: { 'Fn::GetAtt': ['Lambda', 'Arn'] } } }] as const
const read = (resources: Resources) => readStack(stack(resources), new Map([['code.zip', '/code']]))

test("a stack declares a function, with Lambda's defaults for what the template omits", () => {
  expect(read({ Lambda: lambda() }).functions).toEqual([
    {
      ...{ name: 'App-1-Lambda', arn: 'arn:aws:lambda:eu-central-1:000000000000:function:App-1-Lambda' },
      ...{ directory: '/code', handler: 'index.handler' },
      environment: { LEASE_TABLE: 'App-1-Table', LEASE_MS: '1500' },
      ...{ timeoutMs: 3_000, memoryMb: 128, retries: 2, maxEventAgeMs: 21_600_000 },
    },
  ])
})

test('a stack declares functions that no schedule fires too, and how asynchronous events are retried', () => {
  const Config = { FunctionName: { Ref: 'Lambda' }, MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 600 }
  const { functions, schedules } = read({
    Sandbox: lambda({ Timeout: 20 }),
    Lambda: lambda({ Environment: { Variables: { GATEWAY: { Ref: 'Sandbox' } } } }),
    Config: ['Lambda::EventInvokeConfig', Config],
    S: schedule('rate(1 hour)'),
  })
  expect(functions).toMatchObject([
    { name: 'App-1-Sandbox', timeoutMs: 20_000, retries: 2, environment: { LEASE_TABLE: 'App-1-Table' } },
    { name: 'App-1-Lambda', retries: 1, maxEventAgeMs: 600_000, environment: { GATEWAY: 'App-1-Sandbox' } },
  ])
  expect(schedules).toMatchObject([{ targetArn: functions[1]?.arn, input: '{}' }])
})

test('a stack declares tables with their keys and indexes, without what a run does not use', () => {
  const GlobalSecondaryIndexes = [
    { IndexName: 'due', KeySchema: keys('a', 'b'), Projection: { ProjectionType: 'ALL' } },
  ]
  const Table = ['DynamoDB::GlobalTable', { ...KEYS, GlobalSecondaryIndexes, Replicas: [UNKNOWN] }] as const
  const TableName = 'App-1-Table'
  const declared = { TableName, BillingMode: 'PAY_PER_REQUEST', ...KEYS, GlobalSecondaryIndexes }
  expect(read({ Table }).tables).toEqual([declared])
})

test.each([
  ['rate(1 hour)', 3_600_000],
  ['rate(5 minutes)', 300_000],
  ['rate(2 days)', 172_800_000],
])('a stack declares a schedule of %s', (expression, periodMs) => {
  expect(read({ Lambda: lambda(), S: schedule(expression) }).schedules).toMatchObject([{ periodMs }])
})

test.each([
  ['cron(0 * * ? *)', { S: schedule('cron(0 * * * ? *)') }, 'S: ScheduleExpression: only rate(…) schedules run here'],
  ['rate(1 fortnight)', { S: schedule('rate(1 fortnight)') }, 'only rate(…) schedules run here, not "rate(1 fort'],
  ['code that is not an asset', { L: lambda({ Code: { S3Key: 'other.zip' } }) }, 'L: its code is not a directory'],
  ['a wrong type', { L: lambda({ Timeout: '3' }) }, 'L: Timeout: Invalid type: Expected number, not "3"'],
  ['an open call', { L: lambda({ Handler: UNKNOWN }) }, 'L: Handler: Invalid type: Expected string, not {"Fn'],
])('refuses %s', (_, resources, message) => {
  expect(() => read({ Lambda: lambda(), ...resources })).toThrow(TemplateError)
  expect(() => read({ Lambda: lambda(), ...resources })).toThrow(message)
})

test('an app that leaves a process behind is synthesized, and that process ends with it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const app = `sleep 60 & echo $! > "$CDK_OUTDIR/pid"; echo '{}' > "$CDK_OUTDIR/manifest.json"`
  await synthesize({ app, root: directory, directory, context: {} })
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
  await expect.poll(() => isAlive(pid)).toBe(false)
})
