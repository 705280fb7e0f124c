// @ts-nocheck
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readLeases } from '../../functions/widget/reads.ts'
import { answeringClient, errorAnswer } from '../election/answering-client.ts'
import { editRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { leaseRecord, tenureRow } from './rows.ts'

const client = localClient(inject('dynamodbEndpoint'))
afterAll(() => client.destroy())

let table = ''
beforeAll(async () => {
  table = await createLeaseTable(client)
  await editRow(client, table, { ...leaseRecord({ fencingToken: 25 }), checkpoint: { state: 'SECRET' } })
  const tenures = Array.from({ length: 24 }, (_, index) => tenureRow(index + 2))
  const foreign = tenureRow(0, { record: { S: 'ZOO' } })
  const puts = [...tenures, foreign].map((Item) => ({ PutRequest: { Item } }))
  await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }))
  await editRow(client, table, { ...leaseRecord(), lease: 'damaged', fencingToken: 'many' }, 'damaged')
})

test('It reads the lease without its checkpoint, the newest twenty tenures, and that there are more', async () => {
  const [billing] = await readLeases(client, table, ['billing'])
  expect(billing).toMatchObject({
    lease: 'billing',
    record: { ok: true, value: { fencingToken: 25, holder: 'worker-7' } },
    history: { ok: true, value: { hasMore: true } },
  })
  const tokens = billing?.history.ok === true ? billing.history.value.rows.map((row) => row.fencingToken) : []
  expect(tokens).toEqual(Array.from({ length: 20 }, (_, index) => 25 - index))
  expect(JSON.stringify(billing)).not.toContain('SECRET')
})

test('A damaged row is reported in its place, with the attribute, and the others are read', async () => {
  const [damaged, billing] = await readLeases(client, table, ['damaged', 'billing'])
  expect(damaged?.record).toMatchObject({ ok: false, problem: expect.stringContaining('attribute "fencingToken"') })
  expect(billing?.record.ok).toBe(true)
})

test('A missing table is reported for both reads', async () => {
  const missing = { ok: false, problem: expect.stringContaining('The lease table does not exist') }
  const [reading] = await readLeases(client, 'absent', ['billing'])
  expect(reading).toEqual({ lease: 'billing', record: missing, history: missing })
})

test('A lease costs two requests, both with its own key, since no more is permitted', async () => {
  const { client: recording, requests } = answeringClient()
  await readLeases(recording, 'leases', ['billing', 'report'])
  const keys = requests.map(({ Key, ExpressionAttributeValues }) => Key ?? ExpressionAttributeValues)
  const expected = ['billing', 'report'].flatMap((S) => [
    { lease: { S }, record: { S: 'LEASE' } },
    { ':lease': { S }, ':tenures': { S: 'TENURE#' } },
  ])
  expect(keys).toHaveLength(4)
  expect(keys).toEqual(expect.arrayContaining(expected))
})

test.each([
  ['AccessDeniedException', errorAnswer('AccessDeniedException'), /^Access denied: this function’s role permits only/],
  ['ThrottlingException', errorAnswer('ThrottlingException'), /^DynamoDB throttles requests/],
  ['A lost connection', undefined, /^Reading failed with .{1,300}$/],
])('%s is explained', async (_sentence, answer, problem) => {
  const [reading] = await readLeases(answeringClient(answer).client, 'leases', ['billing'])
  expect(reading?.record).toEqual({ ok: false, problem: expect.stringMatching(problem) })
})
