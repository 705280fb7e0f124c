// @ts-nocheck
import { acquireLease } from './acquire.ts'
import { withDefaults } from './defaults.ts'
import { InvalidOptionError } from './errors.ts'
import type { Lease, TickedLease } from './lease.ts'
import { LeaseHandle } from './lease-handle.ts'
import type { Standby } from './not-won.ts'
import { type LeaseOptions, settingsOfChecked, type WithCheckpoint } from './options.ts'
import type { TickInput } from './tick.ts'

/** What an invocation did. */
export type Outcome<T> =
  /** It led, and its tick is done (for a lease without ticks: its turn is over). */
  | { readonly status: 'completed'; readonly fencingToken: number; readonly result: T }
  /**
   * It led, and the task called `lease.release()`, or left the loop of `lease.ticks()`: its own tick
   * is not done, and another candidate may lead at once.
   */
  | { readonly status: 'released'; readonly fencingToken: number; readonly result: T }
  /** It led, and handed its work over to a new invocation. */
  | { readonly status: 'continued'; readonly fencingToken: number; readonly result: T }
  /** It did not lead. `reason` says why. */
  | Standby

/**
 * Runs the task if this candidate wins the lease. When the task returns, its tick is done, unless the task released
 * the lease. Losing is the outcome `standby`. A task that throws releases the lease, so that a retry of its tick can
 * lead at once; its error is rethrown.
 * @example
 * const { tick } = event // of an ElectedSchedule
 * const outcome = await withLease({ tick, context }, async (lease) => {
 *   await lease.send({ TableName: 'invoices', Item: invoice })
 * })
 * @throws before the task starts: InvalidOptionError, InvalidTickError, LeaseStillHeldError, ClockSkewError,
 *   CorruptLeaseError, CheckpointError, LeaseStoreError, LeaseLostError (the lease was won too late), and the reason of
 *   `signal`. After it started: what the task throws; LeaseLostError if the lease was lost; LeaseStoreError or
 *   CorruptLeaseError if the completion was not confirmed
 */
export function withLease<T, State = unknown>(
  options: LeaseOptions & WithCheckpoint<State> & { readonly tick: TickInput },
  task: (lease: TickedLease<State>) => Promise<T> | T,
): Promise<Outcome<T>>
export function withLease<T, State = unknown>(
  options: LeaseOptions & WithCheckpoint<State>,
  task: (lease: Lease<State>) => Promise<T> | T,
): Promise<Outcome<T>>
export async function withLease<T>(options: LeaseOptions, task: unknown): Promise<Outcome<T>> {
  if (typeof task !== 'function') throw new InvalidOptionError('withLease needs a task: withLease(options, task).')
  const settings = settingsOfChecked(withDefaults(options))
  const lease = await acquireLease(settings)
  if (!(lease instanceof LeaseHandle)) return lease
  lease.start()
  try {
    lease.assertHeld() // the answer may have come late, or the caller given up meanwhile
    await lease.readCheckpoint()
    const result: T = await Reflect.apply(task, undefined, [lease])
    return await finished(lease, result)
  } catch (error) {
    await failed(lease, error)
    throw error
  }
}

/** Completes the lease unless the task ended it. */
export async function finished<T>(lease: LeaseHandle, result: T): Promise<Outcome<T>> {
  await lease.endAfterTask()
  const { ended, fencingToken } = lease
  const status = ended === 'released' || ended === 'continued' ? ended : 'completed'
  return { status, fencingToken, result }
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
