import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { type Lease, StaleTokenError, type TransactItem, type WriteInput } from '../../../functions/election/index.ts'
import { PROTECTED } from './effect-watch.ts'
import type { Faults } from './faults.ts'
import type { Invocation } from './lambda.ts'
import type { OwnWrite, OwnWrites } from './own-writes.ts'
import { Random } from './random.ts'
import type { Setting } from './setting.ts'

export interface Job {
  readonly setting: Setting
  readonly invocation: Invocation
  readonly faults: Faults
  readonly client: DynamoDBDocumentClient
  readonly ownWrites: OwnWrites
  readonly sleep: (ms: number) => Promise<void>
  readonly nowMs: () => number
  /** The task is about to give up the lease itself. */
  readonly asksForEnd: (how: 'release' | 'complete') => void
  readonly cutOff: (forMs: number) => void
  /** The process sleeps, and has no answer when it wakes: its request is lost, or the reply alone. */
  readonly freezeUnheard: (forMs: number, arrives: boolean) => void
  /** A write learned from its row that a newer leader has written it. */
  readonly replacedByFence: (lease: Lease) => void
}

/** What a task that fails throws. */
export class TaskError extends Error {
  override readonly name = 'TaskError'
}

/** A leader's work: it claims a row, thinks, saves where it is, and writes; sometimes it fails, hangs or gives up. */
export async function work(lease: Lease, job: Job): Promise<string> {
  const { setting, invocation, faults } = job
  const { label } = invocation
  const random = new Random(setting.seed, `task ${label}`)
  const row = `row ${random.between(1, 2)}`
  const isLong = !faults.over && random.chance(setting.longTasksPerMille)
  if (setting.work === 'fence' && random.chance(800)) await lease.claim({ TableName: PROTECTED, Key: { id: row } })
  await job.sleep(random.spread(5, 200))
  if (random.chance(300)) await lease.saveCheckpoint({ tick: lease.tick, by: lease.fencingToken })
  if (isLong) await job.sleep(random.spread(2_000, Math.min(40_000, setting.timeoutMs / 2)))
  const failure = faults.draw('task fails', label, job.nowMs())
  if (failure?.random.chance(500)) throw new TaskError('failed before its effect')
  await effect(lease, row, `${label} op 1`, job, random)
  if (faults.draw('task hangs', label, job.nowMs()) !== undefined) await job.sleep(setting.timeoutMs)
  await job.sleep(random.spread(5, 200))
  if (random.chance(setting.work === 'guard' ? 800 : 300))
    await effect(lease, `row ${random.between(1, 2)}`, `${label} op 2`, job, random)
  if (setting.work === 'fence' && random.chance(500)) await writeRowsTwice(lease, job, random)
  if (failure !== undefined) throw new TaskError('failed after its effect')
  if (!faults.over && random.chance(60)) await giveUp(lease, job, random)
  else if (setting.work === 'completion') {
    job.asksForEnd('complete')
    await lease.complete([{ Update: counted(lease) }])
  }
  return 'done'
}

/** Some tasks do not care whether they were heard, and return as if all were well. */
async function giveUp(
  lease: Lease,
  { invocation, faults, asksForEnd, cutOff, nowMs }: Job,
  random: Random,
): Promise<void> {
  const cut = faults.draw('cut off while giving up', invocation.label, nowMs())
  if (cut !== undefined) cutOff(cut.random.spread(1_000, 20_000))
  asksForEnd('release')
  const released = lease.release()
  await (random.chance(500) ? released.catch(() => undefined) : released)
}

/** With `send` a leader that knows of its loss sends nothing; a careless one sends a fenced write by itself. */
async function effect(lease: Lease, id: string, op: string, job: Job, random: Random): Promise<void> {
  const input = written(lease, id, op)
  const write = { op, row: id, token: lease.fencingToken, isConditional: false }
  if (job.setting.work === 'guard') {
    await job.ownWrites.watch({ ...write, how: 'transact' }, () => lease.transact([{ Update: input }]))
  } else if (random.chance(600)) await sendWatched(lease, { ...write, how: 'send' }, input, job)
  else await job.client.send(new UpdateCommand(lease.fence(input)))
}

