// @ts-nocheck
import { expect, test } from 'vitest'
import { leaderlessCheck } from '../../functions/announce/leaderless.ts'
import type { LeaseRecord } from '../../functions/election/rules.ts'

const NOW_MS = Date.parse('2026-11-21T06:00:00.000Z')
const MINUTE_MS = 60_000
const led: LeaseRecord = {
  ...{ lease: 'scheduler', fencingToken: 42, holder: 'ann', attempt: 'a', step: 9, acquiredAtMs: 0 },
  ...{ expiresAtMs: NOW_MS + 1, writtenAtMs: NOW_MS - MINUTE_MS },
}
const { holder: _holder, ...vacant } = { ...led, endedBy: 'released' as const }
const paused = (fromNowMs: number) => ({ ...vacant, pausedUntilMs: NOW_MS + fromNowMs })

test.each<[string, LeaseRecord | undefined, expected: number | undefined]>([
  ['0 while a candidate leads', led, 0],
  ['the time since the lease expired', { ...led, expiresAtMs: NOW_MS - 5_000 }, 5_000],
  ['the time since the leader released it', vacant, MINUTE_MS],
  ['0 in a pause', paused(1), 0],
  ['the time since the pause, if that ended later', paused(-2_000), 2_000],
  ['0 if the clock of the last writer is ahead', { ...vacant, writtenAtMs: NOW_MS + 800 }, 0],
  ['not measured before the first leader, so that its alarm is on', undefined, undefined],
])('How long a lease has had no leader is %s', async (_sentence, record, expected) => {
  const measured: unknown[] = []
  const check = leaderlessCheck({
    row: async (lease) => (lease === 'broken' ? Promise.reject(new Error('throttled')) : record),
    measure: (lease, [metric], { atMs } = {}) => measured.push([lease, metric?.name, metric?.value, atMs]),
    log: { warn: () => undefined, error: () => undefined },
    now: () => NOW_MS,
  })
  await expect(check({ standing: ['broken', 'scheduler'] })).rejects.toThrow(
    'could not be checked for a leader: broken',
  )
  expect(measured).toEqual(expected === undefined ? [] : [['scheduler', 'leaderless', expected, NOW_MS]])
  for (const standing of [undefined, [], ['a b'], [7]]) {
    await expect(check({ standing })).rejects.toThrow('Give { "standing": ["scheduler"] }')
  }
})
