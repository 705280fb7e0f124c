/** How far leases are behind their schedules: pure. */

import { property } from '../election/json.ts'
import { isLeaseName } from '../election/options.ts'

export interface WatchedLease {
  readonly lease: string
  /** Of its schedules, in milliseconds. */
  readonly periodMs: number
}

/**
 * The leases that the scheduled event asks about: `{ leases: [{ lease, periodMs }] }`.
 *
 * @throws RangeError that names everything wrong with it
 */
export function readWatchedLeases(event: unknown): readonly WatchedLease[] {
  const leases = property(event, 'leases')
  if (!Array.isArray(leases) || leases.length === 0) {
    throw new RangeError(
      `The event of the check for overdue ticks names no leases. Give { "leases": [{ "lease": "billing", "periodMs": 3600000 }] }, as the schedule's input.`,
    )
  }
  const read = leases.map(readWatched)
  const problems = read.filter((entry) => typeof entry === 'string')
  if (problems.length > 0) {
    throw new RangeError(`The event of the check for overdue ticks is wrong: ${problems.slice(0, 10).join('; ')}`)
  }
  return read.filter((entry) => typeof entry === 'object')
}

/** The entry, or what is wrong with it. */
function readWatched(entry: unknown, index: number): WatchedLease | string {
  const lease = property(entry, 'lease')
  const periodMs = property(entry, 'periodMs')
  if (typeof lease !== 'string' || !isLeaseName(lease)) {
    return `leases[${index}].lease is ${show(lease)}, not a name of 1 to 128 letters, digits and . _ - / :`
  }
  if (typeof periodMs !== 'number' || !Number.isSafeInteger(periodMs) || periodMs <= 0) {
    return `leases[${index}].periodMs, of "${lease}", is ${show(periodMs)}, not a whole number of milliseconds above 0`
  }
  return { lease, periodMs }
}

/** How many whole periods have passed since the last tick that was completed. */
export function ticksOverdue(lastDoneMs: number, periodMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - lastDoneMs) / periodMs))
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  return typeof value === 'object' && value !== null ? 'an object' : String(value).slice(0, 60)
}
