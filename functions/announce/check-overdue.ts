import { count, type Measure } from '../election/measurements.ts'
import type { Log } from './announce.ts'
import type { LeaseProgress } from './lease-progress.ts'
import { readWatchedLeases, ticksOverdue } from './overdue.ts'

/** Some leases could not be looked at; all others were measured. */
export class OverdueCheckError extends Error {
  override readonly name = 'OverdueCheckError'

  constructor(failed: readonly string[], checked: number, cause: unknown) {
    super(
      `${failed.length} of ${checked} leases could not be checked for overdue ticks: ${failed.join(', ').slice(0, 500)}. The log has each reason; the others were measured.`,
      { cause },
    )
  }
}

export interface OverdueCheckOptions {
  readonly progress: LeaseProgress
  readonly measure: Measure
  readonly log: Pick<Log, 'error'>
  /** Wall clock, epoch ms. @default Date.now */
  readonly now?: () => number
}

/**
 * Measures `ticksOverdue` of each lease that the event names. One that cannot be read does not keep the others from it.
 *
 * @throws RangeError for an event that cannot be read; OverdueCheckError in the end, where a lease could not be
 */
export function overdueCheck({ progress, measure, log, now = Date.now }: OverdueCheckOptions) {
  return async (event: unknown): Promise<void> => {
    const watched = readWatchedLeases(event)
    const failures: { readonly lease: string; readonly error: unknown }[] = []
    for (const { lease, periodMs } of watched) {
      try {
        const lastDoneMs = await progress.lastDoneMs(lease)
        const nowMs = now()
        measure(lease, [count('ticksOverdue', ticksOverdue(lastDoneMs, periodMs, nowMs))], { atMs: nowMs })
      } catch (error) {
        log.error('a lease could not be checked for overdue ticks', { lease, error })
        failures.push({ lease, error })
      }
    }
    const [first] = failures
    if (first === undefined) return
    const names = failures.map(({ lease }) => lease)
    throw new OverdueCheckError(names, watched.length, first.error)
  }
}
