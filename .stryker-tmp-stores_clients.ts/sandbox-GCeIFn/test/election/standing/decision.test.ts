// @ts-nocheck
import { expect, it } from 'vitest'
import type { CandidateRow, LeaseRecord } from '../../../functions/election/index.ts'
import { decide, successor, type View } from '../../../functions/election/standing/decision.ts'
import { LEASE_MS, NOW_MS, SKEW_MS } from '../../../functions/election/testing/requests.ts'

const candidate = (name: string, merit = 0, changes: Partial<CandidateRow> = {}): CandidateRow => ({
  ...{ lease: 'jobs', name, identity: `${name}-1`, merit, eligible: true, sinceMs: NOW_MS, seenAtMs: NOW_MS },
  ...changes,
})

const HELD: LeaseRecord = {
  ...{ lease: 'jobs', fencingToken: 7, holder: 'lea', attempt: 'a', step: 3 },
  ...{ acquiredAtMs: NOW_MS - 60_000, writtenAtMs: NOW_MS, expiresAtMs: NOW_MS + LEASE_MS },
}
const { holder: _holder, ...vacant } = HELD
const FREE: LeaseRecord = { ...vacant, endedBy: 'released' }
const reserved = (reservedFor: string, changes: Partial<LeaseRecord> = {}): LeaseRecord => ({
  ...{ ...FREE, reservedFor, reservedUntilMs: NOW_MS + 10_000, reservedBy: 7 },
  ...changes,
})
const asked = (transferTo: string, transferUntilMs = NOW_MS + 1, transferBy = 7): LeaseRecord => ({
  ...{ ...HELD, transferTo, transferUntilMs, transferBy },
})
const PREEMPT = { margin: 2, minTenureMs: 30_000 }

const view = (record: LeaseRecord | undefined, changes: Partial<View> = {}): View => ({
  ...{ record, me: candidate('ann', 5), candidates: [], nowMs: NOW_MS, maxClockSkewMs: SKEW_MS },
  ...{ refreshMs: 30_000, headStartMs: 500 },
  ...changes,
})
const FREE_MS = NOW_MS + LEASE_MS + SKEW_MS
const GONE = { seenAtMs: NOW_MS - 91_001 }
const crowd = Array.from({ length: 9 }, (_, index) => candidate(`c${index}`, 9))

it.each<[string, View, ReturnType<typeof decide>]>([
  ['acquires a lease without a row', view(undefined), { kind: 'acquire' }],
  ['waits if it is not eligible', view(FREE, { me: candidate('ann', 5, { eligible: false }) }), { kind: 'wait' }],
  ['waits until a held lease may be free', view(HELD), { kind: 'wait', untilMs: FREE_MS }],
  ['acquires once it has expired for the clock budget', view(HELD, { nowMs: FREE_MS }), { kind: 'acquire' }],
  ['waits for the end of a pause', view({ ...FREE, pausedUntilMs: NOW_MS + 9 }), { kind: 'wait', untilMs: NOW_MS + 9 }],
  ['acquires a lease that is kept for it', view(reserved('ann'), { candidates: crowd }), { kind: 'acquire' }],
  ['waits while it is kept for another', view(reserved('bob')), { kind: 'wait', untilMs: NOW_MS + 11_000 }],
  [
    'acquires after the time for which it was kept',
    view(reserved('bob'), { nowMs: NOW_MS + 11_000 }),
    { kind: 'acquire' },
  ],
  ['ignores what an earlier leader kept', view(reserved('bob', { reservedBy: 6 })), { kind: 'acquire' }],
  [
    'lets a better candidate go first',
    view(FREE, { candidates: [candidate('bob', 6)] }),
    { kind: 'wait', untilMs: NOW_MS + 500 },
  ],
  ['goes before an equal one by its name', view(FREE, { candidates: [candidate('bob', 5)] }), { kind: 'acquire' }],
  ['does not wait for one that is gone', view(FREE, { candidates: [candidate('bob', 6, GONE)] }), { kind: 'acquire' }],
  [
    'does not wait for one that may not lead',
    view(FREE, { candidates: [candidate('bob', 6, { eligible: false })] }),
    { kind: 'acquire' },
  ],
  [
    'does not wait for the leader that is dead',
    view(HELD, { candidates: [candidate('lea', 9)], nowMs: FREE_MS }),
    { kind: 'acquire' },
  ],
  ['waits for at most five', view(FREE, { candidates: crowd }), { kind: 'wait', untilMs: NOW_MS + 2_500 }],
  ['takes over when the leader is asked to hand over to it', view(asked('ann')), { kind: 'takeOver' }],
  ['waits when another is to take over', view(asked('bob'), { preempt: PREEMPT }), { kind: 'wait', untilMs: FREE_MS }],
  [
    'does not count a request for another process of its name, which leads',
    view({ ...asked('ann'), holder: 'ann' }),
    { kind: 'wait', untilMs: FREE_MS },
  ],
  ['does not count a request that is over', view(asked('ann', NOW_MS)), { kind: 'wait', untilMs: FREE_MS }],
  [
    'does not count a request to an earlier leader',
    view(asked('ann', NOW_MS + 1, 6)),
    { kind: 'wait', untilMs: FREE_MS },
  ],
])('%s', (_, seen, expected) => {
  expect(decide(seen)).toEqual(expected)
})

it.each<[string, Partial<View>, ReturnType<typeof decide>]>([
  ['asks for the lease of a worse leader', {}, { kind: 'requestTransfer', fencingToken: 7 }],
  ['but not within the margin', { me: candidate('ann', 4.9) }, { kind: 'wait', untilMs: FREE_MS }],
  ['nor if that is not wanted', { preempt: undefined }, { kind: 'wait', untilMs: FREE_MS }],
  ['nor of a leader without a row, such as a Lambda', { candidates: [] }, { kind: 'wait', untilMs: FREE_MS }],
  [
    'nor before the minimum tenure',
    { preempt: { margin: 2, minTenureMs: 70_000 } },
    { kind: 'wait', untilMs: NOW_MS + 10_000 },
  ],
  [
    'nor if another is better still',
    { candidates: [candidate('lea', 3), candidate('bob', 6)] },
    { kind: 'wait', untilMs: FREE_MS + 500 },
  ],
])('%s', (_, changes, expected) => {
  expect(decide(view(HELD, { candidates: [candidate('lea', 3)], preempt: PREEMPT, ...changes }))).toEqual(expected)
})

it('hands over to the best other candidate that is alive and may lead', () => {
  const candidates = [candidate('ann', 9), candidate('bob', 8, GONE), candidate('cy', 7, { eligible: false })]
  expect(successor(view(HELD, { candidates: [...candidates, candidate('eve', 6), candidate('dee', 6)] }))?.name).toBe(
    'dee',
  )
  expect(successor(view(HELD, { candidates }))).toBeUndefined()
})
