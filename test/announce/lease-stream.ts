/** The shipped rules on rows in memory; each write becomes a record of the table's stream. */
import { marshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import type { LeaseImage } from '../../functions/announce/facts.ts'
import type { LeaseStore } from '../../functions/election/index.ts'
import * as rules from '../../functions/election/rules.ts'
import type { AcquireReply, WriteReply } from '../../functions/election/stores/store.ts'

export const TABLE_ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table/leases'

export class StreamedLeases implements LeaseStore {
  readonly rows = new Map<string, LeaseImage>()
  readonly records: DynamoDBRecord[] = []

  async acquire(request: rules.AcquireRequest): Promise<AcquireReply> {
    return this.#keep(request, rules.acquire(this.rows.get(request.lease), request))
  }

  async write(request: rules.HolderWrite): Promise<WriteReply> {
    return withoutUndefined(this.#keep(request, rules.write(this.rows.get(request.lease), request)))
  }

  async giveBack(request: rules.GiveBackRequest): Promise<WriteReply> {
    return withoutUndefined(this.#keep(request, rules.giveBack(this.rows.get(request.lease), request)))
  }

  /** As an operator does, by the documented procedure or not. */
  edit(lease: string, nowMs: number, change: (row: LeaseImage) => LeaseImage): void {
    const before = this.rows.get(lease)
    if (before === undefined) throw new Error(`there is no lease ${lease}`)
    this.#stream(before, change(before), nowMs)
  }

  #keep({ lease, nowMs }: { readonly lease: string; readonly nowMs: number }, reply: rules.Reply): rules.Reply {
    if (reply.granted) this.#stream(this.rows.get(lease), reply.record, nowMs)
    return reply
  }

  #stream(before: LeaseImage | undefined, after: LeaseImage, nowMs: number): void {
    this.rows.set(after.lease, after)
    this.records.push(streamRecord(before, after, this.records.length + 1, nowMs))
  }
}

const withoutUndefined = ({ granted, record }: rules.Reply): WriteReply =>
  granted || record === undefined ? { granted } : { granted, record }

/** A record as Lambda passes it to a function. */
export function streamRecord(
  before: LeaseImage | undefined,
  after: LeaseImage | undefined,
  number = 1,
  createdAtMs = 0,
): DynamoDBRecord {
  const lease = after?.lease ?? before?.lease ?? ''
  const eventName = before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY'
  return {
    eventName,
    eventSource: 'aws:dynamodb',
    eventSourceARN: `${TABLE_ARN}/stream/2026-11-21T00:00:00.000`,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(createdAtMs / 1000),
      Keys: { lease: { S: lease }, record: { S: 'LEASE' } },
      ...(before === undefined ? {} : { OldImage: imageOf(before) }),
      ...(after === undefined ? {} : { NewImage: imageOf(after) }),
      SequenceNumber: String(number).padStart(21, '0'),
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  }
}

function imageOf(row: LeaseImage): NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']> {
  return JSON.parse(JSON.stringify(marshall({ ...row, record: 'LEASE' }, { removeUndefinedValues: true })))
}
