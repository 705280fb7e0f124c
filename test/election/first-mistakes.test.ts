/** What JavaScript lets a newcomer try: each error names its cause, and what to do. */
import middy from '@middy/core'
import { expect, test } from 'vitest'
import { DynamoDBLeaseStore, leaderOnly, withLease } from '../../functions/election/index.ts'
import { lambdaContext, MemoryLeaseStore } from '../../functions/election/testing/index.ts'

const apply = (call: (...given: never[]) => unknown, ...given: readonly unknown[]): unknown =>
  Reflect.apply(call, undefined, given)
const options = () => ({ store: new MemoryLeaseStore({ tables: { Reports: 'id' } }), lease: 'reports' })
const answering = (reply: unknown) => {
  const acquire = async () => reply
  return apply(withLease, { lease: 'reports', store: { acquire, write: acquire, giveBack: acquire } }, () => 'led')
}
const sending = (input?: object) =>
  withLease(options(), (lease) => Reflect.apply(lease.send, lease, input === undefined ? [] : [input]))

test.each<[string, () => unknown, RegExp]>([
  [
    'a handler for leaderOnly',
    () => apply(leaderOnly, () => 1),
    /^leaderOnly takes no handler, .*middy\(\).*withLease\(/,
  ],
  ['a handler beside its options', () => apply(leaderOnly, options(), () => 1), /^leaderOnly takes no handler/],
  [
    'leaderOnly twice',
    () => {
      const only = leaderOnly(options())
      const handler = middy().use(only).use(only)
      return apply(handler, { tick: '2024-01-31T00:00:00Z' }, lambdaContext())
    },
    /^This handler uses leaderOnly twice for lease "reports"\. Remove one/,
  ],
  ['no context', () => apply(middy().use(leaderOnly(options())), { tick: 0 }, {}), /in a test: lambdaContext\(\)/],
  ['a task without options', () => apply(withLease, () => 1), /^withLease needs a task: withLease\(options, task\)/],
  [
    'an option of the SDK',
    () => Reflect.construct(DynamoDBLeaseStore, [{ tableName: 'a', region: 'b' }]),
    /^Dyn.*client/,
  ],
  [
    'another name of the table',
    () => Reflect.construct(DynamoDBLeaseStore, [{ table: 'a' }]),
    /"table"\. Options: tableName,/,
  ],
  [
    'a list of tables',
    () => Reflect.construct(MemoryLeaseStore, [{ tables: ['Reports'] }]),
    /takes only .*, but got a list/,
  ],
  [
    'tables under another name',
    () => Reflect.construct(MemoryLeaseStore, [{ table: {} }]),
    /takes only .*, but got "table"/,
  ],
  ['a store that answers nothing', () => answering(undefined), /^The answer of the store .* is missing, but must be/],
  ['a store that grants no row', () => answering({ granted: true }), /Check it with leaseStoreConformance/],
  ['a write without input', () => sending(), /needs TableName, but it is missing\. Is the environment variable set/],
  ['a write to no table', () => sending({ Item: { id: 'a' } }), /needs TableName, but it is missing/],
  ['a write to a missing table', () => sending({ TableName: 'Mail', Item: {} }), /^There is no table "Mail": new Mem/],
])('%s is refused with what to do', async (_, run, message) => {
  await expect((async () => run())()).rejects.toThrow(message)
})

test('leaderOnly for two leases is two elections', async () => {
  const handler = middy()
    .use(leaderOnly(options()))
    .use(leaderOnly({ ...options(), lease: 'mail' }))
  const outcome = await apply(handler, { tick: '2024-01-31T00:00:00Z' }, lambdaContext())
  expect(outcome).toMatchObject({ status: 'completed', result: { status: 'completed' } })
})
