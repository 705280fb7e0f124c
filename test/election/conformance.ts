import { expect, it } from 'vitest'
import { type AcquireRequest, write as applyWrite, type LeaseRecord } from '../../functions/election/rules.ts'
import type { LeaseStore } from '../../functions/election/stores/store.ts'
import {
  acquireRequest,
  EARLIER_TICK,
  grantedRecord,
  holderWrite,
  LATER_TICK,
  LEASE_MS,
  NOW_MS,
  SKEW_MS,
  TICK,
  tenureOf,
  ticklessRequest,
} from '../support/requests.ts'

export interface StoreUnderTest {
  readonly store: LeaseStore
  /** The row as it is now, by a way of the test's own. */
  read(): Promise<LeaseRecord | undefined>
  /** Changes attributes by hand, as an operator would. */
  edit(changes: Partial<LeaseRecord>): Promise<void>
}

/** What every store must do: the protocol of rules.ts, rule by rule. */
export function describesALeaseStore(create: () => Promise<StoreUnderTest>): void {
  const bob = { candidate: 'bob', attempt: 'attempt-bob' }

  /** A store in which ann has acquired the lease. */
  async function led(changes: Partial<AcquireRequest> = {}) {
    const subject = await create()
    const request = acquireRequest(changes)
    const record = grantedRecord(await acquire(subject, request))
    return { ...subject, record, ann: tenureOf(request, record.fencingToken) }
  }

  async function acquire({ store }: Pick<StoreUnderTest, 'store'>, request: AcquireRequest) {
    const reply = await store.acquire(request)
    if ('contended' in reply) throw new Error('nothing contends here')
    const { granted, record } = reply
    return { granted, record }
  }

  it('grants a lease that nobody ever had, with the creation time plus one as the first token', async () => {
    const subject = await create()
    const record = grantedRecord(await acquire(subject, acquireRequest({ eventId: 'event-1' })))
    expect(record).toEqual({
      lease: 'billing',
      fencingToken: NOW_MS + 1,
      holder: 'ann',
      attempt: 'attempt-ann',
      eventId: 'event-1',
      acquiredAtMs: NOW_MS,
      expiresAtMs: NOW_MS + LEASE_MS,
      writtenAtMs: NOW_MS,
      step: 0,
      tick: TICK,
    })
    expect(await subject.read()).toEqual(record)
  })

  it('A1: refuses while another holds it, and shows who and until when', async () => {
    const { store, record, read } = await led()
    expect(await acquire({ store }, acquireRequest({ ...bob, nowMs: NOW_MS + 1 }))).toEqual({ granted: false, record })
    expect(await read()).toEqual(record)
  })

  it('A1: refuses an expired lease within the clock budget, and grants it at its end', async () => {
    const { store, record } = await led()
    const endMs = NOW_MS + LEASE_MS + SKEW_MS
    expect((await acquire({ store }, acquireRequest({ ...bob, nowMs: endMs - 1 }))).granted).toBe(false)
    const taken = grantedRecord(await acquire({ store }, acquireRequest({ ...bob, nowMs: endMs })))
    expect(taken).toMatchObject({ holder: 'bob', fencingToken: record.fencingToken + 1, step: 0 })
  })

  it.each([
    ['the same tick', TICK],
    ['an older tick', EARLIER_TICK],
  ])('A2: refuses %s once a tick is completed', async (_, tick) => {
    const { store, ann, record } = await led()
    await store.write(holderWrite(ann, 'complete'))
    const reply = await acquire({ store }, acquireRequest({ ...bob, tick, nowMs: NOW_MS + 1_000 }))
    expect(reply.granted).toBe(false)
    expect(reply.record).toMatchObject({ completedTick: TICK, fencingToken: record.fencingToken })
  })

  it('A2: grants a later tick, which inherits the highest completed one', async () => {
    const { store, ann, record } = await led()
    await store.write(holderWrite(ann, 'complete'))
    const next = await acquire({ store }, acquireRequest({ ...bob, tick: LATER_TICK, nowMs: NOW_MS + 1_000 }))
    expect(grantedRecord(next)).toMatchObject({ completedTick: TICK, fencingToken: record.fencingToken + 1 })
  })

  it('A2: refuses a request without a tick on a row that has ticks, completed or not', async () => {
    const { store, ann } = await led()
    await store.write(holderWrite(ann, 'release'))
    expect((await acquire({ store }, ticklessRequest({ ...bob, nowMs: NOW_MS + 1_000 }))).granted).toBe(false)
  })

  it('serves a lease without ticks again and again', async () => {
    const subject = await create()
    const first = grantedRecord(await acquire(subject, ticklessRequest()))
    const ann = tenureOf(acquireRequest(), first.fencingToken)
    await subject.store.write({ ...ann, kind: 'complete', step: 1, nowMs: NOW_MS + 5 })
    const second = grantedRecord(await acquire(subject, ticklessRequest({ ...bob, nowMs: NOW_MS + 10 })))
    expect(second.fencingToken).toBe(first.fencingToken + 1)
    expect(second).not.toHaveProperty('completedTick')
  })

  it('A3: refuses while paused, and grants from the pause’s end on', async () => {
    const { store, ann, edit } = await led()
    await store.write(holderWrite(ann, 'release'))
    const untilMs = NOW_MS + 60_000
    await edit({ pausedUntilMs: untilMs })
    expect((await acquire({ store }, acquireRequest({ ...bob, nowMs: untilMs - 1 }))).granted).toBe(false)
    expect((await acquire({ store }, acquireRequest({ ...bob, nowMs: untilMs }))).granted).toBe(true)
  })

  it('A3: a pause does not touch the leader at work', async () => {
    const { store, ann, edit } = await led()
    await edit({ pausedUntilMs: NOW_MS + 60_000 })
    expect((await store.write(holderWrite(ann, 'renew', { step: 1 }))).granted).toBe(true)
    expect((await store.write(holderWrite(ann, 'complete', { step: 2 }))).granted).toBe(true)
  })

  it('A5: a second copy of a granted request acquires nothing, even where the lease is free again', async () => {
    const { store, ann, read } = await led()
    await store.write(holderWrite(ann, 'release', { nowMs: NOW_MS }))
    const row = await read()
    expect(await acquire({ store }, acquireRequest())).toEqual({ granted: false, record: row })
  })

  it('A6: a request older than the last write by more than the budget acquires nothing', async () => {
    const { store, ann } = await led()
    await store.write(holderWrite(ann, 'release', { nowMs: NOW_MS + 5_000 }))
    const copy = (nowMs: number) => acquire({ store }, acquireRequest({ ...bob, nowMs }))
    expect((await copy(NOW_MS + 5_000 - SKEW_MS - 1)).granted).toBe(false)
    expect((await copy(NOW_MS + 5_000 - SKEW_MS)).granted).toBe(true)
  })

  it('renews, saves checkpoints, completes and releases for the holder, just as the rules say', async () => {
    const { store, ann, record, read } = await led()
    let expected = record
    const writes = [
      holderWrite(ann, 'renew', { step: 1, nowMs: NOW_MS + 1_000 }),
      holderWrite(ann, 'saveCheckpoint', { step: 2, nowMs: NOW_MS + 2_000 }),
      holderWrite(ann, 'complete', { step: 3, nowMs: NOW_MS + 3_000 }),
    ]
    for (const request of writes) {
      expect((await store.write(request)).granted).toBe(true)
      expected = grantedRecord(applyWrite(expected, request))
      expect(await read()).toEqual(expected)
    }
    expect(expected).toMatchObject({ completedTick: TICK, endedBy: 'completed', attempt: 'attempt-ann' })
    expect(expected).not.toHaveProperty('holder')
    expect(expected).not.toHaveProperty('checkpoint')
  })

  it('shares no object with its callers: what they do to what they gave or got changes no row', async () => {
    const { store, ann, read } = await led()
    const list = [1]
    const save = { ...ann, kind: 'saveCheckpoint', step: 1, nowMs: NOW_MS, expiresAtMs: NOW_MS + LEASE_MS } as const
    await store.write({ ...save, checkpoint: { tick: TICK, state: list } })
    list.push(2)
    const refusedAcquire = await acquire({ store }, acquireRequest({ ...bob, nowMs: NOW_MS + 1 }))
    const refusedWrite = await store.write({ ...save, checkpoint: { tick: TICK, state: 'a copy' } })
    const granted = await acquire({ store }, acquireRequest({ ...bob, nowMs: NOW_MS + 2 * LEASE_MS }))
    for (const reply of [refusedAcquire, refusedWrite, granted, { record: await read() }]) {
      const state: unknown = 'record' in reply ? reply.record?.checkpoint?.state : undefined
      expect(state).toEqual([1])
      if (Array.isArray(state)) state.push(3)
    }
    expect(await read()).toMatchObject({ checkpoint: { state: [1] } })
  })

  it('a release keeps the checkpoint and says how the tenure ended; the next acquire forgets that end', async () => {
    const { store, ann, read } = await led()
    await store.write(holderWrite(ann, 'saveCheckpoint', { step: 1 }))
    await store.write(holderWrite(ann, 'release', { step: 2 }))
    const checkpoint = { tick: TICK, state: { upTo: 1 } }
    expect(await read()).toMatchObject({ checkpoint, endedBy: 'failed', errorName: 'TypeError' })
    const next = grantedRecord(await acquire({ store }, acquireRequest({ ...bob, nowMs: NOW_MS + 2_000 })))
    expect(next).toMatchObject({ checkpoint })
    expect(next).not.toHaveProperty('endedBy')
    expect(next).not.toHaveProperty('errorName')
    expect(await read()).toEqual(next)
  })

  it('a release without an error forgets the one that somebody wrote into the row by hand', async () => {
    const { store, ann, edit, read } = await led()
    await edit({ errorName: 'TypeError' })
    await store.write({ ...ann, kind: 'release', endedBy: 'released', step: 1, nowMs: NOW_MS + 1 })
    expect(await read()).not.toHaveProperty('errorName')
  })

  it('an acquire without an event forgets that of the tenure before', async () => {
    const { store, ann, read } = await led({ eventId: 'event-1' })
    await store.write(holderWrite(ann, 'release', { nowMs: NOW_MS }))
    await acquire({ store }, acquireRequest({ ...bob, nowMs: NOW_MS + 1 }))
    expect(await read()).not.toHaveProperty('eventId')
  })

  it.each([['renew'], ['saveCheckpoint'], ['complete'], ['release']] as const)(
    'H1: a replaced leader cannot %s; nothing changes, and it sees who leads',
    async (kind) => {
      const { store, ann, read } = await led()
      await acquire({ store }, acquireRequest({ ...bob, nowMs: NOW_MS + 2 * LEASE_MS }))
      const row = await read()
      expect(await store.write(holderWrite(ann, kind))).toEqual({ granted: false, record: row })
      expect(await read()).toEqual(row)
    },
  )

  it.each([
    ['candidate', { candidate: 'eve' }],
    ['attempt', { attempt: 'attempt-eve' }],
    ['token', { fencingToken: NOW_MS }],
  ])('H1: a write with another %s is refused', async (_, changes) => {
    const { store, ann } = await led()
    expect((await store.write(holderWrite({ ...ann, ...changes }, 'renew'))).granted).toBe(false)
  })

  it('H2: a delayed copy of an older write changes nothing', async () => {
    const { store, ann, read } = await led()
    const old = holderWrite(ann, 'renew', { step: 1, nowMs: NOW_MS + 1_000 })
    await store.write(old)
    await store.write(holderWrite(ann, 'saveCheckpoint', { step: 2, nowMs: NOW_MS + 9_000 }))
    const row = await read()
    expect(await store.write(old)).toEqual({ granted: false, record: row })
    expect(await read()).toEqual(row)
  })

  it('gives back by attempt, for a candidate that never learned its token', async () => {
    const { store, read, record } = await led()
    const own = { lease: 'billing', candidate: 'ann', attempt: 'attempt-ann', nowMs: NOW_MS + 1 }
    expect((await store.giveBack({ ...own, attempt: 'attempt-bob' })).granted).toBe(false)
    expect((await store.giveBack({ ...own, candidate: 'bob' })).granted).toBe(false)
    expect(await read()).toEqual(record)
    expect((await store.giveBack(own)).granted).toBe(true)
    expect(await read()).toMatchObject({
      endedBy: 'released',
      fencingToken: record.fencingToken,
      attempt: 'attempt-ann',
    })
    expect(await read()).not.toHaveProperty('holder')
  })

  it('holds no write of a lease that nobody ever had', async () => {
    const { store, read } = await create()
    const nobody = tenureOf(acquireRequest(), NOW_MS)
    expect(await store.write(holderWrite(nobody, 'complete'))).toEqual({ granted: false })
    expect(await store.giveBack({ ...nobody, nowMs: NOW_MS })).toEqual({ granted: false })
    expect(await read()).toBeUndefined()
  })

  it('keeps leases apart', async () => {
    const { store } = await led()
    const other = await acquire({ store }, acquireRequest({ ...bob, lease: 'reports' }))
    expect(grantedRecord(other)).toMatchObject({ lease: 'reports', holder: 'bob' })
  })
}
