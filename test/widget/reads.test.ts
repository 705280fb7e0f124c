import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { readLeases } from '../../functions/widget/reads.ts'
import { answeringClient, errorAnswer, type WireAnswer } from '../election/answering-client.ts'
import { editRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { leaseRecord, tenureRow } from './rows.ts'

const client = localClient(inject('dynamodbEndpoint'))
afterAll(() => client.destroy())

let table = ''
beforeAll(async () => {
  table = await createLeaseTable(client)
  await editRow(client, table, { ...leaseRecord({ fencingToken: 25 }), checkpoint: { state: 'the task alone knows' } })
  const tenures = Array.from({ length: 24 }, (_, index) => tenureRow(index + 2))
  const foreign = tenureRow(0, { record: { S: 'ZOO' } })
  const puts = [...tenures, foreign].map((Item) => ({ PutRequest: { Item } }))
  await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }))
  await editRow(client, table, { ...leaseRecord(), lease: 'damaged', fencingToken: 'many' }, 'damaged')
})

describe('From a table', () => {
  test('It reads the lease and its newest twenty tenures, newest first, and knows that there are more', async () => {
    const [billing] = await readLeases(client, table, ['billing'])
    expect(billing).toMatchObject({
      lease: 'billing',
      record: { ok: true, value: { fencingToken: 25, holder: 'worker-7' } },
      history: { ok: true, value: { hasMore: true } },
    })
    const tokens = billing?.history.ok === true ? billing.history.value.rows.map((row) => row.fencingToken) : []
    expect(tokens).toEqual(Array.from({ length: 20 }, (_, index) => 25 - index))
  })

  test('A checkpoint is the business of the task and stays in the table', async () => {
    expect(JSON.stringify(await readLeases(client, table, ['billing']))).not.toContain('the task alone knows')
  })

  test('A lease that nobody has asked for has no row and no history', async () => {
    expect(await readLeases(client, table, ['nobody'])).toEqual([
      {
        lease: 'nobody',
        record: { ok: true, value: undefined },
        history: { ok: true, value: { rows: [], hasMore: false } },
      },
    ])
  })

  test('A damaged row is told in its place, with the attribute, and the others are read', async () => {
    const [damaged, billing] = await readLeases(client, table, ['damaged', 'billing'])
    expect(damaged?.record).toMatchObject({ ok: false, problem: expect.stringContaining('attribute "fencingToken"') })
    expect(billing?.record.ok).toBe(true)
  })

  test('A table that does not exist is told in words', async () => {
    const [{ record, history } = { record: undefined, history: undefined }] = await readLeases(client, 'absent', [
      'billing',
    ])
    const told = { ok: false, problem: expect.stringContaining('The table of leases does not exist') }
    expect([record, history]).toEqual([told, told])
  })
})

describe('Over the wire', () => {
  const problemAfter = async (answer: WireAnswer) => {
    const [reading] = await readLeases(answeringClient(answer).client, 'leases', ['billing'])
    return reading?.record.ok === false ? reading.record.problem : undefined
  }

  test('Two requests a lease, both with the key of that lease: no more is permitted', async () => {
    const { client: recording, requests } = answeringClient()
    await readLeases(recording, 'leases', ['billing', 'report'])
    const [records, histories] = [
      requests.filter((request) => 'Key' in request),
      requests.filter((request) => 'KeyConditionExpression' in request),
    ]
    expect(records.map(({ Key }) => Key)).toEqual([
      { lease: { S: 'billing' }, record: { S: 'LEASE' } },
      { lease: { S: 'report' }, record: { S: 'LEASE' } },
    ])
    expect(histories.map((query) => query['ExpressionAttributeValues'])).toEqual([
      { ':lease': { S: 'billing' }, ':tenures': { S: 'TENURE#' } },
      { ':lease': { S: 'report' }, ':tenures': { S: 'TENURE#' } },
    ])
    expect(requests).toHaveLength(4)
  })

  test.each([
    ['AccessDeniedException', 'Access denied: the role of this function permits only the leases'],
    ['ThrottlingException', 'DynamoDB has too much to do'],
    ['ValidationException', 'Reading it failed with ValidationException'],
  ])('%s is told in words', async (type, words) => {
    expect(await problemAfter(errorAnswer(type))).toContain(words)
  })

  test('A lost connection is told, and what comes of it is cut', async () => {
    expect(await problemAfter(undefined)).toMatch(/^Reading it failed with .{1,300}$/)
  })
})
