/**
 * Every error that this library throws on purpose extends `LeaseError`, says in its message what to do, and carries the
 * error it came from as `cause`. Losing the race is not among them: that is the outcome `standby`.
 */
export class LeaseError extends Error {
  override readonly name: string = 'LeaseError'
  /** The lease that the error is about, where it is known. */
  readonly lease: string | undefined

  constructor(message: string, options: { readonly lease?: string | undefined; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.lease = options.lease
  }
}

/** This candidate lost the lease: another may lead by now. Stop the task; what it wrote with the fence stays right. */
export class LeaseLostError extends LeaseError {
  override readonly name = 'LeaseLostError'
}

/**
 * An earlier try, or another delivery, of this very event holds the lease. It may have died, or still be at work: a row
 * cannot tell "renewed" from "renewed, then died". Thrown, not returned as standby, so that Lambda's asynchronous retry offers
 * the tick again later: standing by would consume the event, and lose the tick of a leader that died. So a second delivery
 * fails for as long as its leader works, and may end as a dead letter of a tick that is completed.
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
 * Whether a request that failed was applied all the same: `unknown` if one of its tries got no answer and the row does not
 * tell.
 */
export type Applied = 'yes' | 'no' | 'unknown'

/** A newer leader has already written or claimed the protected row: DynamoDB refused this write. */
export class StaleTokenError extends LeaseError {
  override readonly name = 'StaleTokenError'
  readonly fencingToken: number
  /** The highest token that the row has seen, if DynamoDB returned it. */
  readonly seenToken: number | undefined
  /** `unknown`: an earlier try got no answer, and may have been written before the newer leader wrote the row. */
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
 * A clock is further off than candidates' may differ: for certain this machine's, or that of the candidate which wrote the
 * row last, as the message says. The task did not run.
 */
export class ClockSkewError extends LeaseError {
  override readonly name = 'ClockSkewError'
}

/** The tick is missing, unreadable, in the future, or the lease is used with ticks elsewhere and without here. */
export class InvalidTickError extends LeaseError {
  override readonly name = 'InvalidTickError'
}

/**
 * An option is unknown, ill-typed or out of range: thrown when the function loads, not when the tick fires. Or a value
 * given to the lease, such as a checkpoint, cannot be used.
 */
export class InvalidOptionError extends LeaseError {
  override readonly name = 'InvalidOptionError'
}

/** The lease row holds something that this protocol never writes. The task did not run; repair the row by hand. */
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

/** The table did not do what was asked: unreachable, throttled, missing, or not permitted. See `cause`. */
export class LeaseStoreError extends LeaseError {
  override readonly name = 'LeaseStoreError'
  /** Whether the same request may succeed later: false only if it would be refused in this form every time. */
  readonly retryable: boolean
  readonly applied: Applied

  /** @param options.applied `unknown` by default for an error that is retryable, `no` for one that is not */
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
