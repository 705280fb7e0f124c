import { CreateTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { OverdueCheckError, overdueCheck } from '../../functions/announce/check-overdue.ts'
import { leaseProgress } from '../../functions/announce/lease-progress.ts'
import { readWatchedLeases, ticksOverdue } from '../../functions/announce/overdue.ts'
import { editRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

const HOUR_MS = 3_600_000
const DONE_MS = Date.parse('2026-11-21T06:00:00.000Z')

test.each([
  ['The tick that was just completed', 0, 0],
  ['the next one is not due', HOUR_MS - 1, 0],
  ['it is due', HOUR_MS, 1],
  ['it is late, as the first of the day after would be', HOUR_MS * 24 + 1, 24],
  ['a clock is behind', -5_000, 0],
])('%s: whole periods since then', (_sentence, sinceMs, overdue) => {
  expect(ticksOverdue(DONE_MS, HOUR_MS, DONE_MS + sinceMs)).toBe(overdue)
})

test.each<[unknown, RegExp]>([
  [undefined, /names no leases\. Give \{ "leases": \[\{ "lease": "billing", "periodMs": 3600000/],
  [{ leases: 'billing' }, /names no leases/],
  [{ leases: [] }, /names no leases/],
  [{ leases: [{ lease: 'a b', periodMs: 1 }] }, /leases\[0\]\.lease is "a b", not a name/],
  [{ leases: [{ lease: 'billing', periodMs: '1h' }] }, /leases\[0\]\.periodMs, of "billing", is "1h", not a whole/],
  [{ leases: [null, { lease: 'billing', periodMs: 0 }] }, /leases\[0\]\.lease is undefined.*; leases\[1\]\.periodMs/],
])('An event that cannot be read is told, with all that is wrong: %j', (event, message) => {
  expect(() => readWatchedLeases(event)).toThrow(message)
})

function check(lastDoneMs: (lease: string) => Promise<number>) {
  const measured: unknown[] = []
  const logged: object[] = []
  const run = overdueCheck({
    progress: { lastDoneMs },
    measure: (lease, [measurement], { atMs } = {}) =>
      measured.push([lease, measurement?.name, measurement?.value, atMs]),
    log: { error: (_message, fields) => logged.push(fields) },
    now: () => DONE_MS + 2 * HOUR_MS,
  })
  return { run, measured, logged }
}

test('One lease that cannot be read does not keep the others from being measured, but fails the check in the end', async () => {
  const broken = new Error('throttled')
  const { run, measured, logged } = check(async (lease) => {
    if (lease === 'broken') throw broken
    return DONE_MS
  })
  const leases = ['billing', 'broken', 'reports'].map((lease) => ({ lease, periodMs: HOUR_MS }))
  const error = await run({ leases }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OverdueCheckError)
  expect(error).toMatchObject({ message: expect.stringContaining('1 of 3 leases'), cause: broken })
  expect(measured).toEqual([
    ['billing', 'ticksOverdue', 2, DONE_MS + 2 * HOUR_MS],
    ['reports', 'ticksOverdue', 2, DONE_MS + 2 * HOUR_MS],
  ])
  expect(logged).toEqual([{ lease: 'broken', error: broken }])
})

describe('Of a lease in DynamoDB', () => {
  const client = localClient(inject('dynamodbEndpoint'))
  const asked: string[] = []
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        asked.push(commandName)
        return next(args)
      },
    { step: 'initialize' },
  )
  afterAll(() => client.destroy())

  test('counts its completed tick; before the first one, when the table was made, which is asked once', async () => {
    const table = await createLeaseTable(client)
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }))
    await editRow(client, table, { completedTick: '2026-11-21T06:00:00.000Z' }, 'done')
    await editRow(client, table, { holder: 'ann' }, 'begun')
    const progress = leaseProgress(client, table)
    asked.length = 0
    expect(await progress.lastDoneMs('done')).toBe(DONE_MS)
    expect(asked).toEqual(['GetItemCommand'])
    const createdAtMs = Table?.CreationDateTime?.getTime()
    expect(await progress.lastDoneMs('begun')).toBe(createdAtMs)
    expect(await progress.lastDoneMs('absent')).toBe(createdAtMs)
    expect(asked.filter((name) => name === DescribeTableCommand.name)).toHaveLength(1)
    expect(asked).not.toContain(CreateTableCommand.name)
  })

  test('a completed tick that is none is damage', async () => {
    const table = await createLeaseTable(client)
    for (const completedTick of ['yesterday', 7]) {
      await editRow(client, table, { completedTick })
      const reading = leaseProgress(client, table).lastDoneMs('billing')
      await expect(reading).rejects.toThrow('attribute "completedTick" should be a tick')
    }
  })
})
