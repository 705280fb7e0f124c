/** What the history writes, to DynamoDB Local and to the simulated DynamoDB, which the other tests rest on. */
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { afterAll, expect, inject, onTestFinished, test } from 'vitest'
import type { Ended, Fact, Forced, Paused, TakenOver } from '../../functions/announce/facts.ts'
import { historyKey, historyTable, historyUpdates } from '../../functions/announce/history.ts'
import { acquireUpdate } from '../../functions/election/stores/expressions.ts'
import { HISTORY_ATTRIBUTES } from '../../infra/constructs/leadership-events.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { setScene } from './scene.ts'
import { live } from './steps.ts'

const local = localClient(inject('dynamodbEndpoint'))
afterAll(() => local.destroy())

const tenure = { lease: 'billing', fencingToken: 42, tick: '2026-11-21T06:00:00.000Z', beganAtMs: 1_000_400 }
const elected: Fact = { kind: 'elected', ...tenure, atMs: 1_000_400, candidate: 'ann', expiresAtMs: 1_015_400 }
const failed: Ended = {
  kind: 'ended',
  ...tenure,
  atMs: 1_002_000,
  candidate: 'ann',
  endedBy: 'failed',
  errorName: 'TypeError',
}
const forced: Forced = { kind: 'forced', ...tenure, atMs: 1_003_000, candidate: 'ann' }
const paused: Paused = { kind: 'paused', ...tenure, atMs: 1_000_500, sequenceNumber: '7', pausedUntilMs: 2_000_000 }
const takenOver: TakenOver = {
  kind: 'takenOver',
  ...tenure,
  fencingToken: 43,
  beganAtMs: 1_020_000,
  atMs: 1_020_000,
  candidate: 'bob',
  previous: { fencingToken: 42, candidate: 'ann', tick: tenure.tick, beganAtMs: 1_000_400, expiredAtMs: 1_015_400 },
}

async function written(facts: readonly Fact[]) {
  const client = DynamoDBDocumentClient.from(local)
  const table = await createLeaseTable(local)
  const history = historyTable(client, table, 30)
  for (const fact of facts) await history.record([fact])
  const { Item } = await local.send(
    new GetItemCommand({
      TableName: table,
      Key: { lease: { S: 'billing' }, record: { S: 'TENURE#0000000000000042' } },
    }),
  )
  return { row: Item, announced: await history.announced(tenure) }
}

test('DynamoDB keeps one row per tenure, with a time to live in seconds, and gives what was announced', async () => {
  const { row, announced } = await written([elected, failed])
  expect(row).toEqual({
    lease: { S: 'billing' },
    record: { S: 'TENURE#0000000000000042' },
    candidate: { S: 'ann' },
    forTick: { S: tenure.tick },
    beganAtMs: { N: '1000400' },
    endedAtMs: { N: '1002000' },
    outcome: { S: 'failed' },
    failure: { S: 'TypeError' },
    ttl: { N: String(1_000 + 30 * 86_400) },
    announced: { SS: ['LeaderElected', 'LeaderReleased', 'TickFailed'] },
  })
  expect(announced).toEqual(new Set(['LeaderElected', 'LeaderReleased', 'TickFailed']))
})

test('What was announced is read consistently, and nothing else of the row, as the permissions demand', async () => {
  const client = localClient(inject('dynamodbEndpoint'))
  onTestFinished(() => client.destroy())
  const inputs: object[] = []
  client.middlewareStack.add(
    (next) => (args) => {
      inputs.push(args.input)
      return next(args)
    },
    { step: 'initialize' },
  )
  const table = await createLeaseTable(client)
  await historyTable(DynamoDBDocumentClient.from(client), table, 30).announced(tenure)
  expect(inputs.at(-1)).toMatchObject({
    ConsistentRead: true,
    ProjectionExpression: '#announced',
    ExpressionAttributeNames: { '#announced': 'announced' },
  })
})

test('Nothing was announced of a tenure without a row', async () => {
  expect((await written([])).announced).toEqual(new Set())
})

test.each<[string, readonly Fact[]]>([
  ['an election, a pause and a failure', [elected, paused, failed]],
  ['an election, a forced end, and a takeover from the holder that the row still named', [elected, forced, takenOver]],
  ['an election and a takeover', [elected, takenOver]],
])('The row is the same in whatever order its facts come: %s', async (_sentence, facts) => {
  const inOrder = await written(facts)
  for (const others of [facts.toReversed(), [...facts.slice(1), ...facts], [...facts, ...facts.toReversed()]]) {
    expect(await written(others)).toEqual(inOrder)
  }
})

