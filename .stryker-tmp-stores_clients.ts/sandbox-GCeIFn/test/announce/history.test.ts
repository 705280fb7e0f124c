// @ts-nocheck
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { afterAll, expect, inject, test, vi } from 'vitest'
import { historyTable, historyUpdates } from '../../functions/announce/history.ts'
import { historyKey } from '../../functions/announce/history-row.ts'
import { HISTORY_ATTRIBUTES } from '../../infra/constructs/leadership-events.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { closed, elected, failed, forced, paused, takenOver, tenure } from './sample-facts.ts'

const local = localClient(inject('dynamodbEndpoint'))
afterAll(() => local.destroy())

test('The read of what was announced is consistent and names its attributes, as the permissions demand', async () => {
  const client = DynamoDBDocumentClient.from(local)
  const send = vi.spyOn(client, 'send')
  await historyTable(client, await createLeaseTable(local), 30).announced(tenure)
  expect(send.mock.calls[0]?.[0].input).toMatchObject({
    ConsistentRead: true,
    ProjectionExpression: '#announced, #closedTick',
    ExpressionAttributeNames: { '#announced': 'announced', '#closedTick': 'closedTick' },
  })
})

test('Keys of history rows sort as their fencing tokens do', () => {
  const tokens = [1, 99, 1_795_240_800_001, Number.MAX_SAFE_INTEGER]
  const records = tokens.map((fencingToken) => historyKey({ lease: 'billing', fencingToken }).record)
  expect(records.toSorted()).toEqual(records)
})

test.each([
  ['of its end', failed, failed.atMs],
  ['when its lease would have expired, if an operator forced its leader out', forced, forced.expiresAtMs],
  ['when its lease expired', takenOver, takenOver.previous.expiredAtMs],
])('The row of a tenure, however long, is kept for 30 days from the time %s', (_sentence, fact, fromMs) => {
  const ttl = Math.floor(fromMs / 1_000) + 30 * 86_400
  expect(historyUpdates([fact], 30)[0]).toMatchObject({ fencingToken: 42, set: { ttl } })
})

test('The row of a tenure that lasts has no ttl, whatever came before, however old it is', () => {
  const [update] = historyUpdates([elected, closed, paused], 30)
  expect({ ...update?.set, ...update?.setIfAbsent }).not.toHaveProperty('ttl')
  expect(historyUpdates([takenOver], 30)[1]).not.toHaveProperty('setIfAbsent.ttl')
})

test('A pause of a vacant lease makes no row that stays, and does not change when a row expires', () => {
  const ttl = Math.floor(paused.beganAtMs / 1_000) + 30 * 86_400
  const [update] = historyUpdates([{ ...paused, isVacant: true }], 30)
  expect(update).toMatchObject({ set: expect.not.objectContaining({ ttl }), setIfAbsent: { ttl } })
})

test('IAM permits every attribute that is written, and no lease row has one of that name', () => {
  const updates = historyUpdates([elected, takenOver, closed, failed, forced, paused], 30)
  const names = updates.flatMap(({ set, setIfAbsent }) => [...Object.keys(set), ...Object.keys(setIfAbsent)])
  expect(new Set(HISTORY_ATTRIBUTES)).toEqual(new Set(['lease', 'record', 'announced', ...names]))
  const ofLeaseRows = [
    ...['fencingToken', 'holder', 'attempt', 'eventId', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step', 'tick'],
    ...[
      'completedTick',
      'completedBy',
      'gaveUp',
      'firstTick',
      'reservedFor',
      'reservedUntilMs',
      'reservedBy',
      'checkpoint',
      'endedBy',
      'errorName',
      'pausedUntilMs',
      'pausedBy',
      'pausedReason',
    ],
  ]
  expect(ofLeaseRows.filter((name) => names.includes(name))).toEqual([])
})
