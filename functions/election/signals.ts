/** The reply, or the reason of the signal as soon as that aborts; what the reply would have been is ignored then. */
export async function unlessAborted<T>(reply: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await reply
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  return await Promise.race([reply, aborted]).finally(() => signal.removeEventListener('abort', abort))
}
