// @ts-nocheck
import type { Log } from './announce.ts'

/**
 * All at once: each may wait a second for its queue. A lease that fails does not stop the others.
 * @throws Error at the end, if there is one
 */
export async function checkEach<Watched extends { readonly lease: string }>(
  watched: readonly Watched[],
  what: 'overdue ticks' | 'dead ticks' | 'a leader',
  log: Pick<Log, 'error'>,
  check: (one: Watched) => Promise<void>,
): Promise<void> {
  const failures: { readonly lease: string; readonly error: unknown }[] = []
  const checkOne = async (one: Watched): Promise<void> => {
    try {
      await check(one)
    } catch (error) {
      const { lease } = one
      log.error(`a lease could not be checked for ${what}`, { lease, error })
      failures.push({ lease, error })
    }
  }
  await Promise.all(watched.map(checkOne))
  const [first] = failures
  if (first === undefined) return
  const names = failures.map(({ lease }) => lease).join(', ')
  throw new Error(
    `${failures.length} of ${watched.length} leases could not be checked for ${what}: ${names.slice(0, 500)}. ` +
      'The log has the reason for each; the others were measured.',
    { cause: first.error },
  )
}
