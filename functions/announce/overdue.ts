/** Measures how far leases are behind their schedules: whole periods since their last completed ticks. */
import { DescribeTableCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { CorruptLeaseError } from '../election/errors.ts'
import { property } from '../election/json.ts'
import { count, type Measure } from '../election/measurements.ts'
import { isLeaseName, LEASE_NAME_RULE } from '../election/options.ts'
import { show } from '../election/show.ts'
import { LEASE_RECORD } from '../election/stores/row.ts'
import { isCanonicalTick } from '../election/tick.ts'
import type { Log } from './announce.ts'

export interface OverdueCheckOptions {
  readonly progress: Pick<LeaseProgress, 'lastDoneMs'>
  readonly measure: Measure
  readonly log: Pick<Log, 'error'>
  /** Wall clock, epoch ms. @default Date.now */
  readonly now?: () => number
}

/**
 * Measures `ticksOverdue` of each lease that the event names. A lease that cannot be read does not stop the others.
 *
 * @throws RangeError for a wrong event; OverdueCheckError at the end, if a lease could not be read
 */
export function overdueCheck({ progress, measure, log, now = Date.now }: OverdueCheckOptions) {
  return async (event: unknown): Promise<void> => {
    const watched = readWatchedLeases(event)
    const failures: { readonly lease: string; readonly error: unknown }[] = []
    for (const { lease, periodMs } of watched) {
      try {
        const lastDoneMs = await progress.lastDoneMs(lease)
        const nowMs = now()
        measure(lease, [count('ticksOverdue', ticksOverdue(lastDoneMs, periodMs, nowMs))], { atMs: nowMs })
      } catch (error) {
        log.error('a lease could not be checked for overdue ticks', { lease, error })
        failures.push({ lease, error })
      }
    }
    const [first] = failures
    if (first === undefined) return
    const names = failures
      .map(({ lease }) => lease)
      .join(', ')
      .slice(0, 500)
    throw new OverdueCheckError(
      `${failures.length} of ${watched.length} leases could not be checked for overdue ticks: ${names}. ` +
        'The log has the reason for each; the others were measured.',
      { cause: first.error },
    )
  }
}

export class OverdueCheckError extends Error {
  override readonly name = 'OverdueCheckError'
}

export interface WatchedLease {
  readonly lease: string
  /** The period of its schedules, in milliseconds. */
  readonly periodMs: number
}

/**
 * Reads the leases that the scheduled event names: `{ leases: [{ lease, periodMs }] }`.
 *
 * @throws RangeError that names everything that is wrong
 */
export function readWatchedLeases(event: unknown): readonly WatchedLease[] {
  const leases = property(event, 'leases')
  if (!Array.isArray(leases) || leases.length === 0) {
    const example = '{ "leases": [{ "lease": "billing", "periodMs": 3600000 }] }'
    throw new RangeError(
      `The event of the check for overdue ticks names no leases. Give ${example} as the schedule's input.`,
    )
  }
  const read = leases.map(readWatched)
  const problems = read.filter((entry) => typeof entry === 'string')
  if (problems.length > 0) {
    throw new RangeError(`The event of the check for overdue ticks is wrong: ${problems.slice(0, 10).join('; ')}`)
  }
  return read.filter((entry) => typeof entry === 'object')
}

/** The entry, or what is wrong with it. */
function readWatched(entry: unknown, index: number): WatchedLease | string {
  const lease = property(entry, 'lease')
  const periodMs = property(entry, 'periodMs')
  if (typeof lease !== 'string' || !isLeaseName(lease)) {
    return `leases[${index}].lease is ${show(lease)}, not a name of ${LEASE_NAME_RULE}`
  }
  if (typeof periodMs !== 'number' || !Number.isSafeInteger(periodMs) || periodMs <= 0) {
    return `leases[${index}].periodMs, of "${lease}", is ${show(periodMs)}, not a whole number of milliseconds above 0`
  }
  return { lease, periodMs }
}

export function ticksOverdue(lastDoneMs: number, periodMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - lastDoneMs) / periodMs))
}

export class LeaseProgress {
  readonly #client: DynamoDBClient
  readonly #tableName: string
  #tableCreatedAtMs: number | undefined

  constructor(client: DynamoDBClient, tableName: string) {
    this.#client = client
    this.#tableName = tableName
  }

  /** The highest completed tick, epoch ms; before the first one, when the table was created. */
  async lastDoneMs(lease: string): Promise<number> {
    const Key = { lease: { S: lease }, record: { S: LEASE_RECORD } }
    const command = new GetItemCommand({ TableName: this.#tableName, Key, ProjectionExpression: 'completedTick' })
    const { Item } = await this.#client.send(command)
    const completedTick = Item?.['completedTick']
    if (completedTick === undefined) {
      this.#tableCreatedAtMs ??= await this.#readTableCreation()
      return this.#tableCreatedAtMs
    }
    const tick = completedTick.S ?? ''
    if (isCanonicalTick(tick)) return Date.parse(tick)
    throw new CorruptLeaseError(
      `The row of lease "${lease}" is damaged: attribute "completedTick" should be a tick like ` +
        '2026-11-21T06:00:00.000Z. Repair it by hand; do not delete the row.',
      { lease, attribute: 'completedTick' },
    )
  }

  async #readTableCreation(): Promise<number> {
    const { Table } = await this.#client.send(new DescribeTableCommand({ TableName: this.#tableName }))
    if (Table?.CreationDateTime !== undefined) return Table.CreationDateTime.getTime()
    throw new Error(`DynamoDB does not say when table "${this.#tableName}" was created`)
  }
}
