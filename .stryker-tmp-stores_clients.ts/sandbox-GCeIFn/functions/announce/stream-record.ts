/** Reads the records of a DynamoDB stream that Lambda passes to the function. */
// @ts-nocheck

import type { DynamoDBRecord, AttributeValue as StreamValue } from 'aws-lambda'
import type { Checkpoint } from '../election/rules.ts'
import { type AttributeMap, LEASE_RECORD, readRow } from '../election/stores/row.ts'
import type { LeaseChange, LeaseImage } from './facts.ts'

type StreamImage = Readonly<Record<string, StreamValue>>

export type StreamedChange =
  | { readonly kind: 'written'; readonly change: LeaseChange }
  | { readonly kind: 'removed'; readonly lease: string; readonly last: StreamImage }

/**
 * Undefined for the record of another row, such as the history rows that the announcer itself writes.
 *
 * @throws CorruptLeaseError if an image holds what the protocol never writes
 */
export function readRecord(record: DynamoDBRecord): StreamedChange | undefined {
  const { Keys, OldImage, NewImage, SequenceNumber = '', ApproximateCreationDateTime } = record.dynamodb ?? {}
  const lease = Keys?.['lease']?.S
  if (lease === undefined || Keys?.['record']?.S !== LEASE_RECORD) return undefined
  if (NewImage === undefined) return { kind: 'removed', lease, last: OldImage ?? {} }
  const after = readImage(NewImage, lease)
  const change = {
    before: OldImage === undefined ? undefined : readImage(OldImage, lease),
    after,
    sequenceNumber: SequenceNumber,
    createdAtMs:
      ApproximateCreationDateTime === undefined ? after.writtenAtMs : Math.round(ApproximateCreationDateTime * 1000),
  }
  return { kind: 'written', change }
}

function readImage(image: StreamImage, lease: string): LeaseImage {
  // What the task saved, or the leader proclaimed, is not read.
  const { checkpoint, announcement: _announcement, ...rest } = image
  const row: AttributeMap = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, scalar(value)]))
  return {
    ...readRow(row, lease),
    ...(checkpoint?.M ? { checkpoint: withoutState(checkpoint.M) } : {}),
    pausedBy: image['pausedBy']?.S,
    pausedReason: image['pausedReason']?.S,
  }
}

/** The state belongs to the task: it is not even read. Its damage delays no event. */
function withoutState({ tick, continuations, sinceMs }: StreamImage): Checkpoint {
  const [count, since] = [Number(continuations?.N), Number(sinceMs?.N)]
  return {
    ...(tick?.S === undefined ? {} : { tick: tick.S }),
    state: undefined,
    ...(Number.isSafeInteger(count) ? { continuations: count } : {}),
    ...(Number.isSafeInteger(since) ? { sinceMs: since } : {}),
  }
}

/**
 * Lambda passes binary values as base64 text, the SDK as bytes. The protocol writes neither, nor any nested value but
 * the checkpoint.
 */
function scalar(value: StreamValue): AttributeMap[string] {
  if (value.S !== undefined) return { S: value.S }
  if (value.N !== undefined) return { N: value.N }
  return { $unknown: [Object.keys(value).join(), undefined] }
}

/** The table of the stream: a stream's ARN begins with that of its table. */
export function tableArnOf({ eventSourceARN = '' }: DynamoDBRecord): string | undefined {
  return eventSourceARN === '' ? undefined : eventSourceARN.replace(/\/stream\/.*$/, '')
}
