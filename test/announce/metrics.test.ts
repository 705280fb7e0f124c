import { expect, test } from 'vitest'
import { measurementsOf } from '../../functions/announce/metrics.ts'

test('An election counts once, with a tick or without', () => {
  const tick = '2026-11-21T06:00:00.000Z'
  const beganAtMs = Date.parse(tick) + 400
  const tenure = {
    lease: 'billing',
    fencingToken: 42,
    candidate: 'ann',
    beganAtMs,
    atMs: beganAtMs,
    expiresAtMs: beganAtMs + 15_000,
  }
  expect(measurementsOf({ kind: 'elected', ...tenure, tick })).toEqual([{ name: 'elected', unit: 'Count', value: 1 }])
  expect(measurementsOf({ kind: 'elected', ...tenure })).toEqual([{ name: 'elected', unit: 'Count', value: 1 }])
})
