/** The functions as Lambda loads them, on DynamoDB Local and a fake EventBridge. */
// @ts-nocheck

import { createHash } from 'node:crypto'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, inject, onTestFinished, test, vi } from 'vitest'
import { historyKey } from '../../functions/announce/history-row.ts'
import { startFakeService, stubAws } from '../support/fake-service.ts'
import { editRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { live } from './life.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
  vi.restoreAllMocks()
})

async function setEnvironment(more: Readonly<Record<string, string>> = {}) {
  const client = localClient(inject('dynamodbEndpoint'))
  onTestFinished(() => client.destroy())
  const table = await createLeaseTable(client)
  stubAws('DYNAMODB', inject('dynamodbEndpoint'))
  for (const [name, value] of Object.entries({ LEASE_TABLE: table, ...more })) vi.stubEnv(name, value)
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => written.push(String(line)) > 0)
  return { client, table, written }
}

const loadAnnouncer = () => import('../../functions/announce/handler.ts')
const loadCheck = () => import('../../functions/announce/check-handler.ts')

test.each([
  ['by default', {}, 30],
  ['for a week', { HISTORY_DAYS: '7' }, 7],
  ['without a history', { HISTORY_DAYS: '0' }, undefined],
])('The announcer writes history, sends events and measures: %s', async (_sentence, more, days) => {
  const bus = await startFakeService({ body: { FailedEntryCount: 0 } })
  const variables = { AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url, EVENT_BUS: 'tenure', ...more }
  const { client, table, written } = await setEnvironment(variables)
  const leases = await live([
    { do: 'acquire', lease: 'billing', candidate: 'ann', elapsedMs: 0 },
    { do: 'complete', lease: 'billing', elapsedMs: 700 },
  ])
  const { handler } = await loadAnnouncer()
  expect(await handler({ Records: leases.records })).toEqual({ batchItemFailures: [] })
  const sent = bus.requests.flatMap(({ body }) => JSON.parse(body).Entries)
  const names = ['LeaderElected', 'LeaderReleased', 'TickCompleted']
  expect(sent).toMatchObject(names.map((DetailType) => ({ DetailType, EventBusName: 'tenure' })))
  const { fencingToken = 0, writtenAtMs = 0 } = leases.read('billing') ?? {}
  const { lease, record } = historyKey({ lease: 'billing', fencingToken })
  const Key = { lease: { S: lease }, record: { S: record } }
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key }))
  expect(Item?.['ttl']?.N).toBe(days && String(Math.floor(writtenAtMs / 1_000) + days * 86_400))
  expect(Item?.['outcome']?.S).toBe(days && 'completed')
  expect(Item?.['announced']?.SS).toEqual(days && names)
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { elected: 1 },
    { ticksCompleted: 1, tickDuration: 700 },
  ])
  await handler({ Records: leases.records })
  expect(bus.requests).toHaveLength(days === undefined ? 4 : 2) // what is in the history is not sent again
})

test('The check of leases measures overdue ticks', async () => {
  const { client, table, written } = await setEnvironment()
  await editRow(client, table, {
    completedTick: new Date((Math.floor(Date.now() / 60_000) - 2) * 60_000).toISOString(),
  })
  const { handler } = await loadCheck()
  await handler({ leases: [{ lease: 'billing', schedule: 'rate(1 minute)' }] })
  expect(written.map((line) => JSON.parse(line))).toMatchObject([{ lease: 'billing', ticksOverdue: 2 }])
})

test('It also measures dead ones, whose letters stay in the queue, and leases without a leader', async () => {
  const { client, table, written } = await setEnvironment()
  const row = { fencingToken: 1, attempt: 'a', acquiredAtMs: 0, expiresAtMs: 0, writtenAtMs: 0, step: 1 }
  await editRow(client, table, { ...row, completedTick: '2026-11-21T06:00:00.000Z' })
  const bodies = [6, 7].map((hour) => `{"tick":"2026-11-21T0${hour}:00:00Z","periodMs":3600000}`)
  const Messages = bodies.map((Body) => ({ Body, MD5OfBody: createHash('md5').update(Body).digest('hex') }))
  const queue = await startFakeService({ body: { Messages } }, { body: {} })
  stubAws('SQS', queue.url)
  const { handler } = await loadCheck()
  const QueueUrl = `${queue.url}/1/failures`
  await handler({ deadLetters: [{ lease: 'billing', queues: [QueueUrl] }] })
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { lease: 'billing', ticksDead: 1, deadLettersBenign: 1 },
  ])
  await handler({ standing: ['billing'] })
  expect(JSON.parse(written[1] ?? '')).toMatchObject({ lease: 'billing', leaderless: expect.any(Number) })
  const receive = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 30, WaitTimeSeconds: 1 }
  const request = { ...receive, MessageAttributeNames: ['SCHEDULED_TIME'] }
  expect(queue.requests.map(({ body }) => JSON.parse(body))).toEqual([request, request])
  expect(new Set(queue.requests.map(({ headers }) => headers['x-amz-target']))).toEqual(
    new Set(['AmazonSQS.ReceiveMessage']),
  )
})

const wrongDays = 'HISTORY_DAYS is "2592000", not a whole number of days from 0 to 3650'

test.each([
  ['announcer', loadAnnouncer, {}, 'LEASE_TABLE is not set; EVENT_BUS is not set'],
  ['announcer', loadAnnouncer, { LEASE_TABLE: 'a', EVENT_BUS: 'b', HISTORY_DAYS: '2592000' }, wrongDays],
  ['check of leases', loadCheck, {}, 'LEASE_TABLE is not set'],
])('With wrong environment variables the %s does not load', async (program, load, variables, problems) => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  await expect(load()).rejects.toThrow(`The environment of the ${program} is wrong: ${problems}`)
})
