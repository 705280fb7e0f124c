/** What remains of the Lambda invocation, and what is not worth waiting for within it. */
import type { Clock } from './clock.ts'
import { InvalidOptionError, LeaseStoreError } from './errors.ts'
import { show } from './show.ts'
import { unlessAborted } from './signals.ts'

/** The part of Lambda's context that matters here. */
export interface InvocationContext {
  readonly awsRequestId: string
  readonly functionName?: string
  /**
   * Above 0; `Infinity` for a runner that ends no invocation. Read again and again: a later reading that is no number is
   * replaced by the first one and what has passed since. Above 2^31 - 1 ms (24.8 days) middy's own timer fires at once, so
   * that `leaderOnly` refuses it unless both are given `timeoutEarlyInMillis: 0`.
   */
  getRemainingTimeInMillis(): number
}

/**
 * What remains of an invocation, by its context and by the monotonic clock, whichever says less: Lambda's context counts by
 * the wall clock, which may be set back.
 */
export function remainingIn(context: InvocationContext, clock: Clock): () => number {
  const { ms: firstMs, did, cause } = readRemaining(context)
  if (Number.isNaN(firstMs)) {
    throw new InvalidOptionError(
      `The getRemainingTimeInMillis() of the option context must be a number of milliseconds, but ${did}. Give Lambda's context.`,
      { cause },
    )
  }
  if (firstMs <= 0) {
    throw new InvalidOptionError(
      `The option context says that ${firstMs} ms of the invocation remain. It is over, so the lease was not asked for. Under a local runner, correct its time-out.`,
    )
  }
  const startedAtMs = clock.monotonicMs()
  return () => {
    const byContextMs = readRemaining(context).ms
    const byClockMs = firstMs - (clock.monotonicMs() - startedAtMs)
    // Either may be NaN, and says nothing then.
    const leftMs = byContextMs <= byClockMs || Number.isNaN(byClockMs) ? byContextMs : byClockMs
    return leftMs > 0 ? leftMs : 0
  }
}

/** NaN if the context does not say, and what it did instead. */
export function readRemaining(context: InvocationContext): {
  readonly ms: number
  readonly did: string
  readonly cause?: unknown
} {
  try {
    const ms: unknown = context.getRemainingTimeInMillis()
    return { ms: typeof ms === 'number' ? ms : Number.NaN, did: `is ${show(ms)}` }
  } catch (cause) {
    return { ms: Number.NaN, did: 'throws an error', cause }
  }
}

/** No answer came while one could help. */
export class UnansweredError extends LeaseStoreError {}

interface Asking {
  readonly clock: Clock
  readonly lease: string
  readonly remainingMs: () => number
  /** What it means that no answer came: the message of the error. */
  readonly unanswered?: string
}

/** Then looked at anew: a caller's clock may sleep by one timer, which has its limits. */
const LONGEST_SLEEP_MS = 3_600_000

/**
 * What `send` comes to, unless that takes until only `keptMs` of the invocation are left: then the signal aborts, and the
 * answer is not waited for any more.
 */
export async function whileInvocationLasts<T>(
  { clock, lease, remainingMs, unanswered = noAnswerToAcquire(lease) }: Asking,
  keptMs: number,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const answered = new AbortController()
  const watch = async (): Promise<void> => {
    while (!answered.signal.aborted) {
      const leftMs = remainingMs() - keptMs
      if (leftMs === Number.POSITIVE_INFINITY) return
      if (leftMs > 0) {
        await clock.sleep(Math.min(Math.ceil(leftMs), LONGEST_SLEEP_MS), answered.signal)
        continue
      }
      return over.abort(new UnansweredError(unanswered, { lease, retryable: true }))
    }
  }
  const answer = unlessAborted(send(over.signal), over.signal)
  void watch()
  return await answer.finally(() => answered.abort())
}

function noAnswerToAcquire(lease: string): string {
  return `Lease "${lease}" was asked for, but no answer had come when the invocation was about to end. The task did not run. The event can be retried; give the function more time if DynamoDB is this slow.`
}
