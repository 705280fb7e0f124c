/** The shipped rules on rows in memory; each write becomes a record of the table's stream. */
// @ts-nocheck

import { marshall } from '@aws-sdk/util-dynamodb'
import type { DynamoDBRecord } from 'aws-lambda'
import type { LeaseImage } from '../../functions/announce/facts.ts'
import type { AcquireRequest, GiveBackRequest, HolderWrite, TransferRequest } from '../../functions/election/rules.ts'
import { RulesStore } from '../../functions/election/testing/rules-store.ts'

export const TABLE_ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table/leases'

export type Changes = { readonly [Name in keyof LeaseImage]?: LeaseImage[Name] | undefined }

export class StreamedLeases extends RulesStore {
  readonly records: DynamoDBRecord[] = []

  override acquire = (request: AcquireRequest) => this.#streamed(request, () => super.acquire(request))
  override write = (request: HolderWrite) => this.#streamed(request, () => super.write(request))
  override requestTransfer = (request: TransferRequest) => this.#streamed(request, () => super.requestTransfer(request))
  override giveBack = (request: GiveBackRequest) => this.#streamed(request, () => super.giveBack(request))

  /** As an operator does, by the documented procedure or not. `undefined` removes an attribute. */
  async editAt(nowMs: number, lease: string, changes: Changes): Promise<void> {
    await this.#streamed({ lease, nowMs }, async () => {
      Reflect.apply(this.edit, this, [lease, changes]) // its type does not accept undefined
      return { granted: true }
    })
  }

  async #streamed<Reply extends { readonly granted: boolean }>(
    { lease, nowMs }: { readonly lease: string; readonly nowMs: number },
    apply: () => Promise<Reply>,
  ): Promise<Reply> {
    const before = this.read(lease)
    const reply = await apply()
    if (reply.granted) this.records.push(streamRecord(before, this.read(lease), this.records.length + 1, nowMs))
    return reply
  }
}

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
