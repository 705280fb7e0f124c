// @ts-nocheck
import { describe, expect, it } from 'vitest'
import {
  explainRefusal,
  impossibleTime,
  isAhead,
  isClosedAlready,
  isOwnCompletion,
  isOwnWrite,
} from '../../functions/election/refusal.ts'
import {
  type AcquireRequest,
  acquireConditions,
  acquired,
  type HolderWrite,
  type LeaseRecord,
  requestTransfer,
} from '../../functions/election/rules.ts'
import {
  acquireRequest,
  EARLIER_TICK,
  holderWrite,
  LATER_TICK,
  LEASE_MS,
  NOW_MS,
  SKEW_MS,
  TICK,
  tenureOf,
  ticklessRequest,
} from '../../functions/election/testing/requests.ts'

const request = acquireRequest()
const held = acquired(undefined, request)
const ann = tenureOf(request, held.fencingToken)
const { holder: _holder, ...free } = held
/** How the rules leave a row that ann has completed. */
const done: LeaseRecord = { ...free, completedTick: TICK, endedBy: 'completed', step: 1 }
const bob = (changes: Partial<AcquireRequest> = {}) =>
  acquireRequest({ candidate: 'bob', attempt: 'attempt-bob', ...changes })
const ticklessBob = ticklessRequest({ candidate: 'bob', attempt: 'attempt-bob' })

it('a request without a tick breaks no rule about ticks that are done, but that of rows with ticks', () => {
  const conditions = acquireConditions(done, ticklessBob)
  expect(conditions).toMatchObject({ tickNotDone: true, tickedAlike: false })
})

it('a transfer to which an earlier leader was asked is not open under the next one', () => {
  const asked = { ...held, transferTo: 'cy', transferUntilMs: NOW_MS + 10, transferBy: held.fencingToken - 1 }
  const ask = { lease: 'billing', fencingToken: held.fencingToken, to: 'bob', nowMs: NOW_MS, untilMs: NOW_MS + 20 }
  expect(requestTransfer(asked, ask)).toMatchObject({ granted: true, record: { transferTo: 'bob' } })
})

describe('a refusal', () => {
  it('that shows one’s own attempt is a win only while one is the holder', () => {
    expect(explainRefusal(held, request)).toEqual({ kind: 'won', record: held })
    expect(explainRefusal(free, request)).toEqual({ kind: 'outdated' })
    expect(explainRefusal({ ...held, holder: 'eve' }, request)).toMatchObject({ kind: 'standby', reason: 'held' })
  })

  const { tick: _tick, ...tickless } = held
  const reserved = { ...free, reservedFor: 'cy', reservedUntilMs: NOW_MS + 60_000, reservedBy: held.fencingToken }
  const inMs = { retryAfterMs: LEASE_MS + SKEW_MS }
  const reservedMs = { retryAfterMs: 60_000 + SKEW_MS }
  const mine = { holder: 'ann', ...inMs }
  const by = (reason: string, more: object = {}) => ({ kind: 'standby', reason, ...more })
  const behind = { kind: 'behind', heldTick: TICK }
  const closedByHand = { ...tickless, completedTick: EARLIER_TICK }
  it.each<[string, LeaseRecord, AcquireRequest, object]>([
    ['held for the same tick', held, bob(), by('held', mine)],
    ['held for an earlier tick', held, bob({ tick: LATER_TICK }), { ...behind, ...mine }],
    ['held for a later tick', held, bob({ tick: EARLIER_TICK }), by('superseded', { holder: 'ann' })],
    ['held without a tick', tickless, ticklessBob, by('held', mine)],
    ['held without a tick, and closed by hand', closedByHand, bob(), by('held', mine)],
    ['held by another attempt of my name', held, bob({ candidate: 'ann' }), by('held', mine)],
    ['held with a tick, if I have none', held, ticklessBob, { kind: 'ticksDiffer' }],
    ['held without a tick, if I have one', tickless, bob(), { kind: 'ticksDiffer' }],
    ['held by my event', { ...held, eventId: 'event-1' }, bob({ eventId: 'event-1' }), { kind: 'stillHeld', ...inMs }],
    ['reserved for the same tick', reserved, bob(), by('held', reservedMs)],
    ['reserved for an earlier tick', reserved, bob({ tick: LATER_TICK }), { ...behind, ...reservedMs }],
    ['reserved for a later tick', reserved, bob({ tick: EARLIER_TICK }), by('superseded')],
  ])('of a lease that is %s', (_, record, request, expected) => {
    expect(explainRefusal(record, request)).toStrictEqual(expected)
  })

  it('of a lease that has expired does not name its holder', () => {
    const nowMs = NOW_MS + LEASE_MS + SKEW_MS
    const paused = { ...held, pausedUntilMs: nowMs + 500 }
    expect(explainRefusal(paused, bob({ nowMs }))).toEqual({ kind: 'standby', reason: 'paused', retryAfterMs: 500 })
    const writtenLate = { ...held, writtenAtMs: nowMs + SKEW_MS + 1 }
    expect(explainRefusal(writtenLate, bob({ nowMs }))).toEqual({ kind: 'outdated' })
  })
})

