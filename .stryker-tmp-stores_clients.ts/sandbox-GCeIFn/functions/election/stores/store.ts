// @ts-nocheck
import type {
  DeleteCommandInput,
  PutCommandInput,
  TransactWriteCommandInput,
  UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb'
import type { ClockReading } from '../clock.ts'
import { LeaseStoreError } from '../errors.ts'
import type {
  AcquireRequest,
  GiveBackRequest,
  HolderWrite,
  LeaseRecord,
  Reply,
  Tenure,
  TransferRequest,
} from '../rules.ts'
import { show } from '../show.ts'
import type { AttributeMap } from './row.ts'

/**
 * The input of a `PutCommand` (it has an `Item`), an `UpdateCommand` (an `UpdateExpression`) or a `DeleteCommand`
 * (neither) of `@aws-sdk/lib-dynamodb`.
 */
export type WriteInput =
  | PutCommandInput
  | (UpdateCommandInput & { readonly UpdateExpression: string })
  | DeleteCommandInput
export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number]
export type Row = Record<string, unknown>

export type AcquireReply =
  | (Reply & { readonly clockReading?: ClockReading | undefined })
  /** Transactions on the row were under way at every try, so the result is unknown. */
  | {
      readonly granted: false
      readonly contended: true
      /** A try got no answer: it may have been granted. */
      readonly unanswered: boolean
      readonly clockReading?: ClockReading | undefined
    }

export type WriteReply = { readonly granted: true } | { readonly granted: false; readonly record?: LeaseRecord }

/**
 * Keeps lease rows. `acquire`, `write` and `giveBack` are one atomic request each, which applies the rule of the same
 * name in rules.ts; a refusal is a reply, not an error. Once `signal` aborts, the reply is not waited for. Check your
 * own store with `leaseStoreConformance` of `tenure/testing`.
 *
 * All throw LeaseStoreError if the store gives no answer or refuses the request, and CorruptLeaseError if the row is
 * damaged (an acquire may have been granted nevertheless: give it back).
 */
export interface LeaseStore {
  acquire(request: AcquireRequest, signal?: AbortSignal): Promise<AcquireReply>
  /** Renews, saves a checkpoint, completes or releases. */
  write(request: HolderWrite, signal?: AbortSignal): Promise<WriteReply>
  giveBack(request: GiveBackRequest, signal?: AbortSignal): Promise<WriteReply>
  /** Absent if the store has no tables. */
  readonly effects?: Effects
  /** Absent if servers cannot stand for its leases. */
  readonly standing?: StandingStore
}

/** What an `Election` needs besides: reads, and rows of the candidates that stand. */
export interface StandingStore {
  /** The lease row as it is now or, unless `consistent`, as it was within the last second. */
  read(lease: string, options?: { readonly consistent?: boolean }): Promise<Look>
  /** A holder's renewal, which also reads what others wrote on the row. */
  renew(request: HolderWrite, signal?: AbortSignal): Promise<WriteReply & { readonly look?: Look }>
  /** T1 of rules.ts */
  requestTransfer(request: TransferRequest): Promise<Reply>
  /** At most 200 candidates: of those that have not left, and wrote their rows at `seenSinceMs` or later. */
  candidates(lease: string, options?: { readonly seenSinceMs?: number }): Promise<readonly CandidateRow[]>
  /**
   * Writes this candidate's row, whatever another process of this name wrote.
   * @returns the identity in the row that it replaced, if there was one
   */
  putCandidate(row: CandidateRow): Promise<string | undefined>
  /** Removes the row, unless another process of this name has written it. */
  removeCandidate(row: Pick<CandidateRow, 'lease' | 'name' | 'identity'>): Promise<void>
}

export interface Look {
  /** Undefined if the lease has no row yet. */
  readonly record?: LeaseRecord
  readonly clockReading?: ClockReading
}

/** The row of a server that stands for a lease: `(lease, "CANDIDATE#<name>")`. Times are epoch milliseconds. */
export interface CandidateRow {
  readonly lease: string
  readonly name: string
  /** Of the process: a new one under the same name is another candidate. */
  readonly identity: string
  /** The higher, the sooner it leads. */
  readonly merit: number
  readonly eligible: boolean
  readonly sinceMs: number
  readonly seenAtMs: number
}

/** The result of one write to a row that a fence protects. */
export type SendReply =
  | {
      readonly granted: true
      readonly attributes: Row | undefined
      /** An earlier try got no answer: it may have been applied as well. */
      readonly unanswered: boolean
    }
  /** DynamoDB answered, and refused it. */
  | {
      readonly granted: false
      readonly cause: Error
      /** An earlier try got no answer: it may have been applied. */
      readonly unanswered: boolean
      /** Present if a condition did not hold, with the row as DynamoDB sends it, if there is one. */
      readonly conditionFailed?: { readonly item: AttributeMap | undefined }
    }

/** Writes to rows other than the lease's own. The store and the SDK may send each of them more than once. */
export interface Effects {
  /** Sends one Put, Update or Delete. @throws the client's error if no answer came */
  send(input: WriteInput): Promise<SendReply>
  /** The row in the form that the caller's client gives it. */
  toRow(item: AttributeMap): Row
  /** The holder's completion and all of `items` in one transaction, applied once for each token (a UUID). */
  completeWith(request: HolderWrite, items: readonly TransactItem[], token: string): Promise<WriteReply>
  /** All of `items` or none, and only while `tenure` lasts. */
  transact(tenure: Tenure, items: readonly TransactItem[], token: string): Promise<WriteReply>
}

/** @throws LeaseStoreError for an answer of a store in JavaScript that the types do not allow */
export function assertReply(reply: unknown, lease: string): void {
  const { granted, record }: Readonly<Record<string, unknown>> = Object(reply)
  if (typeof granted === 'boolean' && (!granted || (typeof record === 'object' && record !== null))) return
  throw new LeaseStoreError(
    `The answer of the store of lease "${lease}" to acquire is ${show(reply)}, but must be ` +
      '{ granted: true, record } or { granted: false, record }. Check it with leaseStoreConformance of tenure/testing.',
    { lease, retryable: false },
  )
}

/** @throws LeaseStoreError if the store has no tables to write to */
export function effectsOf({ effects }: LeaseStore, lease: string): Effects {
  if (effects !== undefined) return effects
  throw new LeaseStoreError(
    `The store of lease "${lease}" has no tables to write to. ` +
      'Use DynamoDBLeaseStore for send, claim, transact and complete(items).',
    { lease, retryable: false },
  )
}
