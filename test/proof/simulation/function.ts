import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import middy from '@middy/core'
import {
  DynamoDBLeaseStore,
  type ElectionEvent,
  type LeaderContext,
  type Lease,
  leaderOnly,
  StaleTokenError,
  type WriteInput,
  withLease,
} from '../../../functions/election/index.ts'
import { simulatedClient } from '../../../functions/election/testing/dynamodb/client.ts'
import type { Connection } from './connection.ts'
import { PROTECTED } from './effect-watch.ts'
import type { Handler, Invocation } from './lambda.ts'
import type { OwnWrite } from './own-writes.ts'
import type { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import { LEASE, LEASES } from './records.ts'
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
  if (setting.entry === 'leaderOnly') {
    const { timeoutEarlyInMillis } = setting
    const handler = middy({ timeoutEarlyInMillis })
      .use(leaderOnly({ ...options, timeoutEarlyInMillis }))
      .handler(async (_event: unknown, context: LeaderContext) => task(context.lease, lambda.invocationOf(context)))
    // The middleware adds the lease to Lambda's context.
    return async (event, context) => await Reflect.apply(handler, undefined, [event, context])
  }
  return async ({ tick, periodMs }, context) => {
    const isInLambda = setting.entry === 'withLease'
    const caller = isInLambda ? { context } : { candidate: `${process.name}/${context.awsRequestId}` }
    const invocation = lambda.invocationOf(context)
    return await withLease({ ...options, ...caller, tick, periodMs }, (lease) => task(lease, invocation))
  }
}

interface Job {
  readonly world: World
  readonly invocation: Invocation
  readonly client: DynamoDBDocumentClient
}

class TaskError extends Error {
  override readonly name = 'TaskError'
}

