// @ts-nocheck
import type { InvokeCommand } from '@aws-sdk/client-lambda'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import middy from '@middy/core'
import type { Continuation } from '../../../functions/election/continuation.ts'
import {
  DynamoDBLeaseStore,
  type ElectionEvent,
  type LeaderContext,
  type Lease,
  leaderOnly,
  withLease,
} from '../../../functions/election/index.ts'
import { selfInvoke } from '../../../functions/election/self-invoke.ts'
import { type Send, shareTransport, simulatedClient } from '../../../functions/election/testing/dynamodb/client.ts'
import type { Connection } from './connection.ts'
import type { Handler, Invocation } from './lambda.ts'
import type { SimulatedProcess } from './process.ts'
import { LEASE, LEASES } from './records.ts'
import { Task } from './task.ts'
import type { World } from './world.ts'

/** The candidates' function in one process: the shipped code on the process's clock and connection. */
export function functionOf(world: World, process: SimulatedProcess, connection: Connection): Handler {
  const { setting, lambda, beliefs, billing, continuations } = world
  const { clock } = process
  // As DynamoDBLeaseStore's own client and that of the billing function.
  const send: Send = (...request) => connection.send(...request)
  const raw = simulatedClient(send, { maxAttempts: 3 }, setting)
  for (const name of UNREAD) raw.middlewareStack.remove(name)
  const client = DynamoDBDocumentClient.from(raw, { marshallOptions: { removeUndefinedValues: true } })
  shareTransport(raw, client)
  const options = {
    store: new DynamoDBLeaseStore({ tableName: LEASES, client, clock }),
    lease: LEASE,
    leaseMs: setting.leaseMs,
    waitMs: setting.waitMs,
    heartbeat: setting.heartbeat,
    schedule: rateOf(setting.periodMs),
    clock,
    onEvent: (event: ElectionEvent) => beliefs.electionEvent(event),
  }
  const invoking = { send: ({ input }: InvokeCommand) => continuations.invoke(process, input) }
  const continues = setting.parts > 1
  const task = async (lease: Lease, invocation: Invocation): Promise<string> => {
    invocation.task = 'running'
    beliefs.taskBegins(invocation, lease)
    try {
      if (billing !== undefined) return await billing.perform(lease, client, process)
      return await new Task(world, invocation, client, lease).perform()
    } finally {
      invocation.task = 'ended'
    }
  }
  if (setting.entry === 'leaderOnly') {
    const { timeoutEarlyInMillis } = setting
    const handler = middy({ timeoutEarlyInMillis })
      .use(
        leaderOnly({
          ...options,
          timeoutEarlyInMillis,
          ...(continues && { continueBy: selfInvoke({ client: invoking }) }),
        }),
      )
      .handler(async (_event: unknown, context: LeaderContext) => task(context.lease, lambda.invocationOf(context)))
    // The middleware adds the lease to Lambda's context.
    return async (event, context) => await Reflect.apply(handler, undefined, [event, context])
  }
  return async (event, context) => {
    const { tick, periodMs, leaseContinuation: continuation } = event
    const isInLambda = setting.entry === 'withLease'
    const caller = isInLambda ? { context } : { candidate: `${process.name}/${context.awsRequestId}` }
    const invocation = lambda.invocationOf(context)
    const inLambda = selfInvoke({ client: invoking, event })
    const continueBy = (next: Continuation) => inLambda({ ...next, context }) // elsewhere there is no context
    const continued = { ...(continues && { continueBy }), ...(continuation !== undefined && { continuation }) }
    return await withLease({ ...options, ...caller, ...continued, tick, periodMs }, (lease) => task(lease, invocation))
  }
}

/** Layers whose headers are not read, and which take time. */
const UNREAD = ['hostHeader', 'logger', 'recursionDetection', 'getUserAgent'].map((name) => `${name}Middleware`)

const rateOf = (periodMs: number) => `rate(${periodMs / 60_000} ${periodMs === 60_000 ? 'minute' : 'minutes'})`
