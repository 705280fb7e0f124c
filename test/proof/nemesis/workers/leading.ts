/** What a worker does while it leads: it looks at its lease again and again, adds one item, and ends in one way or another. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { type Applied, type Lease, LeaseStoreError, StaleTokenError } from '../../../../functions/election/index.ts'
import type { Random } from '../../../../infra/programs/random.ts'
import { type HistoryFile, machineMs } from '../history.ts'
import type { Workload } from '../workloads.ts'
import { TASKS } from './tasks.ts'
import type { Labelled } from './wire-notes.ts'

export interface Leading {
  readonly who: string
  readonly attempt: string
  readonly op: string
  readonly workload: Workload
  readonly file: HistoryFile
  readonly random: Random
  readonly client: DynamoDBDocumentClient
  readonly table: string
  readonly leaseMs: number
  readonly labelled: Labelled
}

const LOOK_EVERY_MS = 20

/** Thrown by a task that fails on purpose. */
class TaskFailed extends Error {
  override readonly name = 'TaskFailed'
}

/** @throws whatever the library throws, and TaskFailed */
export async function lead(lease: Lease, leading: Leading): Promise<void> {
  const { workload, random, leaseMs, client, table, labelled } = leading
  let { op } = leading
  note(lease, leading, 'began', machineMs())
  look(lease, leading)
  const looking = setInterval(() => look(lease, leading), LOOK_EVERY_MS)
  try {
    if (chance(random, 0.06)) await lease.saveCheckpoint({ by: op })
    if (chance(random, 0.06)) await sleep(leaseMs * 1.3) // through several renewals
    if (chance(random, 0.06)) throw new TaskFailed('before the addition')
    const thinkMs = 2 + random() * 20
    const add = () => TASKS[workload.name](lease, op, { client, table, thinkMs, labelled })
    await add()
    look(lease, leading)
    if (workload.ticks) return // the completion carries the addition: it is acknowledged with the outcome
    acknowledge(leading, lease.fencingToken)
    if (workload.writesTwice && chance(random, 0.5)) {
      op = `${op}, again` // to the same row under the same token: a late copy of the first must not undo it
      await add()
      acknowledge({ ...leading, op }, lease.fencingToken)
    }
    await end(lease, random)
  } catch (error) {
    const { file, who, attempt } = leading
    const name = error instanceof Error ? error.name : 'Error'
    const of = { who, attempt, fencingToken: lease.fencingToken, op, atMs: machineMs() }
    file.write({ kind: 'failed', ...of, error: name, applied: appliedBy(error) })
    throw error
  } finally {
    clearInterval(looking)
  }
}

export function acknowledge({ file, who, attempt, op }: Leading, fencingToken: number, tick?: string): void {
  const ofTick = tick === undefined ? {} : { tick }
  file.write({ kind: 'acknowledged', who, attempt, fencingToken, op, ...ofTick, atMs: machineMs() })
}

/** Takes the time first: should this process be frozen in between, the lease is asked later, and the note stays true. */
function look(lease: Lease, leading: Leading): void {
  const atMs = machineMs()
  if (!lease.signal.aborted && lease.remainingMs() > 0) note(lease, leading, 'believes', atMs)
}

function note(lease: Lease, { file, who, attempt, op }: Leading, kind: 'began' | 'believes', atMs: number): void {
  const ofTick = lease.tick === undefined ? {} : { tick: lease.tick }
  file.write({ kind, who, attempt, fencingToken: lease.fencingToken, op, ...ofTick, atMs })
}

async function end(lease: Lease, random: Random): Promise<void> {
  if (chance(random, 0.15)) return await lease.release()
  if (chance(random, 0.1)) throw new TaskFailed('after the addition')
  if (chance(random, 0.1)) await lease.complete()
}

/** What the error says became of a write; one of DynamoDB itself with a status below 500 says that nothing was done. */
function appliedBy(error: unknown): Applied {
  if (error instanceof StaleTokenError || error instanceof LeaseStoreError) return error.applied
  return error instanceof Error && '$fault' in error && error.$fault === 'client' ? 'no' : 'unknown'
}

function chance(random: Random, probability: number): boolean {
  return random() < probability
}
