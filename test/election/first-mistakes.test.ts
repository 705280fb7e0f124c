/** What JavaScript lets a newcomer try: each error names its cause, and what to do. */
import middy from '@middy/core'
import { expect, test } from 'vitest'
import { refuseDurable } from '../../functions/election/durable-execution.ts'
import { DynamoDBLeaseStore, type Lease, leaderOnly, withLease } from '../../functions/election/index.ts'
import { lambdaContext, MemoryLeaseStore } from '../../functions/election/testing/index.ts'

const apply = (call: (...given: never[]) => unknown, ...given: readonly unknown[]): unknown =>
  Reflect.apply(call, undefined, given)
const make = (store: typeof DynamoDBLeaseStore | typeof MemoryLeaseStore, options: object) =>
  Reflect.construct(store, [options])
const options = (lease = 'reports') => ({ store: new MemoryLeaseStore({ tables: { Reports: 'id' } }), lease })
const answering = (reply: unknown) => {
  const acquire = async () => reply
  return apply(withLease, { lease: 'reports', store: { acquire, write: acquire, giveBack: acquire } }, () => 'led')
}
const send = (input?: object) => withLease(options(), (lease) => Reflect.apply(lease.send, lease, [input]))
const twice = (first: string, second: string, context: object = lambdaContext()) => {
  const handler = middy()
    .use(leaderOnly(options(first)))
    .use(leaderOnly(options(second)))
  return apply(handler, { tick: '2024-01-31T00:00:00Z' }, context)
}

test.each<[RegExp, string, () => unknown]>([
  [/^leaderOnly takes no handler, .*middy\(\).*withLease\(/, 'a handler', () => apply(leaderOnly, () => 1)],
  [/^leaderOnly takes no handler/, 'a second handler', () => apply(leaderOnly, options(), () => 1)],
  [/^The options of leaderOnly must be an object, but/, 'a name', () => apply(leaderOnly, 'reports')],
  [/uses leaderOnly twice for lease "reports"\. Remove one/, 'two middlewares', () => twice('reports', 'reports')],
  [/in a test: lambdaContext\(\) of tenure/, 'no context', () => twice('reports', 'mail', {})],
  [
    /^withLease cannot elect a durable execution: after each wait, a replay would .*durableLeader\(ctx,/,
    'a durable execution',
    () => apply(withLease, { ...options(), context: { executionContext: { durableExecutionArn: 'arn' } } }, () => 1),
  ],
  [
    /^leaderOnly cannot elect a durable execution: its `before` runs again/,
    'the event of a durable execution',
    () =>
      apply(
        middy().use(leaderOnly(options())),
        { DurableExecutionArn: 'arn', CheckpointToken: 'token' },
        lambdaContext(),
      ),
  ],
  [/^withLease needs a task: withLease\(options, task\)/, 'a task alone', () => apply(withLease, () => 1)],
  [/^Dyn.*belongs to the client/, 'a Region', () => make(DynamoDBLeaseStore, { tableName: 'a', region: 'b' })],
  [
    /^The options of DynamoDBLeaseStore are "leases"/,
    'a name',
    () => Reflect.construct(DynamoDBLeaseStore, ['leases']),
  ],
  [/"table"\. Options: tableName,/, 'another name', () => make(DynamoDBLeaseStore, { table: 'a' })],
  [/takes only .*, but got a list/, 'a list of tables', () => make(MemoryLeaseStore, { tables: ['Reports'] })],
  [
    /^The key of table "a" must be the name of/,
    'a type for a key',
    () => make(MemoryLeaseStore, { tables: { a: { b: 'S' } } }),
  ],
  [/takes only .*, but got "table"/, 'a misspelt option', () => make(MemoryLeaseStore, { table: {} })],
  [/^The answer of the store .* is missing, but must be/, 'an empty answer', () => answering(undefined)],
  [/Check it with leaseStoreConformance/, 'a grant without a row', () => answering({ granted: true })],
  [/Check it with leaseStoreConformance/, 'a grant of nothing', () => answering({ granted: true, record: null })],
  [/needs TableName, but it is missing\. Is the env/, 'a write to no table', () => send({ Item: { id: 'a' } })],
  [/needs TableName, but it is missing/, 'an empty write', () => send()],
  [/needs TableName, but it is ""/, 'an empty name', () => send({ TableName: '', Item: { id: 'a' } })],
  [/^There is no table "Mail": new Mem/, 'an unknown table', () => send({ TableName: 'Mail', Item: {} })],
])('%s is the error of %s', async (message, _, run) => {
  await expect((async () => run())()).rejects.toThrow(message)
})

test('an event that names a durable execution, and what is no ARN, belong to none', () => {
  const given = [{ DurableExecutionArn: 'arn' }, { executionContext: { durableExecutionArn: 7 } }]
  expect(() => refuseDurable('withLease', '', ...given)).not.toThrow()
})

test('a wrong answer of a store, or a store without tables, is an error of the lease that no retry helps', async () => {
  const ofLease = { lease: 'reports', retryable: false }
  await expect(answering(undefined)).rejects.toMatchObject(ofLease)
  const whole = new MemoryLeaseStore()
  const [acquire, write, giveBack] = [whole.acquire, whole.write, whole.giveBack].map((method) => method.bind(whole))
  const store = { acquire, write, giveBack }
  const sent = apply(withLease, { lease: 'reports', store }, (lease: Lease) => lease.claim({ TableName: 'a', Key: {} }))
  await expect(sent).rejects.toMatchObject(ofLease)
})

test('leaderOnly may be called for each of a list', () => {
  expect(() => [options()].map((...given) => apply(leaderOnly, ...given))).not.toThrow()
})

test('leaderOnly for two leases is two elections', async () => {
  expect(await twice('reports', 'mail')).toMatchObject({ status: 'completed', result: { status: 'completed' } })
})
