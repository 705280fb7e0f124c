/**
 * Announces the changes of leases that the lease table's stream delivers. For each record in turn:
 *
 * 1. Read which events of the tenure were sent. If these are all events of the record, nothing is left to do.
 * 2. Send the others.
 * 3. Write the tenure's history row, and in it that they were sent.
 * 4. Write the metrics.
 *
 * If the invocation ends after any of these steps, Lambda delivers the record again: it gives the same events with the
 * same ids, by which receivers recognize them, and the same row. A metric is counted at most once: it is lost if the
 * invocation dies between 3 and 4. Without a history, steps 1 and 3 do nothing, and a record delivered again is sent
 * and counted again.
 */
// @ts-nocheck

import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda'
import { CorruptLeaseError } from '../election/errors.ts'
import { count, type Measure, type Measurement, milliseconds } from '../election/measurements.ts'
import { durationMs, eventsOf, type Publish } from './events.ts'
import { type Fact, factsOf } from './facts.ts'
import type { History } from './history.ts'
import { readRecord, type StreamedChange, tableArnOf } from './stream-record.ts'

/** Nothing of an image is ever logged: its checkpoint may hold personal data. */
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
 * Never throws. The response names the first record that failed, and Lambda delivers again from there. An empty
 * sequence number, which no record of AWS has, makes Lambda deliver the whole batch.
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
  const { lease } = change.after
  if (record.dynamodb?.NewImage?.['ttl'] !== undefined) {
    const problem = `The row of lease "${lease}" has an attribute ttl, which Tenure never writes. DynamoDB would delete`
    const remedy = 'the row at that time, and with it who leads and which ticks are done. Remove the attribute.'
    log.warn(`${problem} ${remedy}`, { lease })
  }
  const facts = factsOf(change)
  if (facts.length === 0) return
  const isAnnounced = await history.announced(change.after)
  const fresh = facts.filter((fact) => !isAnnounced(fact))
  // Without fresh facts, each of these does nothing.
  await publish(fresh.flatMap(eventsOf), tableArnOf(record))
  await history.record(fresh)
  measure(lease, fresh.flatMap(measurementsOf), { atMs: change.createdAtMs })
}

function measurementsOf(fact: Fact): readonly Measurement[] {
  if (fact.kind === 'elected') return [count('elected')]
  if (fact.kind === 'takenOver') return [count('takeover')]
  if (fact.kind === 'closed') return [count(fact.gaveUp === undefined ? 'ticksCompleted' : 'ticksFailed')]
  if (fact.kind !== 'ended') return []
  if (fact.endedBy === 'continued') return [count('continuations', fact.continuations)]
  if (fact.endedBy === 'released' || fact.tick === undefined) return []
  if (fact.endedBy === 'failed' || fact.gaveUp !== undefined) return [count('ticksFailed')]
  const { sinceMs: beganAtMs = fact.beganAtMs, atMs } = fact
  return [count('ticksCompleted'), milliseconds('tickDuration', durationMs({ beganAtMs, atMs }))]
}

/** A record that cannot be read now cannot be read at a retry, which would only delay the leases behind it. */
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

function warnOfRemoval({ lease, last }: Extract<StreamedChange, { kind: 'removed' }>, log: Log): void {
  log.warn(
    `The row of lease "${lease}" was deleted, which Tenure never does. The table no longer knows who leads and which ` +
      'ticks are done: a completed tick can be granted again, and a leader at work fails. Disable the schedules of ' +
      'the lease, and continue as for a restored table: see "Restore the lease table" in docs/operations.md, and ' +
      '"Deleting a lease row" in docs/protocol.md.',
    { lease, lastFencingToken: last['fencingToken']?.N, lastCompletedTick: last['completedTick']?.S },
  )
}
