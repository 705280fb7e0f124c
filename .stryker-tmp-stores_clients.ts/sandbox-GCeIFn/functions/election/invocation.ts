// @ts-nocheck
import type { Clock } from './clock.ts'
import { InvalidOptionError, LeaseStoreError } from './errors.ts'
import { show } from './show.ts'
import { OVER } from './signals.ts'

/** The part of Lambda's context that an election uses. */
export interface InvocationContext {
  readonly awsRequestId: string
  readonly functionName?: string
  /** Needed by `selfInvoke`. */
  readonly invokedFunctionArn?: string
  /**
   * Above 0; `Infinity` for a runner that ends no invocation. It is read repeatedly: a later reading that is not a
   * number is replaced by the first one and the time since. Above 2^31 - 1 ms (24.8 days) middy's own timer fires at
   * once, so `leaderOnly` refuses it unless both are given `timeoutEarlyInMillis: 0`.
   */
  getRemainingTimeInMillis(): number
}

/**
 * Milliseconds until the invocation ends, by its context or by the monotonic clock, whichever is less: Lambda's context
 * uses the wall clock, which may be set back.
 */
export function remainingIn(context: InvocationContext, clock: Clock): () => number {
  const { ms: firstMs, did, cause } = readRemaining(context)
  if (Number.isNaN(firstMs)) {
    throw new InvalidOptionError(
      `The getRemainingTimeInMillis() of the option context must be a number of milliseconds, but ${did()}. ` +
        "Give Lambda's context.",
      { cause },
    )
  }
  if (firstMs <= 0) {
    throw new InvalidOptionError(
      `The option context says that ${firstMs} ms of the invocation remain. It is over, so the lease was not asked ` +
        'for. Under a local runner, correct its time-out.',
    )
  }
  const startedAtMs = clock.monotonicMs()
  return () => {
    const byContextMs = readRemaining(context).ms
    const byClockMs = firstMs - (clock.monotonicMs() - startedAtMs)
    // Either may be NaN: then the other counts.
    const leftMs = byContextMs <= byClockMs || Number.isNaN(byClockMs) ? byContextMs : byClockMs
    return leftMs > 0 ? leftMs : 0
  }
}

/** NaN if the context gives no number, and what it did instead. */
export function readRemaining(context: InvocationContext): {
  readonly ms: number
  readonly did: () => string
  readonly cause?: unknown
} {
  try {
    const ms: unknown = context.getRemainingTimeInMillis()
    return { ms: typeof ms === 'number' ? ms : Number.NaN, did: () => `is ${show(ms)}` }
  } catch (cause) {
    return { ms: Number.NaN, did: () => 'throws an error', cause }
  }
}

/** No answer came in time to be of use. */
export class UnansweredError extends LeaseStoreError {}

interface Asking {
  readonly clock: Clock
  readonly lease: string
  readonly remainingMs: () => number
  /** The message of the error if no answer comes. */
  readonly unanswered?: string
}

/** A caller's clock may sleep with a single timer, whose length is limited. */
export const LONGEST_SLEEP_MS = 3_600_000

/** The answer to `send`; when only `keptMs` of the invocation are left, the signal aborts and the wait ends. */
export async function whileInvocationLasts<T>(
  { clock, lease, remainingMs, unanswered }: Asking,
  keptMs: number,
  send: (signal?: AbortSignal) => Promise<T>,
): Promise<T> {
  let leftMs = remainingMs() - keptMs
  if (leftMs === Number.POSITIVE_INFINITY) return await send()
  const over = new AbortController()
  const answered = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const watch = async (): Promise<void> => {
    for (; leftMs > 0; leftMs = remainingMs() - keptMs) {
      await clock.sleep(Math.min(Math.ceil(leftMs), LONGEST_SLEEP_MS), answered.signal)
      if (answered.signal.aborted) return
    }
    over.abort(new UnansweredError(unanswered ?? noAnswerToAcquire(lease), { lease, retryable: true }))
    reject(over.signal.reason)
  }
  const answer = Promise.race([send(over.signal), late])
  void watch()
  return await answer.finally(() => answered.abort(OVER))
}

function noAnswerToAcquire(lease: string): string {
  return (
    `Lease "${lease}" was asked for, but no answer had come when the invocation was about to end. ` +
    'The task did not run. The event can be retried; give the function more time if DynamoDB is this slow.'
  )
}
