/** The procedures of docs/operations.md, with its own expressions, on a lease that candidates use meanwhile. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AttributeValue,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { DynamoDBLeaseStore, Election, type Lease, LeaseLostError, withLease } from '../functions/election/index.ts'
import { TENURE_PREFIX } from '../functions/election/stores/row.ts'
import { canonicalTick } from '../functions/election/tick.ts'
import { rawRow } from './support/lease-row.ts'
import { createLeaseTable, localClient } from './support/tables.ts'

const OPERATIONS = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8')
const client = localClient(inject('dynamodbEndpoint'))
afterAll(() => client.destroy())

const TICK = '2026-11-21T06:00:00.000Z'
const NEXT_TICK = '2026-11-21T07:00:00.000Z'

/** The value of a flag in the command under this heading, as the shell reads it. */
function flagIn(procedure: string, flag: string): string {
  const text = OPERATIONS.slice(OPERATIONS.indexOf(procedure.startsWith('#') ? procedure : `**${procedure}`))
  const [, , value] = new RegExp(`--${flag} (?:\\\\\\s+)?(["'])(.+?)\\1`, 's').exec(text) ?? []
  if (value === undefined) throw new Error(`the procedure "${procedure}" has no --${flag}`)
  return value.replaceAll('\\\n', '')
}

async function aLease() {
  const tableName = await createLeaseTable(client)
  const lead = (tick: string, task: (lease: Lease) => unknown = () => 'done') =>
    withLease({ store: new DynamoDBLeaseStore({ tableName, client }), lease: 'billing', tick }, task)
  return { tableName, lead, row: () => rawRow(client, tableName) }
}

async function keepCandidatesOut(TableName: string, lease?: string): Promise<void> {
  await update(TableName, 'Keep all candidates out.', { NOW_MS: Date.now() }, lease)
}

/** Runs the `update-item` of a procedure, with these values of the words in capitals if it has values. */
async function update(TableName: string, procedure: string, words?: Record<string, unknown>, lease?: string) {
  const flag = (name: string) => flagIn(procedure, name)
  const wordOf = (word: string) => String(words?.[word] ?? word)
  const values = () => JSON.parse(flag('expression-attribute-values').replaceAll(/[A-Z]+_?[A-Z]+/g, wordOf))
  await client.send(
    new UpdateItemCommand({
      TableName,
      Key: { ...JSON.parse(flag('key')), ...(lease === undefined ? {} : { lease: { S: lease } }) },
      UpdateExpression: flag('update-expression'),
      ConditionExpression: flag('condition-expression'),
      ExpressionAttributeValues: words === undefined ? undefined : values(),
    }),
  )
}

/** An operator's change by hand. */
async function change(TableName: string, UpdateExpression: string, values: Record<string, AttributeValue>) {
  const Key = { lease: { S: 'billing' }, record: { S: 'LEASE' } }
  await client.send(new UpdateItemCommand({ TableName, Key, UpdateExpression, ExpressionAttributeValues: values }))
}

it('the commands of "Who leads" read the lease row, and the newest tenures first', async () => {
  const { tableName: TableName, lead, row } = await aLease()
  await lead(TICK)
  const record = await client.send(new GetItemCommand({ TableName, Key: JSON.parse(flagIn('# who leads', 'key')) }))
  expect(record.Item).toEqual(await row())
  const tenures = ['1', '2'].map((token) => ({ lease: { S: 'billing' }, record: { S: `${TENURE_PREFIX}${token}` } }))
  for (const Item of tenures) await client.send(new PutItemCommand({ TableName, Item }))
  const flag = (name: string) => flagIn('# the last ten tenures', name)
  const query = new QueryCommand({
    TableName,
    KeyConditionExpression: flag('key-condition-expression'),
    ExpressionAttributeNames: JSON.parse(flag('expression-attribute-names')),
    ExpressionAttributeValues: JSON.parse(flag('expression-attribute-values')),
    ScanIndexForward: false,
  })
  expect((await client.send(query)).Items).toEqual(tenures.toReversed())
})

