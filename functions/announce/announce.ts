/**
 * Announces what a lease table's stream tells: event, history, metric, in this order, for each record in turn.
 *
 * 1. Read which events of the tenure were sent. Where all of the record's were, nothing is left to do.
 * 2. Send the others.
 * 3. Write the tenure's row, and with it that they were sent.
 * 4. Measure.
 *
 * Stopped behind any step and delivered again, the record gives the same events with the same ids, so that whoever
 * receives them can tell, and the same row. A metric is counted once at most: it is lost where the invocation dies between
 * 3 and 4. Where no history is kept, steps 1 and 3 do nothing, and what is delivered again is also counted again.
 */
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda'
import { CorruptLeaseError } from '../election/errors.ts'
import type { Measure } from '../election/measurements.ts'
import { eventsOf, type Publish } from './events.ts'
import { factsOf } from './facts.ts'
import type { History } from './history.ts'
import { measurementsOf } from './metrics.ts'
import { readRecord, type StreamedChange, tableArnOf } from './stream-record.ts'

/** Where it is told what went wrong; never with an image, whose checkpoint may hold personal data. */
export interface Log {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void
  error(message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface AnnouncerOptions {
  readonly history: History
  readonly publish: Publish
  readonly measure: Measure
  readonly log: Log
}

export type Announcer = (event: DynamoDBStreamEvent) => Promise<DynamoDBBatchResponse>

/**
 * Never throws. The response names the first record that failed, from which Lambda delivers again; an empty sequence
 * number, which no record of AWS's has, makes it deliver the whole batch.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export function announcer(options: AnnouncerOptions): Announcer {
  return async ({ Records }) => {
    for (const record of Records) {
      try {
        await announce(record, options)
      } catch (error) {
        const sequenceNumber = record.dynamodb?.SequenceNumber ?? ''
        const lease = record.dynamodb?.Keys?.['lease']?.S
        options.log.error('a change of a lease could not be announced', { lease, sequenceNumber, error })
        return { batchItemFailures: [{ itemIdentifier: sequenceNumber }] }
      }
    }
    return { batchItemFailures: [] }
  }
}

async function announce(record: DynamoDBRecord, options: AnnouncerOptions): Promise<void> {
  const { history, publish, measure, log } = options
  const streamed = readOrSkip(record, log)
  if (streamed === undefined) return
  if (streamed.kind === 'removed') return warnOfRemoval(streamed, log)

  const { change } = streamed
  if (record.dynamodb?.NewImage?.['ttl'] !== undefined) warnOfExpiry(change.after.lease, log)
  const facts = factsOf(change)
  if (facts.length === 0) return
  const announced = await history.announced(change.after)
  const fresh = facts.filter((fact) => eventsOf(fact).some(({ mark }) => !announced.has(mark)))
  // With none, each of these does nothing.
  await publish(fresh.flatMap(eventsOf), tableArnOf(record))
  await history.record(fresh)
  measure(change.after.lease, fresh.flatMap(measurementsOf), { atMs: change.createdAtMs })
}

/** A record that cannot be read today cannot be read at any retry, which would only hold up the other leases behind it. */
function readOrSkip(record: DynamoDBRecord, log: Log): StreamedChange | undefined {
  try {
    return readRecord(record)
  } catch (error) {
    if (!(error instanceof CorruptLeaseError)) throw error
    const sequenceNumber = record.dynamodb?.SequenceNumber
    log.error('a change of a damaged lease row was skipped', { lease: error.lease, sequenceNumber, error })
    return undefined
  }
}

function warnOfExpiry(lease: string, log: Log): void {
  log.warn(
    `The row of lease "${lease}" has an attribute ttl, which nothing in Tenure gives it: DynamoDB would delete the row at that time, and with it the memory of who leads and which ticks are done. Remove the attribute.`,
    { lease },
  )
}

function warnOfRemoval({ lease, last }: Extract<StreamedChange, { kind: 'removed' }>, log: Log): void {
  log.warn(
    `Somebody deleted the row of lease "${lease}"; nothing in Tenure does. The table no longer knows who leads and which ticks are done, so that a completed tick can be granted again, and a leader at work fails. ` +
      'Disable the schedules of the lease, and continue as for a restored table: see "Restore the lease table" in docs/operations.md, and "Deleting a lease row" in docs/protocol.md.',
    { lease, lastFencingToken: last['fencingToken']?.N, lastCompletedTick: last['completedTick']?.S },
  )
}
