// @ts-nocheck
import middy from '@middy/core'
import { describe, expect, it, vi } from 'vitest'
import {
  type Applied,
  ClockSkewError,
  type Lease,
  LeaseLostError,
  LeaseStoreError,
  leaderOnly,
  withLease,
} from '../../functions/election/index.ts'
import { ManualClock } from '../../functions/election/testing/manual-clock.ts'
import { stubAws } from '../support/fake-service.ts'
import { rawRow } from '../support/lease-row.ts'
import { createLeaseTable } from '../support/tables.ts'
import { answerError, dropRequest, type Fault, forgeDate, loseReply } from '../support/tcp-proxy.ts'
import { ALWAYS, by, counted, countUp, direct, is, LEASE_MS, SKEW_MS, scene, TICK, TRIES } from './wire-scene.ts'

describe('requests, counted at the wire', () => {
  it('a win, a loss, a renewal, a checkpoint and a completion are one UpdateItem each, without any read', async () => {
    const { proxy, options, run, kinds } = await scene()
    await withLease(options(), async (lease) => {
      expect(kinds()).toEqual(['acquire'])
      expect(await run({ candidate: 'bob' })).toMatchObject({ status: 'standby', reason: 'held', holder: 'ann' })
      expect(kinds()).toEqual(['acquire', 'acquire'])
      await lease.renew()
      await lease.saveCheckpoint({ upTo: 7 })
      expect(kinds()).toEqual(['acquire', 'acquire', 'renew', 'saveCheckpoint'])
    })
    expect(kinds()).toEqual(['acquire', 'acquire', 'renew', 'saveCheckpoint', 'complete'])
    const returned = proxy.requests.map(({ body }) => body.ReturnValues)
    expect(returned).toEqual(['ALL_OLD', 'ALL_OLD', 'NONE', 'NONE', 'NONE'])
    expect(await run({ candidate: 'cid' })).toMatchObject({ status: 'standby', reason: 'tickDone' })
    expect(kinds()).toHaveLength(6)
    expect(new Set(proxy.requests.map(({ operation }) => operation))).toEqual(new Set(['UpdateItem']))
  })

  it('costs the same behind leaderOnly in an ElectedSchedule, and a lost reply is still a win', async () => {
    const { proxy, tableName, clock, kinds } = await scene()
    stubAws('DYNAMODB', proxy.endpoint)
    vi.stubEnv('LEASE_TABLE', tableName)
    vi.stubEnv('LEASE_NAME', 'billing')
    proxy.meet(is('acquire'), loseReply)
    const task = vi.fn(async () => 'charged')
    const handler = middy().use(leaderOnly({ clock })).handler(task)
    const event = { tick: TICK, periodMs: 1_800_000 }
    const invoke = (awsRequestId: string): Promise<unknown> =>
      Reflect.apply(handler, undefined, [event, { awsRequestId, getRemainingTimeInMillis: () => 60_000 }])
    expect(await invoke('event-1')).toMatchObject({ status: 'completed', result: 'charged' })
    expect(kinds()).toEqual(['acquire', 'acquire', 'complete'])
    expect(await invoke('event-2')).toMatchObject({ status: 'standby', reason: 'tickDone' })
    expect(kinds()).toHaveLength(4)
    expect(task).toHaveBeenCalledTimes(1)
  })
})

