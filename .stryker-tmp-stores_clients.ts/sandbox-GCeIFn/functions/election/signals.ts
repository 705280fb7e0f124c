/** For an abort whose reason no one reads: without any, `abort` makes an error with a stack, which takes long. */
// @ts-nocheck

export const OVER = 'over'

/** The reply, or the reason of the signal if that aborts first: then the reply is ignored. */
export async function unlessAborted<T>(reply: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await reply
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  return await Promise.race([reply, aborted]).finally(() => signal.removeEventListener('abort', abort))
}

/**
 * Aborts with the first of its own reasons and the caller's. It stops listening to the caller's signal when one has
 * come, or on demand: `AbortSignal.any` with listeners would exist as long as the caller's. Most tasks never read
 * `signal`, so it is made when it is read.
 */
export class FirstAbort {
  #callers: AbortSignal | undefined
  #first: { readonly reason: unknown } | undefined
  #made: AbortController | undefined

  constructor(callers: AbortSignal | undefined) {
    this.#callers = callers
  }

  get signal(): AbortSignal {
    if (this.#made !== undefined) return this.#made.signal
    this.#made = new AbortController()
    if (this.#callers?.aborted) this.stopListening()
    this.#callers?.addEventListener('abort', this.stopListening)
    if (this.#first !== undefined) this.#made.abort(this.#first.reason)
    return this.#made.signal
  }

  abort(reason: unknown): void {
    this.stopListening()
    this.#first ??= { reason }
    this.#made?.abort(this.#first.reason)
  }

  /** If the caller's signal has aborted, its reason is kept. */
  readonly stopListening = (): void => {
    const callers = this.#callers
    this.#callers = undefined
    callers?.removeEventListener('abort', this.stopListening)
    if (callers?.aborted) this.abort(callers.reason)
  }
}
