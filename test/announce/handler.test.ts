/** The functions as Lambda loads them, on DynamoDB Local and an EventBridge of their own. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, inject, onTestFinished, test, vi } from 'vitest'
import { readAnnouncerEnvironment, readOverdueEnvironment } from '../../functions/announce/environment.ts'
import { editRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { live } from './steps.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
  vi.restoreAllMocks()
})

async function eventBridge() {
  const targets: string[] = []
  const details: string[] = []
  const server = createServer(async (request, response) => {
    targets.push(String(request.headers['x-amz-target']))
    const { Entries } = JSON.parse(await text(request))
    for (const { DetailType } of Entries) details.push(DetailType)
    response.setHeader('content-type', 'application/x-amz-json-1.1')
    response.end(JSON.stringify({ FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: '1' })) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { endpoint: `http://127.0.0.1:${address.port}`, targets, details }
}

async function setEnvironment(more: Readonly<Record<string, string>> = {}) {
  const client = localClient(inject('dynamodbEndpoint'))
  onTestFinished(() => client.destroy())
  const table = await createLeaseTable(client)
  const environment = {
    AWS_ENDPOINT_URL_DYNAMODB: inject('dynamodbEndpoint'),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    LEASE_TABLE: table,
    ...more,
  }
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => written.push(String(line)) > 0)
  return { client, table, written }
}

test('The announcer writes history, sends events and measures', async () => {
  const bus = await eventBridge()
  const { client, table, written } = await setEnvironment({
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.endpoint,
    EVENT_BUS: 'tenure',
  })
  const { leases, tenures } = await live([
    { do: 'acquire', lease: 'billing', who: 'ann', elapsedMs: 0 },
    { do: 'complete', lease: 'billing', elapsedMs: 700 },
  ])
  const { handler } = await import('../../functions/announce/handler.ts')
  expect(await handler({ Records: leases.records })).toEqual({ batchItemFailures: [] })
  expect(bus.targets).toEqual(['AWSEvents.PutEvents', 'AWSEvents.PutEvents'])
  expect(bus.details).toEqual(['LeaderElected', 'LeaderReleased', 'TickCompleted'])
  const [token] = [...tenures.keys()].map((key) => key.replace('billing/', ''))
  const Key = { lease: { S: 'billing' }, record: { S: `TENURE#${token?.padStart(16, '0')}` } }
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key }))
  expect(Item).toMatchObject({ candidate: { S: 'ann' }, outcome: { S: 'completed' } })
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { elected: 1 },
    { ticksCompleted: 1, tickDuration: 700 },
  ])
})

test('The check for overdue ticks measures', async () => {
  const { client, table, written } = await setEnvironment()
  await editRow(client, table, { completedTick: new Date(Date.now() - 150_000).toISOString() })
  const { handler } = await import('../../functions/announce/overdue-handler.ts')
  await handler({ leases: [{ lease: 'billing', periodMs: 60_000 }] })
  expect(written.map((line) => JSON.parse(line))).toMatchObject([{ lease: 'billing', ticksOverdue: 2 }])
})

test('Their environments name table and bus; how long history is kept may be left out', () => {
  const given = { LEASE_TABLE: 'leases', EVENT_BUS: 'default' }
  expect(readAnnouncerEnvironment(given)).toEqual({ leaseTable: 'leases', eventBus: 'default', historyDays: 30 })
  expect(readAnnouncerEnvironment({ ...given, HISTORY_DAYS: '7' })).toMatchObject({ historyDays: 7 })
  expect(readAnnouncerEnvironment({ ...given, HISTORY_DAYS: '0' })).toMatchObject({ historyDays: 0 })
  expect(readOverdueEnvironment(given)).toEqual({ leaseTable: 'leases' })
})

test.each([
  [{}, 'The environment of the announcer is wrong: LEASE_TABLE is not set; EVENT_BUS is not set'],
  [
    { LEASE_TABLE: 'leases', EVENT_BUS: ' ', HISTORY_DAYS: '1.5' },
    'EVENT_BUS is not set; HISTORY_DAYS is "1.5", not a whole number of days from 0',
  ],
  [{ LEASE_TABLE: 'leases', EVENT_BUS: 'default', HISTORY_DAYS: '2592000' }, 'HISTORY_DAYS is "2592000"'],
])('A wrong environment is told when the function loads, with all that is wrong: %j', (variables, message) => {
  expect(() => readAnnouncerEnvironment(variables)).toThrow(message)
})

test('So is that of the check', () => {
  expect(() => readOverdueEnvironment({})).toThrow(
    'The environment of the check for overdue ticks is wrong: LEASE_TABLE is not set',
  )
})
