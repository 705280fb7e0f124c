import { acquireLease } from './acquire.ts'
import { withDefaults } from './defaults.ts'
import type { Lease } from './lease.ts'
import { LeaseHandle } from './lease-handle.ts'
import type { Standby } from './not-won.ts'
import { type LeaseOptions, settingsOf } from './options.ts'

export type Outcome<T> =
  | { readonly status: 'completed'; readonly fencingToken: number; readonly result: T }
  /** The task gave up the lease itself: the tick is not done. */
  | { readonly status: 'released'; readonly fencingToken: number; readonly result: T }
  | Standby

/**
 * Runs the task if this candidate wins the lease, and records the tick as done when it returns. Losing is the outcome
 * `standby`. A task that throws releases the lease, so that a retry of its tick can lead at once; its error is
 * rethrown.
 * @example
 * const outcome = await withLease({ tick: event.tick, context }, async (lease) => {
 *   await lease.send({ TableName: 'invoices', Item: invoice })
 * })
 * @throws what the task throws; LeaseLostError if another candidate took over before the tick was recorded as done;
 *   InvalidOptionError; and, before the task starts: InvalidTickError, LeaseStillHeldError, ClockSkewError,
 *   CorruptLeaseError and LeaseStoreError
 */
export async function withLease<T>(options: LeaseOptions, task: (lease: Lease) => Promise<T> | T): Promise<Outcome<T>> {
  const settings = settingsOf(withDefaults(options))
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

/** Completes the lease unless the task completed or released it. */
export async function finished<T>(lease: LeaseHandle, result: T): Promise<Outcome<T>> {
  await lease.endAfterTask()
  return { status: lease.ended === 'released' ? 'released' : 'completed', fencingToken: lease.fencingToken, result }
}

/** Releases the lease of a task that threw, as a best effort: the task's own error is the one that matters. */
export async function failed(lease: LeaseHandle, error: unknown): Promise<void> {
  try {
    await lease.fail(errorNameOf(error))
  } catch {
    // The lease expires by itself.
  } finally {
    lease.abandon()
  }
}

const LONGEST_ERROR_NAME = 100

/** The error's class, never its message, which may be secret. A task can throw anything, even what is unreadable. */
function errorNameOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.name).slice(0, LONGEST_ERROR_NAME).toWellFormed() : 'Error'
  } catch {
    return 'Error'
  }
}