describe('a lost reply', () => {
  it.each([
    ['a renewal', 'renew', (lease: Lease) => lease.renew(), { expiresAtMs: 2_000 }],
    [
      'a saved checkpoint',
      'saveCheckpoint',
      (lease: Lease) => lease.saveCheckpoint({ upTo: 7 }),
      { expiresAtMs: 2_000, checkpoint: { tick: TICK, state: { upTo: 7 } } },
    ],
    ['a completion', 'complete', (lease: Lease) => lease.complete(), { endedBy: 'completed', completedTick: TICK }],
    ['a release', 'release', (lease: Lease) => lease.release(), { endedBy: 'released' }],
  ])('to %s: it is done, once', async (_, kind, act, written) => {
    const { proxy, options, clock, kinds, row } = await scene()
    proxy.meet(is(kind), loseReply)
    await withLease(options(), async (lease) => {
      const endsAtMs = clock.wallMs() + LEASE_MS
      clock.freeze(2_000)
      await act(lease)
      const expected = 'expiresAtMs' in written ? { ...written, expiresAtMs: endsAtMs + 2_000 } : written
      expect(await row()).toMatchObject({ ...expected, step: 1, writtenAtMs: clock.wallMs() })
      expect(kinds()).toEqual(['acquire', kind, kind])
      if ('expiresAtMs' in written) expect(lease.remainingMs()).toBe(LEASE_MS)
      else expect(() => lease.assertHeld()).toThrow(LeaseLostError)
    })
  })

  it('to every try of a completion with effects: asked again, it is done, with its effects once', async () => {
    const { proxy, options, clock, row } = await scene()
    const effects = await createLeaseTable(direct)
    proxy.meet(is('TransactWriteItems'), loseReply, TRIES)
    const outcome = withLease(options(), (lease) => lease.complete([countUp(effects)]))
    await vi.waitFor(() => expect(clock.sleeping).toBe(2))
    await clock.advance(LEASE_MS / 12)
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(new Set(proxy.requests.flatMap(({ body }) => body.ClientRequestToken ?? [])).size).toBe(1)
    expect(await counted(effects)).toBe(1)
    expect(await row()).toMatchObject({ completedTick: TICK, step: 1 })
  })

  it('to every try of a winning acquire: it gives back by attempt, and the next candidate wins at once', async () => {
    const { proxy, run, task, kinds, row } = await scene()
    proxy.meet(by('ann', 'acquire'), loseReply, TRIES)
    await expect(run()).rejects.toSatisfy((error) => error instanceof LeaseStoreError && error.retryable)
    expect(task).not.toHaveBeenCalled()
    expect(kinds()).toEqual([...Array(TRIES).fill('acquire'), 'giveBack'])
    const vacated = await row()
    expect(vacated).toMatchObject({ endedBy: 'released' })
    expect(vacated?.holder).toBeUndefined()
    expect(await run({ candidate: 'bob' })).toMatchObject({ status: 'completed' })
    expect((await row())?.fencingToken).toBe((vacated?.fencingToken ?? 0) + 1)
  })
})

describe('a replaced leader', () => {
  it.each([
    ['a renewal', (lease: Lease) => lease.renew()],
    ['a checkpoint', (lease: Lease) => lease.saveCheckpoint({})],
    ['a release', (lease: Lease) => lease.release()],
    ['a completion', (lease: Lease) => lease.complete()],
    ['a completion with effects', (lease: Lease, effects: string) => lease.complete([countUp(effects)])],
    ['guarded effects', (lease: Lease, effects: string) => lease.transact([countUp(effects)])],
  ])('learns of it from %s, which changes nothing', async (_, act) => {
    const { proxy, tableName, options } = await scene()
    const effects = await createLeaseTable(direct)
    const later = new ManualClock() // bob's, so that ann still believes she leads, and really asks
    later.freeze(LEASE_MS + SKEW_MS)
    const ann = withLease(options(), async (lease) => {
      await withLease(options({ candidate: 'bob', clock: later }), async (bob) => {
        await bob.renew() // his first step, as the write of ann's will be hers
        const before = await rawRow(direct, tableName)
        const asked = proxy.requests.length
        await expect(act(lease, effects)).rejects.toThrow(LeaseLostError)
        expect(proxy.requests.length).toBe(asked + 1)
        expect(lease.signal.aborted).toBe(true)
        expect(await rawRow(direct, tableName)).toEqual(before)
        expect(await counted(effects)).toBe(0)
      })
    })
    await expect(ann).rejects.toThrow(LeaseLostError)
  })
})

it('a renewal that conflicts with a transaction at every try fails as retryable, and the lease goes on', async () => {
  const { proxy, options } = await scene()
  proxy.meet(is('renew'), answerError('TransactionConflictException', 'Transaction is ongoing for the item'), 4)
  const outcome = await withLease(options(), async (lease) => {
    await expect(lease.renew()).rejects.toSatisfy((error) => error instanceof LeaseStoreError && error.retryable)
    lease.assertHeld()
  })
  expect(outcome).toMatchObject({ status: 'completed' })
})

