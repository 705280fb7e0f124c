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
 * Aborts with the first of the loss, a request and the caller's signal. It stops listening to the caller's when one has
 * aborted, or the lease is `over`: `AbortSignal.any` with listeners would exist as long as the caller's.
 */
export function firstAbort(
  loss: AbortSignal,
  request: AbortSignal,
  callers: AbortSignal | undefined,
  over: AbortSignal,
): AbortSignal {
  const first = new AbortController()
  const letGo = () => callers?.removeEventListener('abort', forward)
  const abort = (reason: unknown) => {
    letGo()
    first.abort(reason)
  }
  const forward = () => abort(callers?.reason)
  loss.addEventListener('abort', () => abort(loss.reason))
  request.addEventListener('abort', () => abort(request.reason))
  over.addEventListener('abort', letGo)
  if (callers?.aborted) forward()
  callers?.addEventListener('abort', forward)
  return first.signal
}
