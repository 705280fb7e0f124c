import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { Lease, TransactItem } from '../../functions/election/index.ts'
import { PROTECTED } from './effect-watch.ts'
import type { Faults } from './faults.ts'
import type { Invocation } from './lambda.ts'
import { Random } from './random.ts'
import type { Setting } from './setting.ts'

export interface Job {
  readonly setting: Setting
  readonly invocation: Invocation
  readonly faults: Faults
  readonly client: DynamoDBDocumentClient
  readonly sleep: (ms: number) => Promise<void>
  readonly nowMs: () => number
  /** The task is about to give up the lease itself. */
  readonly asksForEnd: (how: 'release' | 'complete') => void
  readonly cutOff: (forMs: number) => void
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
  await effect(lease, row, job, random)
  if (faults.draw('task hangs', label, job.nowMs()) !== undefined) await job.sleep(setting.timeoutMs)
  await job.sleep(random.spread(5, 200))
  if (random.chance(setting.work === 'guard' ? 800 : 300))
    await effect(lease, `row ${random.between(1, 2)}`, job, random)
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
async function effect(lease: Lease, id: string, { setting, client }: Job, random: Random): Promise<void> {
  if (setting.work === 'guard') {
    await lease.transact([{ Update: written(lease, id) }])
    return
  }
  if (random.chance(600)) await lease.send(written(lease, id))
  else await client.send(new UpdateCommand(lease.fence(written(lease, id))))
}

function written(lease: Lease, id: string) {
  return {
    TableName: PROTECTED,
    Key: { id },
    UpdateExpression: 'SET #by = :by, #tick = :tick',
    ExpressionAttributeNames: { '#by': 'by', '#tick': 'tick' },
    ExpressionAttributeValues: { ':by': lease.fencingToken, ':tick': lease.tick },
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
