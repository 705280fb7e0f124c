import { describe, expect, it } from 'vitest'
import {
  type AcquireRequest,
  acquireConditions,
  acquired,
  explainRefusal,
  impossibleTime,
  isAhead,
  isOwnWrite,
  type LeaseRecord,
  write,
} from '../../functions/election/rules.ts'
import {
  acquireRequest,
  holderWrite,
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

describe('the conditions of an acquire', () => {
  it('are separate: a request without a tick breaks no rule about ticks that are done', () => {
    const conditions = acquireConditions(done, ticklessRequest({ candidate: 'bob', attempt: 'attempt-bob' }))
    expect(conditions).toMatchObject({ tickNotDone: true, tickedAlike: false })
  })

  it('refuse a request without a tick even if a row has only a completed one', () => {
    const { tick: _tick, ...edited } = done
    expect(acquireConditions(edited, ticklessRequest()).tickedAlike).toBe(false)
  })
})

describe('the holder’s writes', () => {
  it('a renewal keeps the checkpoint, and touches nothing but expiry, step and time', () => {
    const saved = { ...held, checkpoint: { tick: TICK, state: { upTo: 1 } } }
    const renewal = holderWrite(ann, 'renew', { step: 1, nowMs: NOW_MS + 1 })
    const { record } = write(saved, renewal)
    expect(record).toEqual({ ...saved, step: 1, writtenAtMs: NOW_MS + 1, expiresAtMs: record?.expiresAtMs })
  })
})

describe('a refusal', () => {
  it('that shows one’s own attempt is a win only while one is the holder', () => {
    expect(explainRefusal(held, request)).toEqual({ kind: 'won', record: held })
    expect(explainRefusal(free, request)).toEqual({ kind: 'outdated' })
    expect(explainRefusal({ ...held, holder: 'eve' }, request)).toMatchObject({ kind: 'standby', reason: 'held' })
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
  const complete = holderWrite(ann, 'complete', { step: 2 })
  const isOwn = (record: LeaseRecord | undefined, of = complete) => isOwnWrite(record, of)

  it('if the row has its attempt, its token and its step', () => {
    const renewal = holderWrite(ann, 'renew', { step: 3 })
    expect(isOwn({ ...held, step: 3 }, renewal)).toBe(true)
    expect(isOwn({ ...held, step: 4 }, renewal)).toBe(false)
    expect(isOwn({ ...held, step: 3, attempt: 'forced' }, renewal)).toBe(false)
    expect(isOwn({ ...held, step: 3, fencingToken: held.fencingToken + 1 }, renewal)).toBe(false)
    expect(isOwn(undefined, renewal)).toBe(false)
  })

  it('if it is an end whose reply was lost, but not for another end of the same tenure', () => {
    const release = { ...ann, kind: 'release', endedBy: 'released', nowMs: NOW_MS } as const
    expect(isOwn({ ...done, step: 2 })).toBe(true)
    expect(isOwn({ ...done, step: 1 })).toBe(false) // a completion without the items of this one
    expect(isOwn({ ...done, step: 2, attempt: 'attempt-bob' })).toBe(false)
    expect(isOwnWrite({ ...free, step: 2, endedBy: 'released' }, { ...release, step: 2 })).toBe(true)
    expect(isOwnWrite({ ...free, step: 1, endedBy: 'released' }, { ...release, step: 2 })).toBe(false)
  })

  it('never if a renewal finds the lease vacant', () => {
    expect(isOwn(done, holderWrite(ann, 'renew', { step: 2 }))).toBe(false)
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
