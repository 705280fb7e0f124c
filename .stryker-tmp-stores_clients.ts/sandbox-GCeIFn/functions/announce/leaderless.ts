/** Measures for how long standing leases, those without ticks, have had no leader: no write of a lease shows that. */
// @ts-nocheck

import { property } from '../election/json.ts'
import { milliseconds } from '../election/measurements.ts'
import { isLeaseName, LEASE_NAME_RULE } from '../election/options.ts'
import type { LeaseRecord } from '../election/rules.ts'
import type { DeadTickCheckOptions } from './dead-ticks.ts'
import { checkEach } from './each-lease.ts'

/** 0 while a candidate leads, and in a pause. */
export function leaderlessMs(row: LeaseRecord, nowMs: number): number {
  const { holder, writtenAtMs, expiresAtMs, pausedUntilMs = 0 } = row
  const endedAtMs = holder === undefined ? writtenAtMs : expiresAtMs
  return Math.max(0, nowMs - Math.max(endedAtMs, pausedUntilMs))
}

/**
 * Measures `leaderless` of each lease that the event names, but not of a lease that no candidate has acquired yet.
 * @throws RangeError for a wrong event; Error at the end, if a lease could not be read
 */
export function leaderlessCheck({ row, measure, log, now = Date.now }: Omit<DeadTickCheckOptions, 'letters'>) {
  return async (event: unknown): Promise<void> => {
    await checkEach(readStandingLeases(event), 'a leader', log, async ({ lease }) => {
      const record = await row(lease)
      const nowMs = now()
      if (record === undefined) return log.warn('no candidate has led yet', { lease })
      measure(lease, [milliseconds('leaderless', leaderlessMs(record, nowMs))], { atMs: nowMs })
    })
  }
}

/** Reads the event `{ standing: ["scheduler"] }`. @throws RangeError for any other */
export function readStandingLeases(event: unknown): readonly { readonly lease: string }[] {
  const given = property(event, 'standing')
  const names: readonly unknown[] = Array.isArray(given) ? given : []
  const leases = names.flatMap((lease) => (typeof lease === 'string' && isLeaseName(lease) ? [{ lease }] : []))
  if (leases.length > 0 && leases.length === names.length) return leases
  throw new RangeError(
    'The event of the check for leaders is wrong. Give { "standing": ["scheduler"] } as the schedule\'s input: ' +
      `each lease is ${LEASE_NAME_RULE}`,
  )
}
