/** Measures how far leases are behind their schedules: the ticks since their last completed ones. */
// @ts-nocheck

import { DescribeTableCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { CorruptLeaseError } from '../election/errors.ts'
import { property } from '../election/json.ts'
import { count, type Measure } from '../election/measurements.ts'
import { isLeaseName, LEASE_NAME_RULE } from '../election/options.ts'
import { parseSchedule } from '../election/schedule.ts'
import { show } from '../election/show.ts'
import { LEASE_RECORD } from '../election/stores/row.ts'
import { isCanonicalTick } from '../election/tick.ts'
import type { Log } from './announce.ts'
import { checkEach } from './each-lease.ts'

const MOST_OVERDUE = 1_000

export type Progress = (lease: string) => Promise<number>

export interface OverdueCheckOptions {
  readonly progress: Progress
  readonly measure: Measure
  readonly log: Pick<Log, 'error'>
  /** Wall clock, epoch ms. @default Date.now */
  readonly now?: () => number
}

/**
 * Measures `ticksOverdue` of each lease that the event names.
 * @throws RangeError for a wrong event; Error at the end, if a lease could not be read
 */
export function overdueCheck({ progress, measure, log, now = Date.now }: OverdueCheckOptions) {
  return async (event: unknown): Promise<void> => {
    await checkEach(readWatchedLeases(event), 'overdue ticks', log, async ({ lease, schedule }) => {
      const lastDoneMs = await progress(lease)
      const nowMs = now()
      const { between } = await schedule.load()
      const overdue = between(lastDoneMs, nowMs + 1, MOST_OVERDUE)
      measure(lease, [count('ticksOverdue', overdue.length)], { atMs: nowMs })
    })
  }
}

/**
 * Reads the leases that the scheduled event names: `{ leases: [{ lease, schedule, timeZone }] }`.
 *
 * @throws RangeError for any other event, and for a wrong schedule
 */
export function readWatchedLeases(event: unknown) {
  const leases = property(event, 'leases')
  const entries: readonly unknown[] = Array.isArray(leases) ? leases : []
  const watched = entries.flatMap(readWatched)
  if (entries.length > 0 && watched.length === entries.length) return watched
  const wrong = show(entries.find((entry) => readWatched(entry).length === 0))
  throw new RangeError(
    `The event of the check for overdue ticks names ${entries.length} leases, of which one is ${wrong}. ` +
      'Give { "leases": [{ "lease": "billing", "schedule": "rate(1 hour)" }] } as the schedule\'s input, perhaps ' +
      `with a timeZone: each lease is ${LEASE_NAME_RULE}`,
  )
}

function readWatched(entry: unknown) {
  const [lease, schedule, timeZone] = ['lease', 'schedule', 'timeZone'].map((name) => property(entry, name))
  if (typeof lease !== 'string' || !isLeaseName(lease) || typeof schedule !== 'string') return []
  try {
    return [{ lease, schedule: parseSchedule(schedule, typeof timeZone === 'string' ? timeZone : undefined) }]
  } catch (cause) {
    throw new RangeError(`The event of the check for overdue ticks is wrong, at the lease "${lease}": ${cause}`, {
      cause,
    })
  }
}

/** Reads the highest completed tick of a lease, epoch ms; before the first one, when the table was created. */
export function leaseProgress(client: DynamoDBClient, TableName: string): Progress {
  let tableCreatedAtMs: number | undefined

  async function readTableCreation(): Promise<number> {
    const { Table } = await client.send(new DescribeTableCommand({ TableName }))
    if (Table?.CreationDateTime !== undefined) return Table.CreationDateTime.getTime()
    throw new Error(`DynamoDB does not say when table "${TableName}" was created`)
  }

  return async (lease) => {
    const Key = { lease: { S: lease }, record: { S: LEASE_RECORD } }
    const { Item } = await client.send(new GetItemCommand({ TableName, Key, ProjectionExpression: 'completedTick' }))
    const completedTick = Item?.['completedTick']
    if (completedTick === undefined) {
      tableCreatedAtMs ??= await readTableCreation()
      return tableCreatedAtMs
    }
    const tick = completedTick.S ?? ''
    if (isCanonicalTick(tick)) return Date.parse(tick)
    throw new CorruptLeaseError(
      `The row of lease "${lease}" is damaged: attribute "completedTick" should be a tick like ` +
        '2026-11-21T06:00:00.000Z. Repair it by hand; do not delete the row.',
      { lease, attribute: 'completedTick' },
    )
  }
}
