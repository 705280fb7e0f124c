import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import middy from '@middy/core'
import {
  DynamoDBLeaseStore,
  type ElectionEvent,
  type LeaderContext,
  type Lease,
  leaderOnly,
  withLease,
} from '../../../functions/election/index.ts'
import { simulatedClient } from '../../../functions/election/testing/dynamodb/client.ts'
import { isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import type { Connection } from './connection.ts'
import type { Handler, Invocation, Lambda } from './lambda.ts'
import type { SimulatedProcess } from './process.ts'
import { performTask } from './task.ts'
import { LEASE, LEASES } from './tenure.ts'
import type { World } from './world.ts'

/** The candidates' function in one process: the shipped code on the process's clock and connection. */
export function functionOf(world: World, process: SimulatedProcess, connection: Connection): Handler {
  const { setting, lambda, beliefs, billing } = world
  const { clock } = process
  // As DynamoDBLeaseStore's own client and that of the billing function.
  const raw = simulatedClient((...request) => connection.send(...request), { maxAttempts: 3 })
  const client = DynamoDBDocumentClient.from(raw, { marshallOptions: { removeUndefinedValues: true } })
  const options = {
    store: new DynamoDBLeaseStore({ tableName: LEASES, client, clock }),
    lease: LEASE,
    leaseMs: setting.leaseMs,
    waitMs: setting.waitMs,
    heartbeat: setting.heartbeat,
    clock,
    onEvent: (event: ElectionEvent) => beliefs.electionEvent(event),
  }
  const task = async (lease: Lease, invocation: Invocation): Promise<string> => {
    invocation.task = 'running'
    beliefs.taskBegins(invocation, lease)
    try {
      if (billing !== undefined) return await billing.perform(lease, client, process)
      return await performTask(lease, { world, invocation, client })
    } finally {
      invocation.task = 'ended'
    }
  }
  if (setting.entry !== 'leaderOnly') return directCall(setting.entry, options, process, lambda, task)
  const { timeoutEarlyInMillis } = setting
  const handler = middy({ timeoutEarlyInMillis })
    .use(leaderOnly({ ...options, timeoutEarlyInMillis }))
    .handler(async (_event: unknown, context: LeaderContext) => await task(context.lease, lambda.invocationOf(context)))
  // The middleware adds the lease to Lambda's context.
  return async (event, context) => await Reflect.apply(handler, undefined, [event, context])
}

function directCall(
  entry: 'withLease' | 'standalone',
  options: { readonly store: DynamoDBLeaseStore; readonly lease: string },
  process: SimulatedProcess,
  lambda: Lambda,
  task: (lease: Lease, invocation: Invocation) => Promise<string>,
): Handler {
  return async (event, context) => {
    const { tick, periodMs }: Record<string, unknown> = isObject(event) ? event : {}
    if (typeof tick !== 'string' || typeof periodMs !== 'number') throw new Error('An event without a tick')
    const invocation = lambda.invocationOf(context)
    const caller = entry === 'withLease' ? { context } : { candidate: `${process.name}/${context.awsRequestId}` }
    return await withLease({ ...options, ...caller, tick, periodMs }, (lease) => task(lease, invocation))
  }
}
