/** Lease rows and history rows. */
// @ts-nocheck


import { historyKey } from '../../functions/announce/history-row.ts'
import type { LeaseRecord } from '../../functions/election/rules.ts'
import type { AttributeMap } from '../../functions/election/stores/row.ts'
import { type LeaseReading, readTenure } from '../../functions/widget/model.ts'

export const NOW = Date.parse('2026-11-21T06:10:00.000Z')
export const MINUTE = 60_000
export const TICK = '2026-11-21T06:00:00.000Z'

/** A lease with a leader. */
export function leaseRecord(changes: Partial<LeaseRecord> = {}): LeaseRecord {
  return {
    ...{ lease: 'billing', fencingToken: 42, holder: 'worker-7', attempt: 'a42', step: 2, tick: TICK },
    ...{ acquiredAtMs: NOW - MINUTE, expiresAtMs: NOW + 9_400, writtenAtMs: NOW - 5_000 },
    ...changes,
  }
}

/** The same lease after the end of the tenure. */
export function vacantRecord(changes: Partial<LeaseRecord> = {}): LeaseRecord {
  const { holder: _holder, ...rest } = leaseRecord({ endedBy: 'completed', completedTick: TICK })
  return { ...rest, ...changes }
}

/** A history row; `undefined` leaves an attribute out. */
export function tenureRow(token: number, changes: Record<string, AttributeMap[string] | undefined> = {}): AttributeMap {
  const attributes = {
    lease: { S: 'billing' },
    record: { S: historyKey({ lease: 'billing', fencingToken: token }).record },
    candidate: { S: `worker-${token}` },
    forTick: { S: TICK },
    beganAtMs: { N: String(NOW - 8 * MINUTE) },
    endedAtMs: { N: String(NOW - 7 * MINUTE) },
    outcome: { S: 'completed' },
    announced: { SS: ['LeaderElected'] },
    ttl: { N: '1800000000' },
  }
  const entries = Object.entries({ ...attributes, ...changes })
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

export function reading(record: LeaseRecord | undefined, rows: readonly AttributeMap[] = []): LeaseReading {
  const history = { rows: rows.map(readTenure), hasMore: false }
  return { lease: 'billing', record: { ok: true, value: record }, history: { ok: true, value: history } }
}
