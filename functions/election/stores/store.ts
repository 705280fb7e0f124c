import type {
  DeleteCommandInput,
  PutCommandInput,
  TransactWriteCommandInput,
  UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb'
import type { ClockReading } from '../clock.ts'
import { LeaseStoreError } from '../errors.ts'
import type { AcquireRequest, GiveBackRequest, HolderWrite, LeaseRecord, Reply, Tenure } from '../rules.ts'
import type { AttributeMap } from './row.ts'

/**
 * The input of a `PutCommand` (it has an `Item`), an `UpdateCommand` (an `UpdateExpression`) or a `DeleteCommand` (neither)
 * of `@aws-sdk/lib-dynamodb`.
 */
export type WriteInput =
  | PutCommandInput
  | (UpdateCommandInput & { readonly UpdateExpression: string })
  | DeleteCommandInput
export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number]
export type Row = Record<string, unknown>

export type AcquireReply =
  | (Reply & { readonly clockReading?: ClockReading | undefined })
  /** A transaction was under way on the row, again and again: nobody can tell who wins, so somebody else does. */
  | {
      readonly granted: false
      readonly contended: true
      /** Some try got no answer, so that it may have been granted unseen. */
      readonly unanswered: boolean
      readonly clockReading?: ClockReading | undefined
    }

export type WriteReply = { readonly granted: true } | { readonly granted: false; readonly record?: LeaseRecord }

/**
 * Where lease rows live. Each of the first three is one atomic request that applies the rule of the same name in
 * `rules.ts`; a refusal is a reply, not an error.
 *
 * All throw LeaseStoreError where the store gave no answer or will not serve, and CorruptLeaseError where the row cannot
 * be read (an acquire may have been granted all the same: give it back).
 */
export interface LeaseStore {
  /** Once `signal` aborts, the reply is not waited for any more. */
  acquire(request: AcquireRequest, signal?: AbortSignal): Promise<AcquireReply>
  /** Renews, saves a checkpoint, completes or releases. Once `signal` aborts, the reply is not waited for any more. */
  write(request: HolderWrite, signal?: AbortSignal): Promise<WriteReply>
  /** Once `signal` aborts, the reply is not waited for any more. */
  giveBack(request: GiveBackRequest, signal?: AbortSignal): Promise<WriteReply>
  /** Writes to rows other than the lease's own; absent where the store has no tables. */
  readonly effects?: Effects
}

/** What became of one write to a row that a fence protects. */
export type SendReply =
  | {
      readonly granted: true
      readonly attributes: Row | undefined
      /** Some try before got no answer, so that it may have been applied, too. */
      readonly unanswered: boolean
    }
  /** DynamoDB answered, and refused it. */
  | {
      readonly granted: false
      readonly cause: Error
      /** Some try before got no answer, so that it may have been applied. */
      readonly unanswered: boolean
      /** Present if a condition did not hold; `item` is then the row as DynamoDB sends it, if there is one. */
      readonly conditionFailed?: { readonly item: AttributeMap | undefined }
    }

/** Writes to rows other than the lease's own. All may be sent more than once, by the store and by the SDK. */
export interface Effects {
  /** Sends one Put, Update or Delete. Throws what the client throws if no answer came. */
  send(input: WriteInput): Promise<SendReply>
  /** The row in the form that the caller's client gives it. */
  toRow(item: AttributeMap): Row
  /**
   * The holder's completion and all of `items` in one transaction. Equal tokens (UUIDs) mean the same transaction, however
   * often it is sent.
   */
  completeWith(request: HolderWrite, items: readonly TransactItem[], token: string): Promise<WriteReply>
  /** All of `items`, or nothing, and only while the lease row still says `tenure`. */
  transact(tenure: Tenure, items: readonly TransactItem[], token: string): Promise<WriteReply>
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
