/** Reads what Lambda is given of a DynamoDB stream. */
import type { DynamoDBRecord, AttributeValue as StreamValue } from 'aws-lambda'
import { type AttributeMap, LEASE_RECORD, readRow } from '../election/stores/row.ts'
import type { LeaseChange, LeaseImage } from './facts.ts'

type StreamImage = Readonly<Record<string, StreamValue>>

/** What became of a lease row; undefined for rows that are none, such as the history that the announcer itself writes. */
export type StreamedChange =
  | { readonly kind: 'written'; readonly change: LeaseChange }
  | { readonly kind: 'removed'; readonly lease: string; readonly last: StreamImage }

/** @throws CorruptLeaseError where an image holds what the protocol never writes */
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
  // The checkpoint is nobody's business here: it is not even read.
  const { checkpoint: _checkpoint, ...rest } = image
  const row: AttributeMap = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, scalar(value)]))
  const pausedBy = image['pausedBy']?.S
  const pausedReason = image['pausedReason']?.S
  return {
    ...readRow(row, lease),
    ...(pausedBy === undefined ? {} : { pausedBy }),
    ...(pausedReason === undefined ? {} : { pausedReason }),
  }
}

/** Lambda gives binary values as base64 text, the SDK as bytes. The protocol has neither, nor any nested value but the checkpoint. */
function scalar(value: StreamValue): AttributeMap[string] {
  if (value.S !== undefined) return { S: value.S }
  if (value.N !== undefined) return { N: value.N }
  return { $unknown: [Object.keys(value).join(), undefined] }
}

/** The table whose stream this is: its stream's ARN begins with its own. */
export function tableArnOf({ eventSourceARN = '' }: DynamoDBRecord): string | undefined {
  return eventSourceARN === '' ? undefined : eventSourceARN.replace(/\/stream\/.*$/, '')
}
