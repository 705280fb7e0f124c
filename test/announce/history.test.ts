import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { afterAll, expect, inject, test, vi } from 'vitest'
import type { Fact } from '../../functions/announce/facts.ts'
import { historyTable, historyUpdates } from '../../functions/announce/history.ts'
import { historyKey } from '../../functions/announce/history-row.ts'
import { HISTORY_ATTRIBUTES } from '../../infra/constructs/leadership-events.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { BEGAN_MS, elected, failed, forced, paused, TICK, takenOver, tenure } from './sample-facts.ts'

const local = localClient(inject('dynamodbEndpoint'))
afterAll(() => local.destroy())

async function written(facts: readonly Fact[]) {
  const table = await createLeaseTable(local)
  const history = historyTable(DynamoDBDocumentClient.from(local), table, 30)
  for (const fact of facts) await history.record([fact])
  const Key = { lease: { S: 'billing' }, record: { S: 'TENURE#0000000000000042' } }
  const { Item } = await local.send(new GetItemCommand({ TableName: table, Key }))
  return { row: Item, announced: await history.announced(tenure) }
}

test('DynamoDB keeps one row per tenure, with a ttl in seconds, and returns what was announced', async () => {
  const { row, announced } = await written([elected, failed])
  expect(row).toEqual({
    lease: { S: 'billing' },
    record: { S: 'TENURE#0000000000000042' },
    candidate: { S: 'ann' },
    forTick: { S: TICK },
    beganAtMs: { N: String(BEGAN_MS) },
    endedAtMs: { N: String(BEGAN_MS + 1_600) },
    outcome: { S: 'failed' },
    failure: { S: 'TypeError' },
    ttl: { N: String(Date.parse(TICK) / 1_000 + 30 * 86_400) },
    announced: { SS: ['LeaderElected', 'LeaderReleased', 'TickFailed'] },
  })
  expect(announced).toEqual(new Set(['LeaderElected', 'LeaderReleased', 'TickFailed']))
})

test('The read of what was announced is consistent and names one attribute, as the permissions demand', async () => {
  const client = DynamoDBDocumentClient.from(local)
  const send = vi.spyOn(client, 'send')
  await historyTable(client, await createLeaseTable(local), 30).announced(tenure)
  expect(send.mock.calls[0]?.[0].input).toMatchObject({
    ConsistentRead: true,
    ProjectionExpression: '#announced',
    ExpressionAttributeNames: { '#announced': 'announced' },
  })
})

test('Keys of history rows sort as their fencing tokens do', () => {
  const tokens = [1, 99, 1_795_240_800_001, Number.MAX_SAFE_INTEGER]
  const records = tokens.map((fencingToken) => historyKey({ lease: 'billing', fencingToken }).record)
  expect(records.toSorted()).toEqual(records)
})

test('IAM permits every attribute that is written, and no lease row has one of that name', () => {
  const updates = historyUpdates([elected, takenOver, failed, forced, paused], 30)
  const names = updates.flatMap(({ set, setIfAbsent }) => [...Object.keys(set), ...Object.keys(setIfAbsent)])
  expect(new Set(HISTORY_ATTRIBUTES)).toEqual(new Set(['lease', 'record', 'announced', ...names]))
  const ofLeaseRows = [
    ...['fencingToken', 'holder', 'attempt', 'eventId', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step', 'tick'],
    ...['completedTick', 'checkpoint', 'endedBy', 'errorName', 'pausedUntilMs', 'pausedBy', 'pausedReason'],
  ]
  expect(ofLeaseRows.filter((name) => names.includes(name))).toEqual([])
})
