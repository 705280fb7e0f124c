/** A lease table behind a proxy that loses, holds, forges and repeats messages, for tests of what crosses the wire. */
// @ts-nocheck

import { type DynamoDBClientConfig, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { inject, onTestFinished, vi } from 'vitest'
import { type Clock, type Lease, type LeaseOptions, systemClock, withLease } from '../../functions/election/index.ts'
import { describeLeaseRequest } from '../../functions/election/stores/describe.ts'
import { ManualClock } from '../../functions/election/testing/manual-clock.ts'
import { leaseRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'
import { TcpProxy, type WireRequest } from '../support/tcp-proxy.ts'
import { storeAt, tries } from './transport.ts'

export const TICK = '2026-11-21T05:00:00.000Z'
export const LEASE_MS = 30_000
export const SKEW_MS = 1_000
export const ALWAYS = Number.POSITIVE_INFINITY

const dynamodb = inject('dynamodbEndpoint')
export const direct = localClient(dynamodb)
/** For the store, which judges real replies by a real clock; only its pauses between tries are left out. */
export const impatient = { ...systemClock, sleep: async () => {} }
/** How often one request that gets no answer is sent. */
export const TRIES = tries()

export const sdk = (endpoint: string, config: DynamoDBClientConfig = {}) =>
  localClient(endpoint, { maxAttempts: TRIES, ...config })

/** What a request asks of a lease row; the operation of any other request, and of transactions. */
export function kindOf({ operation, body }: WireRequest): string {
  if (operation !== 'UpdateItem') return operation
  return describeLeaseRequest(operation, body, String(body.TableName))?.kind ?? operation
}
export const is = (kind: string) => (request: WireRequest) => kindOf(request) === kind
export const by = (candidate: string, kind: string) => (request: WireRequest) =>
  kindOf(request) === kind && request.body.ExpressionAttributeValues?.[':candidate']?.S === candidate

/** A lease table, and candidates whose only way to it is the proxy. */
export async function scene({ storeClock = impatient, ...config }: SceneOptions = {}) {
  const proxy = await TcpProxy.start(dynamodb)
  const client = sdk(proxy.endpoint, config)
  // The SDK pauses for a random time between two tries, which may be none.
  const random = vi.spyOn(Math, 'random').mockReturnValue(0)
  onTestFinished(async () => {
    random.mockRestore()
    client.destroy()
    await proxy.stop()
  })
  const tableName = await createLeaseTable(direct)
  const store = storeAt(proxy.endpoint, { tableName, client, clock: storeClock })
  const clock = new ManualClock()
  const names = { lease: 'billing', candidate: 'ann', tick: TICK, leaseMs: LEASE_MS, maxClockSkewMs: SKEW_MS }
  const options = (changes: Partial<LeaseOptions> = {}): LeaseOptions => ({ store, clock, ...names, ...changes })
  const task = vi.fn((lease: Lease) => lease.fencingToken)

  return {
    proxy,
    tableName,
    store,
    clock,
    options,
    /** The task of `run`: how often it ran shows who led. */
    task,
    run: (changes: Partial<LeaseOptions> = {}) => withLease(options(changes), task),
    row: () => leaseRow(direct, tableName),
    kinds: () => proxy.requests.map(kindOf),
  }
}

export interface SceneOptions extends DynamoDBClientConfig {
  readonly storeClock?: Clock
}

/** A counter outside the lease row: how often a task's effect took place. */
export const countUp = (TableName: string) => ({
  Update: {
    TableName,
    Key: { lease: 'effects', record: 'COUNT' },
    UpdateExpression: 'ADD effects :one',
    ExpressionAttributeValues: { ':one': 1 },
  },
})
export async function counted(TableName: string): Promise<number> {
  const Key = { lease: { S: 'effects' }, record: { S: 'COUNT' } }
  const { Item } = await direct.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))
  return Number(Item?.['effects']?.N ?? 0)
}