describe('a refused write is one’s own', () => {
  const renewal = holderWrite(ann, 'renew', { step: 3 })
  const complete = holderWrite(ann, 'complete', { step: 2 })
  const release = { ...ann, kind: 'release', endedBy: 'released', nowMs: NOW_MS, step: 2 } as const
  it.each<[string, LeaseRecord | undefined, HolderWrite, boolean]>([
    ['with its attempt, its token and its step', { ...held, step: 3 }, renewal, true],
    ['with another step', { ...held, step: 4 }, renewal, false],
    ['with another attempt', { ...held, step: 3, attempt: 'forced' }, renewal, false],
    ['with another token', { ...held, step: 3, fencingToken: held.fencingToken + 1 }, renewal, false],
    ['that is not there', undefined, renewal, false],
    ['that is vacant', done, holderWrite(ann, 'renew', { step: 2 }), false],
    ['that it completed, its reply lost', { ...done, step: 2 }, complete, true],
    ['that was completed without its items', { ...done, step: 1 }, complete, false],
    ['that another candidate completed', { ...done, step: 2, attempt: 'attempt-bob' }, complete, false],
    ['that it released, its reply lost', { ...free, step: 2, endedBy: 'released' }, release, true],
    ['that was released before', { ...free, step: 1, endedBy: 'released' }, release, false],
  ])('on a row %s', (_, record, request, isOwn) => {
    expect(isOwnWrite(record, request)).toBe(isOwn)
  })
})

describe('a refused write finds its tick closed', () => {
  const complete = holderWrite(ann, 'complete', { step: 2 })
  const advance = holderWrite(ann, 'advance', { step: 2 })
  const tickless: HolderWrite = { ...ann, kind: 'complete', nowMs: NOW_MS, step: 2 }
  const [byMe, byOther] = [{ completedBy: ann.fencingToken }, { completedBy: ann.fencingToken - 1 }]
  const closed = { ...held, completedTick: TICK }
  it.each<[string, LeaseRecord | undefined, HolderWrite, 'by itself' | 'by hand' | 'no']>([
    ['that another candidate leads after me', { ...closed, ...byMe, holder: 'bob' }, complete, 'by itself'],
    ['that another candidate completed', { ...closed, ...byOther, holder: 'bob' }, complete, 'no'],
    ['of another tick that I completed', { ...held, completedTick: EARLIER_TICK, ...byMe }, complete, 'no'],
    ['of a missed tick that I closed', { ...closed, ...byMe }, advance, 'by hand'],
    ['that is not there', undefined, complete, 'no'],
    ['that is not there, nor a tick', undefined, tickless, 'no'],
    ['that no candidate completed', { ...free, attempt: 'attempt-bob' }, tickless, 'no'],
    ['of this very tick', closed, advance, 'by hand'],
    ['of a later tick', { ...held, completedTick: LATER_TICK }, complete, 'by hand'],
    ['of an earlier tick', { ...held, completedTick: EARLIER_TICK }, advance, 'no'],
    ['of no tick', held, advance, 'no'],
    ['with my step already', { ...closed, step: 2 }, advance, 'no'],
    ['of this very tick, but for a renewal', closed, holderWrite(ann, 'renew', { step: 2 }), 'no'],
    ['of this very tick, but for a completion without one', closed, tickless, 'no'],
    ['that I hold no longer', { ...closed, attempt: 'forced' }, advance, 'no'],
  ])('on a row %s', (_, record, request, expected) => {
    const by = isOwnCompletion(record, request) ? 'by itself' : isClosedAlready(record, request) ? 'by hand' : 'no'
    expect(by).toBe(expected)
  })
})

describe('a held row from the future', () => {
  const HOUR_MS = 3_600_000
  const { writtenAtMs } = held
  const impossible = (changes: Partial<LeaseRecord>) => impossibleTime({ ...held, ...changes }, HOUR_MS)

  it('is damaged if it was acquired after its last write, or lasts longer after that than any lease', () => {
    expect(impossible({ acquiredAtMs: writtenAtMs })).toBeUndefined()
    expect(impossible({ acquiredAtMs: writtenAtMs + 1 })).toBe('acquiredAtMs')
    expect(impossible({ expiresAtMs: writtenAtMs + HOUR_MS })).toBeUndefined()
    expect(impossible({ expiresAtMs: writtenAtMs + HOUR_MS + 1 })).toBe('expiresAtMs')
    expect(impossibleTime({ ...free, acquiredAtMs: 1e15 }, HOUR_MS)).toBeUndefined()
  })

  it('is not damaged, but ahead, if a clock explains it', () => {
    const ahead = (changes: Partial<LeaseRecord>) => isAhead({ ...held, ...changes }, NOW_MS, HOUR_MS)
    expect(ahead({ acquiredAtMs: NOW_MS })).toBe(false)
    expect(ahead({ acquiredAtMs: NOW_MS + 1 })).toBe(true)
    expect(ahead({ expiresAtMs: NOW_MS + HOUR_MS })).toBe(false)
    expect(ahead({ expiresAtMs: NOW_MS + HOUR_MS + 1 })).toBe(true)
  })
})
