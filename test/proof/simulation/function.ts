import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import middy from '@middy/core'
import {
  DynamoDBLeaseStore,
  type ElectionEvent,
  type LeaderContext,
  type Lease,
  leaderOnly,
  withLease,
} from '../../../functions/election/index.ts'
import type { Handler, Invocation, Lambda } from './lambda.ts'
import type { SimulatedProcess } from './process.ts'
import { work } from './task.ts'
import { LEASE, LEASES } from './tenure.ts'
import type { World } from './world.ts'

/** The candidates' function, as one process loads it: the shipped code, on this process's clock and wire. */
export function functionOf(
  world: World,
  lambda: Lambda,
  process: SimulatedProcess,
  client: DynamoDBDocumentClient,
  cutOff: (forMs: number) => void,
): Handler {
  const { setting, timeline, faults, leases, beliefs, effects, billing } = world
  const { clock } = process
  const options = {
    store: new DynamoDBLeaseStore({ tableName: LEASES, client, clock }),
    lease: LEASE,
    leaseMs: setting.leaseMs,
    waitMs: setting.waitMs,
    heartbeat: setting.heartbeat,
    clock,
    onEvent: (event: ElectionEvent) => beliefs.told(event),
  }
  const task = async (lease: Lease, invocation: Invocation): Promise<string> => {
    invocation.task = 'running'
    beliefs.taskBegins(invocation, lease)
    try {
      if (billing !== undefined) return await billing.work(lease, client, process)
      return await work(lease, {
        setting,
        invocation,
        faults,
        client,
        sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        nowMs: () => timeline.nowMs,
        asksForEnd: (how) => leases.endAsked(lease, how),
        cutOff,
        freezeUnheard: (forMs, arrives) => {
          if (!arrives) cutOff(forMs + 1)
          else timeline.after(0, undefined, () => cutOff(forMs + 1))
          lambda.freeze(process, forMs)
        },
        ownWrites: effects.ownWrites,
        replacedByFence: (of) => beliefs.replacedByFence(invocation, of),
      })
    } finally {
      invocation.task = 'ended'
    }
  }
  if (setting.entry !== 'leaderOnly') {
    return async (event, context) => {
      const { tick, periodMs } = readEvent(event)
      const invocation = lambda.invocationOf(context)
      const who = setting.entry === 'withLease' ? { context } : { candidate: `${process.name}/${context.awsRequestId}` }
      return await withLease({ ...options, ...who, tick, periodMs }, (lease) => task(lease, invocation))
    }
  }
  const { timeoutEarlyInMillis } = setting
  const handler = middy({ timeoutEarlyInMillis })
    .use(leaderOnly({ ...options, timeoutEarlyInMillis }))
    .handler(async (_event: unknown, context: LeaderContext) => await task(context.lease, lambda.invocationOf(context)))
  // Lambda knows nothing of the lease that the middleware will put on the context.
  return async (event, context) => await Reflect.apply(handler, undefined, [event, context])
}

function readEvent(event: unknown): { readonly tick: string; readonly periodMs: number } {
  const { tick, periodMs }: Record<string, unknown> = typeof event === 'object' && event !== null ? { ...event } : {}
  if (typeof tick !== 'string' || typeof periodMs !== 'number') throw new Error('An event without a tick')
  return { tick, periodMs }
}
