import { acquireLease, type Standby } from './acquire.ts'
import type { Lease } from './lease.ts'
import { LeaseHandle } from './lease-handle.ts'
import { type LeaseOptions, settingsOf } from './options.ts'

export type Outcome<T> =
  | { readonly status: 'completed'; readonly fencingToken: number; readonly result: T }
  /** The task gave up the lease itself: the tick is not done. */
  | { readonly status: 'released'; readonly fencingToken: number; readonly result: T }
  | Standby

/**
 * Runs the task if this candidate wins the lease, and records the tick as done when it returns. Losing is the outcome
 * `standby`. A task that throws releases the lease, so that a retry of its tick can lead at once; the error goes on.
 *
 * @example
 * const outcome = await withLease({ store, lease: 'billing', tick: event.tick, context }, async (lease) => {
 *   await lease.send({ TableName: 'invoices', Item: invoice })
 * })
 * @throws what the task throws; LeaseLostError where another candidate took over before the tick was recorded as done;
 *   and what asking for the lease throws: see acquireLease
 */
export async function withLease<T>(options: LeaseOptions, task: (lease: Lease) => Promise<T> | T): Promise<Outcome<T>> {
  const settings = settingsOf(options)
  const lease = await acquireLease(settings)
  if (!(lease instanceof LeaseHandle)) return lease
  lease.start()
  try {
    lease.assertHeld() // the answer may have come late, or the caller given up meanwhile
    const result = await task(lease)
    return await finished(lease, result)
  } catch (error) {
    await failed(lease, error)
    throw error
  }
}

/** Completes the lease unless the task did, or gave it up. */
export async function finished<T>(lease: LeaseHandle, result: T): Promise<Outcome<T>> {
  if (lease.ended !== 'completed' && lease.ended !== 'released') await lease.endAfterTask()
  return { status: lease.ended === 'released' ? 'released' : 'completed', fencingToken: lease.fencingToken, result }
}

/** Gives up the lease of a task that threw. Best effort: the task's own error is the one that matters. */
export async function failed(lease: LeaseHandle, error: unknown): Promise<void> {
  try {
    await lease.fail(errorNameOf(error))
  } catch {
    // It expires by itself.
  } finally {
    lease.abandon()
  }
}

const LONGEST_ERROR_NAME = 100

/**
 * The name under which a failed tenure is recorded: the error's class, never its message, which may hold a secret. Anything
 * can be thrown: a name that cannot be read is none.
 */
function errorNameOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.name).slice(0, LONGEST_ERROR_NAME).toWellFormed() : 'Error'
  } catch {
    return 'Error'
  }
}