describe('a clock that is certainly off by more than half the budget', () => {
  // The `Date` header counts whole seconds: the server's clock was in [Date, Date + 1 s).
  it.each([
    ['06:00:01.500', '06:00:00', undefined],
    ['06:00:01.501', '06:00:00', '501 ms ahead'],
    ['06:00:00.500', '06:00:01', undefined],
    ['06:00:00.499', '06:00:01', '501 ms behind'],
  ])('at %s, with a Date of %s, fails before the task and gives back: %s', async (now, date, offset) => {
    const clock = new ManualClock(`2026-11-21T${now}Z`)
    const { proxy, run, task, kinds, row } = await scene({ storeClock: clock })
    proxy.meet(is('acquire'), forgeDate(`2026-11-21T${date}Z`))
    const outcome = await run({ clock }).catch((error: unknown) => error)
    expect(task).toHaveBeenCalledTimes(offset === undefined ? 1 : 0)
    if (offset === undefined) return expect(outcome).toMatchObject({ status: 'completed' })
    expect(outcome).toBeInstanceOf(ClockSkewError)
    expect(String(outcome)).toContain(offset)
    expect(kinds()).toEqual(['acquire', 'giveBack'])
    expect(await row()).toMatchObject({ endedBy: 'released' })
    expect(await row()).not.toHaveProperty('holder')
  })

  // The SDK itself repeats a refusal whose `Date` is minutes off its own clock, so these forge every reply.
  it('is found out by a loser, too: it could believe a lease expired that is not', async () => {
    const clock = new ManualClock('2026-11-21T06:00:01.501Z')
    const { proxy, options, run, kinds } = await scene({ storeClock: clock })
    proxy.meet(by('ann', 'acquire'), forgeDate('2026-11-21T06:00:01Z'))
    proxy.meet(by('bob', 'acquire'), forgeDate('2026-11-21T06:00:00Z'), ALWAYS)
    await withLease(options({ clock }), async () => {
      const error = await run({ candidate: 'bob', clock }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ClockSkewError)
      expect(String(error)).toContain('501 ms ahead')
      expect(kinds()).not.toContain('giveBack')
    })
  })

  it('is found out however long an earlier try took: only the try that was answered is judged', async () => {
    const clock = new ManualClock('2026-11-21T06:00:00.000Z')
    const { proxy, run, task } = await scene({ storeClock: clock })
    proxy.meet(is('acquire'), async (exchange) => {
      clock.freeze(5_000)
      await loseReply(exchange)
    })
    proxy.meet(is('acquire'), forgeDate('2026-11-21T06:00:03Z'), ALWAYS)
    await expect(run({ clock })).rejects.toThrow(/1000 ms ahead/)
    expect(task).not.toHaveBeenCalled()
  })
})

describe('a store that does not serve is a LeaseStoreError, and the task never runs', () => {
  const denied = 'User is not authorized to perform: dynamodb:UpdateItem'
  it.each<[string, Fault, number, RegExp, Applied]>([
    ['no permission', answerError('AccessDeniedException', denied), 1, /Not permitted.*grantLead/, 'no'],
    ['throttling', answerError('ThrottlingException', 'Rate exceeded'), TRIES, /throttled.*Try again later/, 'no'],
    ['an outage', answerError('InternalServerError', 'Internal', {}, 500), TRIES, /gave no answer/, 'unknown'],
    ['a network that drops everything', dropRequest, TRIES, /gave no answer.*network/, 'unknown'],
  ])('%s', async (_, fault, tries, text, applied) => {
    const { proxy, tableName, run, task, kinds } = await scene()
    proxy.meet(is('acquire'), fault, ALWAYS)
    const error = await run().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(LeaseStoreError)
    expect(error).toMatchObject({ retryable: true, applied, lease: 'billing', message: expect.stringMatching(text) })
    expect(error).toMatchObject({ message: expect.stringContaining(tableName), cause: expect.any(Error) })
    expect(task).not.toHaveBeenCalled()
    expect(kinds().filter((kind) => kind === 'acquire')).toHaveLength(tries)
    // What may have been granted is given back; what was refused was not granted.
    expect(kinds().includes('giveBack')).toBe(applied === 'unknown')
  })
})
