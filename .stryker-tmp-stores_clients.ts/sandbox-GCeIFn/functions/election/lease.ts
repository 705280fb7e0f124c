// @ts-nocheck
import type { Fenceable } from './fencing.ts'
import type { Row, TransactItem, WriteInput } from './stores/store.ts'

/**
 * The lease of a task that leads. Every value is copied when it is given: later changes of it reach no request.
 * (Instances of classes, which only the caller's own document client can read, are not copied.)
 *
 * `State` is the type of the checkpoint: the output of the schema of the option `checkpoint`. Without that option it is
 * not checked: an earlier version of the task may have saved it.
 */
export interface Lease<State = unknown> {
  readonly name: string
  readonly candidate: string
  /** Higher than the token of every earlier leader. */
  readonly fencingToken: number
  /** This leader's own tick, canonical ISO-8601 UTC; absent for a lease without ticks. */
  readonly tick?: string
  /** The highest tick that was completed or given up. */
  readonly lastCompletedTick?: string
  /**
   * The ticks before `tick` that were never completed, oldest first, at most 1,000; none that an operator's pause
   * covers. Empty if the schedule is not known, see the option `schedule`. When `tick` is completed they are no longer
   * missed, worked or not.
   */
  readonly missed: readonly string[]
  /**
   * The missed ticks, oldest first, and then `tick`: each time the loop goes on, the tick before is closed, in one
   * request. `checkpoint`, `saveCheckpoint` and `giveUp` belong to the loop's current tick. After the last one, the
   * task returns, and that completes `tick` as usual. If the task leaves the loop (by `break` or `return`, or after
   * `atMost` ticks), the lease is released when it returns: the current tick and the others are left to the next
   * leader. Do not read ahead: asking for the next tick closes this one.
   * @example
   * for await (const tick of lease.ticks()) await chargeDueAt(tick, lease)
   * @throws LeaseLostError, LeaseStoreError; InvalidOptionError for a lease without ticks, or a second call
   */
  ticks(options?: { readonly atMost?: number }): AsyncIterable<string>
  /**
   * Closes the tick of the loop of `ticks()` in one transaction with `items`, so that they take effect once; the loop
   * then goes on with the next one. For the last tick, use `complete`.
   * @throws LeaseLostError, LeaseStoreError, TransactionCanceledException of your own conditions
   */
  advance(items?: readonly TransactItem[]): Promise<void>
  /**
   * Gives up the loop's current tick, or outside a loop `tick`: it is closed as usual, but announced as failed with
   * this reason, of which 200 characters are kept. Sends nothing.
   */
  giveUp(reason: string): void
  /**
   * What this leader, or an earlier one of the same tick, saved for the tick being worked. A copy: only
   * `saveCheckpoint` saves changes.
   */
  readonly checkpoint?: State | undefined
  /** What the leader of an earlier tick saved, if that tick was never completed. `ticks()` gives it to its tick. */
  readonly unfinished?: { readonly tick: string; readonly state: State }
  /**
   * Aborts with a LeaseLostError 1 s before the deadline (a tenth of a shorter lease), and at once when a write shows
   * that another candidate leads; and with the reason of the option `signal`. With the option `continueBy` also with a
   * HandOverRequestedError, `drainMs` before the invocation ends: this candidate leads on until `handOver`.
   */
  readonly signal: AbortSignal
  /** Milliseconds until the deadline, by the earlier of two clocks; 0 once the lease is lost or has ended. */
  remainingMs(): number
  /** @throws LeaseLostError unless this candidate may still lead; the reason of the option `signal` */
  assertHeld(): void
  /** Extends the lease: one request. Needed only with `heartbeat: false`. @throws LeaseLostError, LeaseStoreError */
  renew(): Promise<void>
  /**
   * Saves a copy of the state for the next leader of this tick, and extends the lease: one request. A state consists of
   * texts, numbers from -(2 ** 53 - 1) to 2 ** 53 - 1, booleans, null, arrays and plain objects of them, 30 levels
   * deep, Uint8Arrays, and Sets of texts or of numbers; at most 350 KB (358,400 bytes as DynamoDB measures an item).
   * Every renewal writes the whole row, at one write unit for each KB. With the option `checkpoint` the state is
   * checked by its schema first, and saved as it was given, with the version. Larger states: s3Checkpoints of
   * tenure/s3.
   * @throws InvalidOptionError that names the path of what cannot be saved; CheckpointError if it does not fit the
   *   schema; LeaseLostError, LeaseStoreError
   */
  saveCheckpoint(state: State): Promise<void>
  /**
   * Ends this invocation's part of the work, and starts a new invocation that continues from `state`: two requests.
   * Return its promise from the task when `signal` aborts with a HandOverRequestedError, and at most `maxContinuations`
   * times for a tick. The lease is kept for the new invocation for two minutes. Needs the option `continueBy`.
   * @example
   * for (const page of pagesFrom(lease.checkpoint)) {
   *   await charge(page)
   *   if (lease.signal.aborted) return await lease.handOver(page.next)
   * }
   * @throws HandOverError, after which a retry of the event continues from `state`; InvalidOptionError and
   *   CheckpointError as `saveCheckpoint`; LeaseLostError, LeaseStoreError
   */
  handOver(state: State): Promise<void>
  /**
   * Gives up the lease without completing the tick, so that another candidate can lead. Sent until DynamoDB answers or
   * the deadline has passed, as `complete` is. @throws LeaseLostError, LeaseStoreError
   */
  release(): Promise<void>
  /**
   * Records the tick as done and gives up the lease, as returning from the task does. If DynamoDB refuses it for a
   * reason that may pass, or gives no answer, it is sent again until the deadline. With `items`, in one transaction
   * with them: exactly once per tick.
   * @throws LeaseLostError, LeaseStoreError, TransactionCanceledException of your own conditions, after which you still
   *   lead
   */
  complete(items?: readonly TransactItem[]): Promise<void>
  /** The Put, Update or Delete input with the token's condition added. Sends nothing. */
  fence<Input extends Fenceable>(input: Input): Input
  /** Raises a row's token to this leader's and returns the row: no earlier leader can change it any more. One write. */
  claim(key: ClaimInput): Promise<Row>
  /**
   * Fences the input and sends it; returns its `Attributes`. It is applied once, however often the SDK sends it: the
   * row keeps the number of the leader's last send, and a write that the row already has counts as done (with
   * `UPDATED_NEW` the whole row is then returned). Updates and deletions of one row are therefore sent one after the
   * other. A Put does not show its row and is sent at once: in parallel with another write to that row, a second try of
   * either may be applied again.
   * @throws StaleTokenError if a newer leader wrote the row, which also aborts `signal`; LeaseLostError;
   *   LeaseStoreError if DynamoDB refused it but an earlier try may have been applied (see its `applied`); and
   *   DynamoDB's other refusals, unchanged
   */
  send(input: WriteInput): Promise<Row | undefined>
  /**
   * Sends all of `items` or none, and only while this candidate leads by the lease row. Sent again after a conflict or
   * a lost reply, it is still one transaction: DynamoDB recognizes its token for ten minutes.
   * @throws LeaseLostError, LeaseStoreError, TransactionCanceledException of your own conditions
   */
  transact(items: readonly TransactItem[]): Promise<void>
  /** An idempotency key for a third party, from the business unit alone: ('charge', customer, period). */
  idempotencyKey(...unit: readonly (string | number)[]): string
}

/** The lease of a task that works on a tick. */
export interface TickedLease<State = unknown> extends Lease<State> {
  readonly tick: string
}

export interface ClaimInput {
  readonly TableName: string
  readonly Key: Record<string, unknown>
  readonly ConditionExpression?: string
  readonly ExpressionAttributeNames?: Record<string, string>
  readonly ExpressionAttributeValues?: Record<string, unknown>
}