test('Who is put out was forced, though the row still named the holder when it was taken over', async () => {
  const { row } = await written([takenOver, forced])
  expect(row).toMatchObject({ outcome: { S: 'forced' }, endedAtMs: { N: '1003000' }, successor: { N: '43' } })
})

test('An end whose beginning was never delivered says all it knows', async () => {
  const { row } = await written([failed])
  expect(row).toMatchObject({ candidate: { S: 'ann' }, forTick: { S: tenure.tick }, beganAtMs: { N: '1000400' } })
})

test('The row that is taken over is written before the one that remembers the announcement', () => {
  expect(historyUpdates([takenOver], 30).map(({ fencingToken, announced }) => [fencingToken, announced])).toEqual([
    [42, []],
    [43, ['LeaderTakenOver']],
  ])
})

test('Its keys are never that of a lease, and sort as their tokens do', () => {
  const tokens = [1, 99, 1_795_240_800_001, Number.MAX_SAFE_INTEGER]
  const records = tokens.map((fencingToken) => historyKey({ lease: 'billing', fencingToken }).record)
  for (const record of records) expect(record).toMatch(/^TENURE#\d{16}$/)
  expect(records.toSorted()).toEqual(records)
})

test('No attribute has the name of one of the lease row, so that permissions can tell them apart', async () => {
  const protocol = [
    'fencingToken',
    'holder',
    'attempt',
    'eventId',
    'acquiredAtMs',
    'expiresAtMs',
    'writtenAtMs',
    'step',
    'tick',
  ]
  protocol.push('completedTick', 'checkpoint', 'endedBy', 'errorName', 'pausedUntilMs', 'pausedBy', 'pausedReason')
  const updates = historyUpdates([elected, failed, forced, paused, takenOver], 30)
  const names = updates.flatMap(({ set, setWhereAbsent }) => [...Object.keys(set), ...Object.keys(setWhereAbsent)])
  expect(protocol.filter((name) => names.includes(name))).toEqual([])
})

test('DynamoDB Local and the simulated DynamoDB keep the same history of the same life', async () => {
  const acquire = (who: string, elapsedMs: number) => ({ do: 'acquire' as const, lease: 'billing', who, elapsedMs })
  const then = (what: 'renew' | 'complete' | 'fail') => ({ do: what, lease: 'billing', elapsedMs: 700 })
  const life = await live([
    ...[
      acquire('ann', 0),
      then('renew'),
      then('complete'),
      acquire('bob', 2_500),
      acquire('ann', 16_001),
      then('fail'),
    ],
    { do: 'pause', lease: 'billing', elapsedMs: 1, forMs: 60_000 },
    { do: 'resume', lease: 'billing', elapsedMs: 1 },
    acquire('bob', 2_500),
    { do: 'force', lease: 'billing', elapsedMs: 1, how: 'attemptAlone' },
    acquire('ann', 16_001),
  ])
  const scenes = [await setScene({}, localClient(inject('dynamodbEndpoint'))), await setScene()]
  const rows = await Promise.all(
    scenes.map(async ({ deliver, rows }) => {
      for (const record of [...life.leases.records, ...life.leases.records.toReversed()]) {
        expect(await deliver([record])).toEqual({ batchItemFailures: [] })
      }
      return await rows()
    }),
  )
  expect(rows[0]?.size).toBe(5)
  expect(rows[0]).toEqual(rows[1])
})

test('All that is written is permitted by IAM, and no part of it is an attribute of a lease row', () => {
  const updates = historyUpdates([elected, takenOver, failed, forced, paused], 30)
  const written = updates.flatMap(({ set, setWhereAbsent }) => [...Object.keys(set), ...Object.keys(setWhereAbsent)])
  expect(new Set(HISTORY_ATTRIBUTES)).toEqual(new Set(['lease', 'record', 'announced', ...written]))
  const { UpdateExpression } = acquireUpdate({
    lease: 'billing',
    candidate: 'ann',
    attempt: 'a',
    eventId: 'e',
    tick: tenure.tick,
    nowMs: 1,
    expiresAtMs: 2,
    maxClockSkewMs: 1,
  })
  const ofLeaseRows = [...UpdateExpression.matchAll(/(?<![:\w])[a-zA-Z]+(?= =|,|$)/g)].map(([name]) => name)
  expect(ofLeaseRows).toContain('fencingToken')
  expect(written.filter((name) => ofLeaseRows.includes(name))).toEqual([])
})
