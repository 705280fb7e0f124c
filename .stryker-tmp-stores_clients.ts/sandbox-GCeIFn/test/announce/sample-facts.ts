/** One fact of each kind, about one tenure and its successor. */
// @ts-nocheck

import type { FactOf } from '../../functions/announce/facts.ts'

export const TICK = '2026-11-21T06:00:00.000Z'
export const BEGAN_MS = Date.parse(TICK) + 400

export const tenure = { lease: 'billing', fencingToken: 42, tick: TICK, beganAtMs: BEGAN_MS }
const led = { ...tenure, atMs: BEGAN_MS, candidate: 'ann' }
const after = (ms: number) => ({ ...led, atMs: BEGAN_MS + ms })

export const elected: FactOf<'elected'> = { kind: 'elected', ...led, expiresAtMs: BEGAN_MS + 15_000 }
export const failed: FactOf<'ended'> = { kind: 'ended', ...after(1_600), endedBy: 'failed', errorName: 'TypeError' }
export const closed: FactOf<'closed'> = { kind: 'closed', ...after(600), closedTick: '2026-11-21T05:00:00.000Z' }
export const forced: FactOf<'forced'> = { kind: 'forced', ...after(2_600), expiresAtMs: BEGAN_MS + 15_000 }
export const paused: FactOf<'paused'> = {
  kind: 'paused',
  ...after(100),
  sequenceNumber: '7',
  isVacant: false,
  pausedUntilMs: BEGAN_MS + 1_000_000,
}
export const takenOver: FactOf<'takenOver'> = {
  kind: 'takenOver',
  ...after(20_000),
  fencingToken: 43,
  beganAtMs: BEGAN_MS + 20_000,
  candidate: 'bob',
  previous: { fencingToken: 42, candidate: 'ann', tick: TICK, beganAtMs: BEGAN_MS, expiredAtMs: BEGAN_MS + 15_000 },
}
