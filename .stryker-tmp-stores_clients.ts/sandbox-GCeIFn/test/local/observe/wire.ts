/** The real library on a DynamoDB in memory, with a recorder at both ends of the wire between them. */
// @ts-nocheck

import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { DynamoDBLeaseStore, type Lease, type LeaseOptions, withLease } from '../../../functions/election/index.ts'
import { simulatedClient } from '../../../functions/election/testing/dynamodb/client.ts'
import { SimulatedDynamoDB } from '../../../functions/election/testing/dynamodb/database.ts'
import type { Call, Interceptor, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import { compose } from '../../../infra/local/lambda-host/interceptor.ts'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import { Recorder } from '../../../infra/local/observe/recorder.ts'
import { editRow } from '../../support/lease-row.ts'

export const LEASES = 'leases'
export const ROWS = 'rows'
export const TICK = '2024-01-31T00:00:00.000Z'
export const NEXT_TICK = '2024-01-31T01:00:00.000Z'
/** Too long for an automatic renewal during a test. */
const LEASE_MS = 600_000
/** The recorder's clock stands still. */
export const NOW_MS = Date.UTC(2026, 10, 21, 6)

type Exchange = { readonly call: Call; readonly reply: Reply }

export function wire() {
  const database = new SimulatedDynamoDB()
  database.createTable({ name: LEASES, partitionKey: 'lease', sortKey: 'record' })
  database.createTable({ name: ROWS, partitionKey: 'id' })

  const entries: Entry[] = []
  const exchanges: Exchange[] = []
  const recorder = new Recorder({ leaseTable: LEASES, add: (entry) => entries.push(entry), now: () => NOW_MS })
  const faults: Interceptor[] = []
  const behind: (() => Promise<void>)[] = []
  const keep: Interceptor = async (call, forward) => {
    const reply = await forward()
    exchanges.push({ call, reply })
    await behind.shift()?.()
    return reply
  }
  const injected: Interceptor = (call, forward) => faults.shift()?.(call, forward) ?? forward()
  const intercept = compose(recorder.atFunction, injected, recorder.atService, keep)

  /** A client whose requests belong to this invocation. */
  const clientOf = (requestId: string) =>
    DynamoDBDocumentClient.from(
      simulatedClient(async (operation, body) => {
        const target = typeof body['TableName'] === 'string' ? body['TableName'] : ''
        const reply = await intercept({ service: 'dynamodb', operation, target, body, requestId }, async () => {
          const answer = database.execute(operation, body)
          return jsonReply(answer.body, answer.status)
        })
        if (reply === 'hangUp') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
        return { status: reply.statusCode, body: reply.body }
      }),
    )
  const optionsOf = (requestId: string, changes: Partial<LeaseOptions> = {}): LeaseOptions => ({
    store: new DynamoDBLeaseStore({ tableName: LEASES, client: clientOf(requestId) }),
    ...{ lease: 'billing', candidate: requestId, tick: TICK, leaseMs: LEASE_MS },
    ...changes,
  })

  return {
    ...{ recorder, entries, exchanges, clientOf, optionsOf },
    /** The invocations `a`, `b` … of the candidates 1, 2 … start. */
    start: (...requestIds: readonly string[]) => {
      for (const id of requestIds) recorder.invocationStarted(id, id.charCodeAt(0) - 96, TICK, 0)
    },
    /** For the next request, and for those after it. */
    inject: (...next: readonly Interceptor[]) => void faults.push(...next),
    /** Happens before the reply to the next request is on its way. */
    meanwhile: (what: () => Promise<void>) => void behind.push(what),
    /** Sends a request to the gateway, which replies with this body. */
    askGateway: (requestId: string, method: string | undefined, body: unknown) =>
      intercept(gatewayCall(method, requestId), async () => jsonReply(body)),
    /** Leads until the test ends the task. */
    lead: async (requestId: string, changes?: Partial<LeaseOptions>) => {
      const started = Promise.withResolvers<Lease>()
      const task = Promise.withResolvers<void>()
      const outcome = withLease(optionsOf(requestId, changes), (lease) => {
        started.resolve(lease)
        return task.promise
      }).catch((error: unknown) => error)
      void outcome.then(started.reject)
      const end = (error?: Error) => {
        if (error === undefined) task.resolve()
        else task.reject(error)
        return outcome
      }
      return { lease: await started.promise, finish: () => end(), fail: (error: Error) => end(error) }
    },
    /** Makes the lease expire. */
    expire: (lease = 'billing') =>
      editRow(
        simulatedClient((operation, body) => database.execute(operation, body)),
        LEASES,
        { expiresAtMs: Date.now() - 60_000 },
        lease,
      ),
  }
}

export type Wire = ReturnType<typeof wire>
type Led = Awaited<ReturnType<Wire['lead']>>

export function gatewayCall(method?: string, requestId = 'a'): Call {
  const body = method === undefined ? {} : { method }
  return { service: 'lambda', operation: 'Invoke', target: 'sandbox', body, requestId }
}

export const jsonReply = (body: unknown, statusCode = 200): Reply => ({
  statusCode,
  headers: {},
  body: JSON.stringify(body),
})

/** The request is applied, but its reply is dropped. */
export const dropReply: Interceptor = async (_, forward) => {
  await forward()
  return 'hangUp'
}

export const dropRequest: Interceptor = async () => 'hangUp'

export const put = (id = '1') => ({ TableName: ROWS, Item: { id } })

/** Candidate 1 leads as invocation `a`; its lease expires, and candidate 2 leads as `b`. */
export async function replacement(): Promise<Wire & { readonly old: Led; readonly current: Led }> {
  const scene = wire()
  scene.start('a', 'b')
  const old = await scene.lead('a')
  await scene.expire()
  return { ...scene, old, current: await scene.lead('b') }
}
