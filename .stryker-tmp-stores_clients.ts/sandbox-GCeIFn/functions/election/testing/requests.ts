// @ts-nocheck
import type { AcquireRequest, HolderWrite, Tenure } from '../rules.ts'

export const NOW_MS = Date.parse('2026-11-21T06:00:00.000Z')
export const LEASE_MS = 15_000
export const SKEW_MS = 1_000
export const TICK = '2026-11-21T05:00:00.000Z'
export const EARLIER_TICK = '2026-11-21T04:00:00.000Z'
export const CONTINUATION = 'a5c2b0de-0c3c-4f6e-9a58-3d1f6a7e9b10'
export const RESERVED_MS = 120_000
export const LATER_TICK = '2026-11-21T05:30:00.000Z'

export function acquireRequest(changes: Partial<AcquireRequest> = {}): AcquireRequest {
  const nowMs = changes.nowMs ?? NOW_MS
  const mine = { lease: 'billing', candidate: 'ann', attempt: 'attempt-ann', tick: TICK }
  return { ...mine, nowMs, expiresAtMs: nowMs + LEASE_MS, maxClockSkewMs: SKEW_MS, ...changes }
}

export function ticklessRequest(changes: Partial<AcquireRequest> = {}): AcquireRequest {
  const { tick: _tick, ...request } = acquireRequest(changes)
  return request
}

export function tenureOf({ lease, candidate, attempt }: AcquireRequest, fencingToken: number): Tenure {
  return { lease, candidate, attempt, fencingToken }
}

export const WRITE_KINDS = ['renew', 'saveCheckpoint', 'advance', 'complete', 'release', 'handOver'] as const

export function holderWrite(
  tenure: Tenure,
  kind: (typeof WRITE_KINDS)[number],
  { step = 1, nowMs = NOW_MS + 1_000, tick = TICK }: { step?: number; nowMs?: number; tick?: string } = {},
): HolderWrite {
  const common = { ...tenure, step, nowMs }
  const expiresAtMs = nowMs + LEASE_MS
  switch (kind) {
    case 'renew':
      return { ...common, kind, expiresAtMs }
    case 'saveCheckpoint':
      return { ...common, kind, expiresAtMs, checkpoint: { tick, version: 2, state: { upTo: step } } }
    case 'advance':
      return { ...common, kind, tick, expiresAtMs }
    case 'complete':
      return { ...common, kind, tick }
    case 'release':
      return { ...common, kind, endedBy: 'failed', errorName: 'TypeError' }
    case 'handOver': {
      const checkpoint = { tick, state: { upTo: step }, continuations: step, sinceMs: NOW_MS }
      const reservation = { reservedFor: CONTINUATION, reservedUntilMs: nowMs + RESERVED_MS }
      return { ...common, kind: 'release', endedBy: 'continued', checkpoint, ...reservation }
    }
  }
}
