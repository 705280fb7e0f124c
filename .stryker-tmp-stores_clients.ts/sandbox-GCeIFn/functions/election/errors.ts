/**
 * Every error that this library throws on purpose extends `LeaseError`, says what to do, and has the original error as
 * `cause`. Losing is not an error: that is the outcome `standby`.
 */
// @ts-nocheck

export class LeaseError extends Error {
  override readonly name: string = 'LeaseError'
  /** The lease that the error is about, if it is known. */
  readonly lease: string | undefined

  constructor(message: string, options: { readonly lease?: string | undefined; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.lease = options.lease
  }
}

/** This candidate lost the lease: another may lead. Stop the task; what it wrote with the fence stays right. */
export class LeaseLostError extends LeaseError {
  override readonly name = 'LeaseLostError'
}

/**
 * An earlier try or another delivery of the same event holds the lease. It may have died or still be at work: the row
 * does not show which. Or, with `overlap: 'retry'`, another candidate still works on an earlier tick. This is an error
 * and not a standby, so that Lambda retries the event: a standby would consume it, and the tick would be lost. A second
 * delivery fails as long as its leader works, and may end as a dead letter of a tick that is completed.
 */
export class LeaseStillHeldError extends LeaseError {
  override readonly name = 'LeaseStillHeldError'
  /** How long until the lease can be taken, in milliseconds. */
  readonly retryAfterMs: number

  constructor(message: string, options: { readonly lease: string; readonly retryAfterMs: number }) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/**
 * Why a leader is asked to hand over.
 * - `deadline`: the invocation is about to end
 * - `resign`: the campaign's signal aborted, or `election.resign()` was called
 * - `transfer`: a better candidate, or an operator, asked for the lease
 * - `unhealthy`: the option `healthy` said no, or did not answer in time
 * - `clock`: this machine's clock is certainly wrong
 * - `paused`: an operator paused the lease
 */
export type HandOverReason = 'deadline' | 'resign' | 'transfer' | 'unhealthy' | 'clock' | 'paused'

/**
 * The reason of `lease.signal` when this candidate still leads, but should hand over soon. It is no loss: the lease is
 * renewed, and `send`, `claim`, `transact` and `complete` work.
 */
export class HandOverRequestedError extends LeaseError {
  override readonly name = 'HandOverRequestedError'
  /** `deadline` in Lambda: the invocation is about to end. The others are of servers: see `HandOverReason`. */
  readonly reason: HandOverReason

  constructor(message: string, options: { readonly lease: string; readonly reason: HandOverReason }) {
    super(message, options)
    this.reason = options.reason
  }
}

/**
 * The work was not handed over to a new invocation: `maxContinuations` is reached, or the invocation was not accepted
 * (see `cause`). The state is saved, so a retry of the event continues from it.
 */
export class HandOverError extends LeaseError {
  override readonly name = 'HandOverError'
}

/** Whether a failed request was applied: `unknown` if one of its tries got no answer, and the row does not show it. */
export type Applied = 'yes' | 'no' | 'unknown'

/** A newer leader has already written or claimed the protected row: DynamoDB refused this write. */
export class StaleTokenError extends LeaseError {
  override readonly name = 'StaleTokenError'
  readonly fencingToken: number
  /** The highest token that the row has seen, if DynamoDB returned it. */
  readonly seenToken: number | undefined
  /** `unknown` if an earlier try got no answer: it may have been written before the newer leader's write. */
  readonly applied: Applied

  constructor(
    message: string,
    options: {
      readonly lease: string
      readonly fencingToken: number
      readonly seenToken?: number | undefined
      readonly applied?: Applied
      readonly cause?: unknown
    },
  ) {
    super(message, options)
    this.fencingToken = options.fencingToken
    this.seenToken = options.seenToken
    this.applied = options.applied ?? 'no'
  }
}

/**
 * A clock is certainly further off than the clocks of candidates may differ: this machine's, or that of the candidate
 * that wrote the row last. The task did not run.
 */
export class ClockSkewError extends LeaseError {
  override readonly name = 'ClockSkewError'
}

/** The tick is unreadable or in the future, or it is missing although the lease is used with ticks. */
export class InvalidTickError extends LeaseError {
  override readonly name = 'InvalidTickError'
}

/**
 * An option is missing, unknown, of a wrong type or out of range (thrown when the function loads, if
 * it is known by then); or a value given to the lease, such as a checkpoint, cannot be used.
 */
export class InvalidOptionError extends LeaseError {
  override readonly name = 'InvalidOptionError'
}

/** What a schema found in a checkpoint. */
export interface CheckpointIssue {
  /** As in code: checkpoint.state.items[3].at */
  readonly path: string
  readonly message: string
}

/**
 * A checkpoint that was saved does not fit this task: its version is newer, or older and there is no `migrate`, or the
 * schema refuses it. The task did not run; the lease is released, and the checkpoint stays on the row for a task that
 * can read it. Or a state to be saved does not fit, and nothing was saved. Or an object in S3 is gone or damaged.
 */
export class CheckpointError extends LeaseError {
  override readonly name = 'CheckpointError'
  /** The version of the checkpoint that was read, if it has one. */
  readonly savedVersion: number | undefined
  readonly #issues: readonly CheckpointIssue[]

  constructor(
    message: string,
    options: {
      readonly lease: string
      readonly savedVersion?: number | undefined
      readonly issues?: readonly CheckpointIssue[]
      readonly cause?: unknown
    },
  ) {
    super(message, options)
    this.savedVersion = options.savedVersion
    this.#issues = options.issues ?? []
  }

  /** What the schema found. Its messages may quote the state, so loggers do not print them. */
  get issues(): readonly CheckpointIssue[] {
    return this.#issues
  }
}

/** The lease row contains something that this protocol never writes: repair the row by hand. */
export class CorruptLeaseError extends LeaseError {
  override readonly name = 'CorruptLeaseError'
  /** The attribute that cannot be right. */
  readonly attribute: string

  constructor(
    message: string,
    options: { readonly lease: string; readonly attribute: string; readonly cause?: unknown },
  ) {
    super(message, options)
    this.attribute = options.attribute
  }
}

/** The table is unreachable, throttled, missing or not permitted: see `cause`. */
export class LeaseStoreError extends LeaseError {
  override readonly name = 'LeaseStoreError'
  /** Whether the same request may succeed later: false only if it will be refused every time. */
  readonly retryable: boolean
  readonly applied: Applied

  /** @param options.applied by default `unknown` if the error is retryable, else `no` */
  constructor(
    message: string,
    options: {
      readonly lease: string
      readonly retryable: boolean
      readonly applied?: Applied
      readonly cause?: unknown
    },
  ) {
    super(message, options)
    this.retryable = options.retryable
    this.applied = options.applied ?? (options.retryable ? 'unknown' : 'no')
  }
}
