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
 * Aborts with the loss or with the caller's signal, and stops listening to the latter when the lease is lost or `ended`
 * aborts. `AbortSignal.any` with listeners would exist as long as the caller's signal, which may be forever.
 */
export function eitherSignal(loss: AbortSignal, callers: AbortSignal | undefined, ended: AbortSignal): AbortSignal {
  if (callers === undefined) return loss
  const either = new AbortController()
  const forward = () => either.abort(callers.reason)
  const letGo = () => callers.removeEventListener('abort', forward)
  if (callers.aborted) forward()
  callers.addEventListener('abort', forward)
  ended.addEventListener('abort', letGo)
  loss.addEventListener('abort', () => {
    letGo()
    either.abort(loss.reason)
  })
  return either.signal
}
