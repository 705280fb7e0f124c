// @ts-nocheck
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, expect, inject, test, vi } from 'vitest'
import { leaseProgress, overdueCheck, readWatchedLeases } from '../../functions/announce/overdue.ts'
import { editRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

const HOUR_MS = 3_600_000
const TICK = '2026-11-21T06:00:00.000Z'
const DONE_MS = Date.parse(TICK)

test.each([
  ['just after the last completed tick', 'rate(1 hour)', 0, 0],
  ['just before the next tick is due', 'rate(1 hour)', HOUR_MS - 1, 0],
  ['when it is due', 'rate(1 hour)', HOUR_MS, 1],
  ['with a clock that is behind', 'rate(1 hour)', -5_000, 0],
  ['over the weekend', 'cron(0 7 ? * MON-FRI *)', 48 * HOUR_MS, 0], // the tick is of a Saturday
  ['on the Monday after it', 'cron(0 7 ? * MON-FRI *)', 52 * HOUR_MS, 1],
  ['for years', 'cron(0 7 1 7 ? *)', 20 * 366 * 24 * HOUR_MS, 20],
])('Overdue ticks are those since the last completed one: %s', async (_sentence, schedule, sinceMs, overdue) => {
  const measured: (number | undefined)[] = []
  const check = overdueCheck({
    progress: async () => DONE_MS,
    measure: (_lease, [metric]) => measured.push(metric?.value),
    log: { error: () => undefined },
    now: () => DONE_MS + sinceMs,
  })
  await check({ leases: [{ lease: 'billing', schedule }] })
  expect(measured).toEqual([overdue])
})

test.each([
  [undefined, 'names 0 leases'],
  [{ leases: [{ lease: 'a b', schedule: 'rate(1 hour)' }] }, 'names 1 leases, of which one is an object'],
  [{ leases: [null] }, 'one is null'],
  [{ leases: [{ lease: 'billing', schedule: 'daily' }] }, 'The schedule "daily" is neither a rate nor a cron'],
  [{ leases: [{ lease: 'billing', periodMs: 3_600_000 }] }, 'Give { "leases": [{ "lease": "billing", "schedule": '],
])('A wrong event is refused: %j', (event, message) => {
  expect(() => readWatchedLeases(event)).toThrow(message)
})

test('A lease that cannot be read does not stop the others, and fails the check at the end', async () => {
  const throttled = new Error('throttled')
  const measured: unknown[] = []
  const logged: object[] = []
  const check = overdueCheck({
    progress: async (lease) => (lease === 'broken' ? Promise.reject(throttled) : DONE_MS),
    measure: (lease, [metric], { atMs } = {}) => measured.push([lease, metric?.name, metric?.value, atMs]),
    log: { error: (_message, fields) => logged.push(fields) },
    now: () => DONE_MS + 2 * HOUR_MS,
  })
  const leases = ['billing', 'broken', 'reports'].map((lease) => ({ lease, schedule: 'rate(1 hour)' }))
  const message = expect.stringMatching(/^1 of 3 leases could not be checked for overdue ticks: broken\. /)
  await expect(check({ leases })).rejects.toMatchObject({ message, cause: throttled })
  expect(measured).toEqual(['billing', 'reports'].map((lease) => [lease, 'ticksOverdue', 2, DONE_MS + 2 * HOUR_MS]))
  expect(logged).toEqual([{ lease: 'broken', error: throttled }])
})

const client = localClient(inject('dynamodbEndpoint'))
afterAll(() => client.destroy())

test('A lease without a completed tick counts from the creation of the table, which is read once', async () => {
  const table = await createLeaseTable(client)
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }))
  await editRow(client, table, { completedTick: TICK }, 'done')
  await editRow(client, table, { holder: 'ann' }, 'begun')
  const send = vi.spyOn(client, 'send')
  const progress = leaseProgress(client, table)
  expect(await progress('done')).toBe(DONE_MS)
  expect(send).toHaveBeenCalledOnce()
  const createdAtMs = Table?.CreationDateTime?.getTime()
  expect(await progress('begun')).toBe(createdAtMs)
  expect(await progress('absent')).toBe(createdAtMs)
  expect(send.mock.calls.filter(([command]) => command instanceof DescribeTableCommand)).toHaveLength(1)
})

test.each(['yesterday', 7])('A completed tick that is no tick is damage: %j', async (completedTick) => {
  const table = await createLeaseTable(client)
  await editRow(client, table, { completedTick })
  const reading = leaseProgress(client, table)('billing')
  await expect(reading).rejects.toThrow('attribute "completedTick" should be a tick')
})