it('keeping all candidates out makes a late one stand by, while the leader at work completes its tick', async () => {
  const { tableName, lead } = await aLease()
  const outcome = await lead(TICK, async () => {
    await keepCandidatesOut(tableName)
    expect(await lead(NEXT_TICK)).toMatchObject({ status: 'standby' })
  })
  expect(outcome).toMatchObject({ status: 'completed' })
  expect(await lead(NEXT_TICK)).toMatchObject({ status: 'standby', reason: 'paused' })
  // It creates no row if there is none, because that would be a damaged one.
  const empty = keepCandidatesOut((await aLease()).tableName)
  await expect(empty).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
})

it('a moved lease continues its tokens and ticks, and a late event at the old table leads nothing', async () => {
  const old = await aLease()
  const moved = await aLease()
  await old.lead(TICK)
  await keepCandidatesOut(old.tableName)
  const { pausedUntilMs: _until, pausedBy: _by, holder: _holder, ...Item } = { ...(await old.row()) }
  const ConditionExpression = flagIn('Move a lease', 'condition-expression')
  const put = new PutItemCommand({ TableName: moved.tableName, Item, ConditionExpression })
  await client.send(put)
  expect(await moved.lead(TICK)).toMatchObject({ status: 'standby', reason: 'tickDone' })
  const fencingToken = Number(Item['fencingToken']?.N) + 1
  expect(await moved.lead(NEXT_TICK)).toMatchObject({ status: 'completed', fencingToken })
  expect(await old.lead(NEXT_TICK)).toMatchObject({ status: 'standby', reason: 'paused' })
  await expect(client.send(put)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
})

describe('doing a tick again', () => {
  const HOUR_MS = 3_600_000
  const DAILY_MS = 23 * HOUR_MS

  /** The payload of the command, and the completed tick that it follows. */
  const [, completed = ''] = /After `([^`]+)`:/.exec(OPERATIONS.slice(OPERATIONS.indexOf('**Do a tick again'))) ?? []
  const { tick: repeated }: { tick: string } = JSON.parse(flagIn('Do a tick again', 'payload'))

  it.each([
    ['an hourly rate that fires at 47 minutes past', HOUR_MS, completed, '2026-11-21T07:47:00Z'],
    ['an hourly rate that fires with the hour', HOUR_MS, completed, '2026-11-21T07:00:00Z'],
    ['a cron, daily, with a period of 23 hours', DAILY_MS, '2026-11-21T06:00:00Z', '2026-11-22T06:00:00Z'],
  ])('as it is written skips no run of %s', async (_, periodMs, regular, next) => {
    const { lead, row } = await aLease()
    const floored = canonicalTick(regular, periodMs)
    await lead(floored)
    expect((await row())?.['completedTick']).toEqual({ S: floored })
    const again = periodMs === HOUR_MS ? repeated : canonicalTick(Date.parse(floored) + 1)
    expect(await lead(again)).toMatchObject({ status: 'completed' })
    expect(await lead(floored)).toMatchObject({ status: 'standby', reason: 'superseded' })
    expect(await lead(canonicalTick(next, periodMs))).toMatchObject({ status: 'completed' })
  })

  it('with the present time supersedes the next run, or is its tick if floored to the period', async () => {
    const { lead } = await aLease()
    await lead(canonicalTick('2026-11-21T05:47:00Z', HOUR_MS))
    expect(await lead('2026-11-21T06:20:00Z')).toMatchObject({ status: 'completed' })
    const next = canonicalTick('2026-11-21T06:47:00Z', HOUR_MS)
    expect(await lead(next)).toMatchObject({ status: 'standby', reason: 'superseded' })
    const other = await aLease()
    await other.lead(canonicalTick('2026-11-21T06:07:00Z', HOUR_MS))
    const floored = canonicalTick('2026-11-21T06:20:00Z', HOUR_MS)
    expect(await other.lead(floored)).toMatchObject({ status: 'standby', reason: 'tickDone' })
  })
})

it('a leader that hangs learns at its next write that its lease was taken; the tick can be led at once', async () => {
  const { tableName, lead, row } = await aLease()
  const outcome = lead(TICK, async (lease) => {
    await change(tableName, 'SET attempt = :other REMOVE holder', { ':other': { S: 'an operator' } })
    expect(await lead(TICK)).toMatchObject({ status: 'completed', fencingToken: lease.fencingToken + 1 })
    await lease.renew()
  })
  await expect(outcome).rejects.toThrow(LeaseLostError)
  expect((await row())?.['completedTick']).toEqual({ S: TICK })
})

it('a pause stops a chain at its hand-over, and a reservation that is freed lets another candidate go on', async () => {
  const { tableName, lead, row } = await aLease()
  const store = new DynamoDBLeaseStore({ tableName, client })
  const first = { store, lease: 'billing', tick: TICK, continueBy: () => Promise.resolve() }
  await withLease(first, (lease) => lease.handOver('half'))
  const reservedFor = (await row())?.['reservedFor']?.S
  expect(await lead(TICK)).toMatchObject({ status: 'standby', reason: 'held' })
  await keepCandidatesOut(tableName)
  expect(await withLease({ ...first, continuation: reservedFor }, () => 'led')).toMatchObject({ reason: 'paused' })
  await update(tableName, 'Free a reservation.')
  await change(tableName, 'SET pausedUntilMs = :now', { ':now': { N: '0' } })
  const second = await lead(TICK, (lease) => lease.checkpoint)
  expect(second).toMatchObject({ status: 'completed', result: 'half' })
})

it('a server hands over to the candidate that an operator names, and ends its turn during a pause', async () => {
  const { tableName } = await aLease()
  const over = new AbortController()
  const led: string[] = []
  const stand = (candidate: string) => {
    const times = { leaseMs: 600, pollMs: 50, refreshMs: 200, headStartMs: 0, maxClockSkewMs: 500 }
    const store = new DynamoDBLeaseStore({ tableName, client })
    const election = new Election({ store, lease: 'scheduler', candidate, ...times })
    const campaign = async () => {
      for await (const { signal } of election.campaign({ signal: over.signal })) {
        led.push(candidate)
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }
    }
    return { ended: campaign(), leader: () => election.leader({ consistent: true }) }
  }
  const ann = stand('ann')
  await expect.poll(() => led).toEqual(['ann'])
  const bob = stand('bob')
  const [NOW_MS, TOKEN] = [Date.now(), (await ann.leader())?.fencingToken]
  const words = { CANDIDATE: 'bob', TOKEN, NOW_MS, UNTIL_MS: NOW_MS + 60_000 }
  const handOver = (to: object) => update(tableName, "Hand a server's lease over.", { ...words, ...to })
  await handOver({})
  await expect(handOver({ CANDIDATE: 'cid' })).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
  await expect.poll(() => led).toEqual(['ann', 'bob'])
  await keepCandidatesOut(tableName, 'scheduler')
  await expect.poll(bob.leader).toBeUndefined()
  await update(tableName, '### Standing elections')
  await expect.poll(() => led.length).toBe(3)
  over.abort()
  await Promise.all([ann.ended, bob.ended])
})

it('a row repaired after a restore keeps completed ticks, and later tokens are higher than all before', async () => {
  const { tableName, lead } = await aLease()
  const first = await lead(TICK)
  await change(tableName, 'SET completedTick = :tick, fencingToken = :now, attempt = :other REMOVE checkpoint', {
    ':tick': { S: TICK },
    ':now': { N: String(Date.now()) },
    ':other': { S: 'an operator' },
  })
  expect(await lead(TICK)).toMatchObject({ status: 'standby', reason: 'tickDone' })
  const next = await lead(NEXT_TICK)
  const tokens = [first, next].map((outcome) => ('fencingToken' in outcome ? outcome.fencingToken : 0))
  expect(tokens[1]).toBeGreaterThan((tokens[0] ?? 0) + 1)
})