/** One row or both: they are not in each other's way. */
async function writeRowsTwice(lease: Lease, job: Job, random: Random): Promise<void> {
  const rows = random.chance(300) ? ['row 1', 'row 2'] : [`row ${random.between(1, 2)}`]
  const { seed } = job.setting
  const writing = rows.map((id) => writeTwice(lease, id, job, new Random(seed, `${id} of ${job.invocation.label}`)))
  const failed = (await Promise.allSettled(writing)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/** One write after the other, or side by side; the first perhaps only if this leader has not written the row before. */
async function writeTwice(lease: Lease, id: string, job: Job, random: Random): Promise<void> {
  const { label } = job.invocation
  const isConditional = random.chance(400)
  const isSideBySide = random.chance(300)
  const goesOn = random.chance(500)
  const write = (op: string, conditional: boolean) =>
    sendWatched(
      lease,
      { op, row: id, token: lease.fencingToken, how: 'send', isConditional: conditional },
      conditional ? { ...written(lease, id, op), ConditionExpression: NOT_MINE } : written(lease, id, op),
      job,
    )
  const second = () => write(`${label} op 4 on ${id}`, false)
  const put = () => {
    const op = `${label} op 4 on ${id}`
    const watched = { op, row: id, token: lease.fencingToken, how: 'send', isConditional: false, isPut: true } as const
    const Item = { id, by: lease.fencingToken, tick: lease.tick, op, writes: 1 }
    return sendWatched(lease, watched, { TableName: PROTECTED, Item }, job)
  }
  const first = write(`${label} op 3 on ${id}`, isConditional)
  if (isSideBySide) {
    const both = await Promise.allSettled([first, random.chance(500) ? second() : put()])
    const failed = both.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected' && !isOfCondition(failed.reason)) throw failed.reason
    return
  }
  // What is refused by its own condition, or has no answer, is left at that by some.
  await first.catch((error: unknown) => {
    if (!goesOn && !isOfCondition(error)) throw error
  })
  await job.sleep(random.spread(1, job.faults.over ? 100 : 3_000))
  await second()
}

function isOfCondition(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}

async function sendWatched(lease: Lease, write: OwnWrite, input: WriteInput, job: Job): Promise<void> {
  const frozen = job.faults.draw('frozen while writing', write.op, job.nowMs())
  if (frozen !== undefined) {
    job.freezeUnheard(frozen.random.spread(2_000, 60_000), frozen.random.chance(500))
  }
  try {
    await job.ownWrites.watch(write, () => lease.send(input))
  } catch (error) {
    if (error instanceof StaleTokenError) job.replacedByFence(lease)
    throw error
  }
}

const NOT_MINE = 'attribute_not_exists(#by) OR #by <> :by'

function written(lease: Lease, id: string, op: string) {
  return {
    TableName: PROTECTED,
    Key: { id },
    UpdateExpression: 'SET #by = :by, #tick = :tick, #op = :op ADD #writes :one',
    ExpressionAttributeNames: { '#by': 'by', '#tick': 'tick', '#op': 'op', '#writes': 'writes' },
    ExpressionAttributeValues: { ':by': lease.fencingToken, ':tick': lease.tick, ':op': op, ':one': 1 },
  }
}

function counted(lease: Lease): NonNullable<TransactItem['Update']> {
  return {
    TableName: PROTECTED,
    Key: { id: `done ${lease.tick}` },
    UpdateExpression: 'SET #by = :by ADD #times :one',
    ExpressionAttributeNames: { '#by': 'by', '#times': 'times' },
    ExpressionAttributeValues: { ':by': lease.fencingToken, ':one': 1 },
  }
}