/** Claims a row, sleeps, saves a checkpoint and writes; sometimes it fails, hangs or gives up the lease. */
async function performTask(lease: Lease, job: Job): Promise<string> {
  const { world, invocation } = job
  const { setting, faults, beliefs } = world
  const { label } = invocation
  const random = new Random(setting.seed, `task ${label}`)
  const row = `row ${random.between(1, 2)}`
  const isLong = !faults.isOver && random.chance(setting.longTasksPerMille)
  if (setting.work === 'fence' && random.chance(800)) await lease.claim({ TableName: PROTECTED, Key: { id: row } })
  await sleep(random.spread(5, 200))
  if (random.chance(300)) await lease.saveCheckpoint({ tick: lease.tick, by: lease.fencingToken })
  if (isLong) await sleep(random.spread(2_000, Math.min(40_000, setting.timeoutMs / 2)))
  const failure = faults.draw('task fails', label)
  if (failure?.chance(500)) throw new TaskError('failed before its effect')
  await writeOnce(lease, row, `${label} op 1`, job, random)
  if (faults.draw('task hangs', label) !== undefined) await sleep(setting.timeoutMs)
  await sleep(random.spread(5, 200))
  if (random.chance(setting.work === 'guard' ? 800 : 300)) {
    await writeOnce(lease, `row ${random.between(1, 2)}`, `${label} op 2`, job, random)
  }
  if (setting.work === 'fence' && random.chance(500)) await writeRowsTwice(lease, job, random)
  if (failure !== undefined) throw new TaskError('failed after its effect')
  if (!faults.isOver && random.chance(60)) await giveUp(lease, job, random)
  else if (setting.work === 'completion') {
    beliefs.taskRequestsEnd(lease, 'complete')
    const counted = {
      Key: { id: `done ${lease.tick}` },
      UpdateExpression: 'SET #by = :by ADD times :one',
      ExpressionAttributeNames: { '#by': 'by' },
      ExpressionAttributeValues: { ':by': lease.fencingToken, ':one': 1 },
    }
    await lease.complete([{ Update: { TableName: PROTECTED, ...counted } }])
  }
  return 'done'
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Some tasks ignore an error of the release. */
async function giveUp(lease: Lease, { world, invocation }: Job, random: Random): Promise<void> {
  const cut = world.faults.draw('cut off while giving up', invocation.label)
  if (cut !== undefined) invocation.environment.connection.cutOff(cut.spread(1_000, 20_000))
  world.beliefs.taskRequestsEnd(lease, 'release')
  const released = lease.release()
  await (random.chance(500) ? released.catch(() => undefined) : released)
}

/** Through the lease, which sends nothing after a known loss, or as a fenced write that the task sends by itself. */
async function writeOnce(lease: Lease, id: string, op: string, job: Job, random: Random): Promise<void> {
  const { setting, ownWrites } = job.world
  const input = update(lease, id, op)
  const write = { op, row: id, token: lease.fencingToken }
  if (setting.work === 'guard') {
    await ownWrites.watch({ ...write, how: 'transact' }, () => lease.transact([{ Update: input }]))
  } else if (random.chance(600)) await send(lease, { ...write, how: 'send' }, input, job)
  else await job.client.send(new UpdateCommand(lease.fence(input)))
}

/** Writes one row or both; the two do not wait for each other. */
async function writeRowsTwice(lease: Lease, job: Job, random: Random): Promise<void> {
  const rows = random.chance(300) ? ['row 1', 'row 2'] : [`row ${random.between(1, 2)}`]
  const { seed } = job.world.setting
  const writing = rows.map((id) => writeTwice(lease, id, job, new Random(seed, `${id} of ${job.invocation.label}`)))
  await allOf(writing)
}

/** Waits for all, also if one fails. */
async function allOf(writing: readonly Promise<void>[], mayFail: (error: unknown) => boolean = () => false) {
  const failed = (await Promise.allSettled(writing)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected' && !mayFail(failed.reason)) throw failed.reason
}

/** One write after another, or side by side; the first perhaps only if this leader has not written the row before. */
async function writeTwice(lease: Lease, id: string, job: Job, random: Random): Promise<void> {
  const { label } = job.invocation
  const isConditional = random.chance(400)
  const isSideBySide = random.chance(300)
  const goesOn = random.chance(500)
  const common = { row: id, token: lease.fencingToken, how: 'send' } as const
  const [first, second] = [`${label} op 3 on ${id}`, `${label} op 4 on ${id}`]
  const input = update(lease, id, first)
  const conditional = isConditional ? { ...input, ConditionExpression: NOT_MINE } : input
  const firstSent = send(lease, { ...common, op: first, isConditional }, conditional, job)
  const sendSecond = () => send(lease, { ...common, op: second }, update(lease, id, second), job)
  const putSecond = () => {
    const Item = { id, by: lease.fencingToken, tick: lease.tick, op: second, writes: 1 }
    return send(lease, { ...common, op: second, isPut: true }, { TableName: PROTECTED, Item }, job)
  }
  if (isSideBySide) return await allOf([firstSent, random.chance(500) ? sendSecond() : putSecond()], isOfCondition)
  // Some tasks go on after a write that got no answer.
  await firstSent.catch((error: unknown) => {
    if (!goesOn && !isOfCondition(error)) throw error
  })
  await sleep(random.spread(1, job.world.faults.isOver ? 100 : 3_000))
  await sendSecond()
}

function isOfCondition(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}

async function send(lease: Lease, write: OwnWrite, input: WriteInput, job: Job): Promise<void> {
  const { world, invocation } = job
  const frozen = world.faults.draw('frozen while writing', write.op)
  if (frozen !== undefined) freezeWithoutAnswer(job, frozen.spread(2_000, 60_000), frozen.chance(500))
  try {
    await world.ownWrites.watch(write, () => lease.send(input))
  } catch (error) {
    if (error instanceof StaleTokenError) world.beliefs.replacedByFence(invocation, lease)
    throw error
  }
}

/** Freezes the process, and drops its request or the reply. */
function freezeWithoutAnswer({ world, invocation }: Job, forMs: number, arrives: boolean): void {
  const { process, connection } = invocation.environment
  if (!arrives) connection.cutOff(forMs + 1)
  else world.timeline.after(0, undefined, () => connection.cutOff(forMs + 1))
  world.lambda.freeze(process, forMs)
}

const NOT_MINE = 'attribute_not_exists(#by) OR #by <> :by'

function update(lease: Lease, id: string, op: string) {
  return {
    TableName: PROTECTED,
    Key: { id },
    UpdateExpression: 'SET #by = :by, #tick = :tick, #op = :op ADD #writes :one',
    ExpressionAttributeNames: { '#by': 'by', '#tick': 'tick', '#op': 'op', '#writes': 'writes' },
    ExpressionAttributeValues: { ':by': lease.fencingToken, ':tick': lease.tick, ':op': op, ':one': 1 },
  }
}
