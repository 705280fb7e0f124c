/** The real library on DynamoDB Local, through the proxy of the local run, with a recorder at both ends of the wire. */
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { afterEach, inject } from 'vitest'
import { DynamoDBLeaseStore, type Lease, type LeaseOptions, withLease } from '../../../functions/election/index.ts'
import { compose } from '../../../infra/local/faults/compose.ts'
import { startDynamoDBProxy } from '../../../infra/local/lambda-host/dynamodb-proxy.ts'
import type { Call, Interceptor, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import { createRecorder } from '../../../infra/local/observe/recorder.ts'
import { editRow } from '../../support/lease-row.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp()
})

export const TICK = '2024-01-31T00:00:00.000Z'
export const NEXT_TICK = '2024-01-31T01:00:00.000Z'
/** So long that no test sees it renewed by itself. */
const LEASE_MS = 600_000
/** The recorder's clock stands still. */
export const NOW_MS = Date.UTC(2026, 10, 21, 6)

export interface Exchange {
  readonly call: Call
  readonly reply: Reply
}

export async function wire() {
  const direct = localClient(inject('dynamodbEndpoint'))
  cleanups.push(() => direct.destroy())
  const leaseTable = await createLeaseTable(direct)
  const rows = leaseTable.replace('leases', 'rows')
  await direct.send(
    new CreateTableCommand({
      TableName: rows,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  )

  const entries: Entry[] = []
  const exchanges: Exchange[] = []
  const recorder = createRecorder({ leaseTable, add: (entry) => entries.push(entry), now: () => NOW_MS })
  const faults: Interceptor[] = []
  const keep: Interceptor = async (call, forward) => {
    const reply = await forward()
    exchanges.push({ call, reply })
    return reply
  }
  const struck: Interceptor = (call, forward) => {
    const fault = faults.shift()
    return fault === undefined ? forward() : fault(call, forward)
  }
  const proxy = await startDynamoDBProxy({
    dynamodbEndpoint: inject('dynamodbEndpoint'),
    region: 'eu-central-1',
    accessKey: 'local',
    intercept: compose(recorder.atFunction, struck, recorder.atService, keep),
    requestOf: (headers) => headers['x-amz-security-token'] ?? '',
  })
  cleanups.push(proxy.stop)

  /** A client whose requests are those of this invocation. */
  const clientOf = (requestId: string) => {
    const client = localClient(proxy.url)
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local', sessionToken: requestId }
    client.config.credentials = async () => credentials
    cleanups.push(() => client.destroy())
    return DynamoDBDocumentClient.from(client)
  }
  const optionsOf = (requestId: string, changes: Partial<LeaseOptions> = {}): LeaseOptions => ({
    store: new DynamoDBLeaseStore({ tableName: leaseTable, client: clientOf(requestId) }),
    lease: 'billing',
    candidate: requestId,
    tick: TICK,
    leaseMs: LEASE_MS,
    ...changes,
  })

  return {
    ...recorder,
    leaseTable,
    rows,
    entries,
    exchanges,
    clientOf,
    optionsOf,
    /** What happens to the next request, and to those behind it. */
    strike: (...next: readonly Interceptor[]) => void faults.push(...next),
    /** Leads until it is told how to end. */
    lead: async (requestId: string, changes?: Partial<LeaseOptions>) => {
      const started = Promise.withResolvers<Lease>()
      const task = Promise.withResolvers<void>()
      const outcome = withLease(optionsOf(requestId, changes), (lease) => {
        started.resolve(lease)
        return task.promise
      }).catch((error: unknown) => error)
      void outcome.then(started.reject)
      const lease = await started.promise
      const finish = () => {
        task.resolve()
        return outcome
      }
      const fail = (error: Error) => {
        task.reject(error)
        return outcome
      }
      return { lease, finish, fail }
    },
    /** The lease's time is up, though nobody waited for it. */
    runOut: (lease = 'billing') => editRow(direct, leaseTable, { expiresAtMs: Date.now() - 60_000 }, lease),
  }
}

/** Carried out, and nobody is told. */
export const loseReply: Interceptor = async (_, forward) => {
  await forward()
  return 'hangUp'
}

export const neverArrives: Interceptor = async () => 'hangUp'
