// @ts-nocheck
import assert from 'node:assert/strict'
import {
  type AcquireRequest,
  type GiveBackRequest,
  type HolderWrite,
  type LeaseRecord,
  LONGEST_RESERVATION_MS,
  type TransferRequest,
} from '../rules.ts'
import type { AcquireReply, LeaseStore, WriteReply } from '../stores/store.ts'
import {
  acquireRequest,
  CONTINUATION,
  EARLIER_TICK,
  holderWrite,
  LATER_TICK,
  LEASE_MS,
  NOW_MS,
  RESERVED_MS,
  SKEW_MS,
  TICK,
  tenureOf,
  ticklessRequest,
  WRITE_KINDS,
} from './requests.ts'
import { RulesStore } from './rules-store.ts'

/** An empty store, and direct access to its row of the lease `billing`. */
export interface StoreUnderTest {
  readonly store: LeaseStore
  read(): Promise<LeaseRecord | undefined>
  /** Changes attributes by hand, as an operator would. */
  edit(changes: Partial<LeaseRecord>): Promise<void>
}

/** The functions of `node:test`, Vitest, Jest or another test runner. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: () => Promise<void>): unknown
}

/**
 * What every store must do: give the answers of rules.ts and leave its rows. Each scenario runs on a fresh store and on
 * a RulesStore, which applies the rules to a map; answers and rows must be equal after each step.
 * @example
 * import { describe, it } from 'node:test'
 * leaseStoreConformance({
 *   describe,
 *   it,
 *   createStore: async () => {
 *     const store = new MyLeaseStore()
 *     return { store, read: () => store.row('billing'), edit: (changes) => store.update('billing', changes) }
 *   },
 * })
 */
export function leaseStoreConformance({
  describe,
  it,
  createStore,
}: TestRunner & { readonly createStore: () => Promise<StoreUnderTest> }): void {
  describe('conforms to the rules', () => {
    for (const [name, steps] of Object.entries(SCENARIOS)) {
      it(name, async () => {
        const subject = await createStore()
        const rules = new RulesStore()
        for (const [index, step] of steps.entries()) {
          if ('leaves' in step) assertRow(await subject.read(), step.leaves)
          else if ('edit' in step) {
            rules.edit('billing', step.edit)
            await subject.edit(step.edit)
          } else {
            const [actual, expected] = [await send(subject.store, step.request), await send(rules, step.request)]
            assert.deepEqual(actual, expected, `the answer to step ${index + 1}`)
            const must = `step ${index + 1} must be ${step.granted ? 'granted' : 'refused'}`
            assert.equal(actual.granted, step.granted, must)
          }
          assert.deepEqual(await subject.read(), rules.read('billing'), `the row after step ${index + 1}`)
        }
      })
    }
    it('T1: a leader is asked to hand over to one candidate at a time (a store with `standing`)', async () => {
      const { store, read } = await createStore()
      if (store.standing === undefined) return
      const rules = new RulesStore()
      for (const request of [acquireRequest(), ...TRANSFERS]) {
        const [actual, expected] = [await send(store, request), await send(rules, request)]
        assert.deepEqual(actual, expected)
        assert.deepEqual(await read(), rules.read('billing'))
        assert.equal(actual.granted, !('refused' in request))
      }
    })
    it('shares no object with callers: a later change of what they gave or received does not reach the row', async () =>
      sharesNothing(await createStore()))
  })
}

export type Request = AcquireRequest | HolderWrite | GiveBackRequest | TransferRequest
type Step =
  | { readonly request: Request; readonly granted: boolean }
  | { readonly edit: Partial<LeaseRecord> }
  /** Attributes of the row; `undefined` for those that must be absent. */
  | { readonly leaves: { readonly [K in keyof LeaseRecord]?: LeaseRecord[K] | undefined } }

const granted = (request: Request): Step => ({ request, granted: true })
const refused = (request: Request): Step => ({ request, granted: false })

const ANN = tenureOf(acquireRequest(), NOW_MS + 1)
const acquire = granted(acquireRequest())
const write = (kind: (typeof WRITE_KINDS)[number], step = 1, nowMs = NOW_MS + step) =>
  holderWrite(ANN, kind, { step, nowMs })
const advance = (changes: object): HolderWrite =>
  Object.assign(holderWrite(ANN, 'advance', { nowMs: NOW_MS + 1, tick: EARLIER_TICK }), changes)
const save = (tick: string): HolderWrite => Object.assign(write('saveCheckpoint'), { checkpoint: { tick, state: 1 } })
const bob = (changes: Partial<AcquireRequest> = {}) =>
  acquireRequest({ candidate: 'bob', attempt: 'attempt-bob', nowMs: NOW_MS + 1_000, ...changes })
const giveBackOf = ({ lease, candidate, attempt, nowMs }: AcquireRequest) => ({ lease, candidate, attempt, nowMs })
const giveBack = { lease: 'billing', candidate: 'ann', attempt: 'attempt-ann', nowMs: NOW_MS + 1 }
const EXPIRED_MS = NOW_MS + LEASE_MS + SKEW_MS
const RESERVED_UNTIL_MS = NOW_MS + 1 + RESERVED_MS
const FOR_BOB = { reservedFor: 'bob', reservedUntilMs: RESERVED_UNTIL_MS } as const
const times = (step: number) => ({ step, nowMs: NOW_MS + step, expiresAtMs: NOW_MS + step + LEASE_MS })
const PAUSE_ENDS_MS = NOW_MS + 60_000

const SCENARIOS: Readonly<Record<string, readonly Step[]>> = {
  'the first acquire creates the row, with the creation time plus one as token': [
    granted(acquireRequest({ eventId: 'event-1' })),
    { leaves: { lease: 'billing', fencingToken: NOW_MS + 1, holder: 'ann', attempt: 'attempt-ann' } },
    { leaves: { eventId: 'event-1', acquiredAtMs: NOW_MS, expiresAtMs: NOW_MS + LEASE_MS } },
    { leaves: { writtenAtMs: NOW_MS, step: 0, tick: TICK } },
  ],
  'A1: a held lease is free when it has been expired for the clock budget, and not before': [
    ...[acquire, refused(bob({ nowMs: EXPIRED_MS - 1 })), granted(bob({ nowMs: EXPIRED_MS }))],
    { leaves: { holder: 'bob', fencingToken: NOW_MS + 2, step: 0 } },
  ],
  'A2: a tick is refused once it, or a later one, is completed': [
    ...[acquire, granted(write('complete')), refused(bob()), refused(bob({ tick: EARLIER_TICK }))],
    { leaves: { completedTick: TICK, fencingToken: NOW_MS + 1 } },
  ],
  'A2: a later tick is granted, and inherits the highest completed one': [
    ...[acquire, granted(write('complete')), granted(bob({ tick: LATER_TICK }))],
    { leaves: { completedTick: TICK, tick: LATER_TICK, fencingToken: NOW_MS + 2 } },
  ],
  'A2: a request without a tick is refused if the row has a tick, completed or not': [
    ...[acquire, granted(write('release')), refused(ticklessRequest({ ...bob(), tick: TICK }))],
  ],
  'A2: a request with a tick is refused if the row was acquired without one': [
    ...[granted(ticklessRequest()), granted({ ...ANN, kind: 'complete', step: 1, nowMs: NOW_MS + 5 }), refused(bob())],
    { leaves: { tick: undefined, completedTick: undefined } },
  ],
  'A2: a request without a tick is refused if an operator wrote the completed tick into the row': [
    granted(ticklessRequest()),
    { edit: { completedTick: TICK } },
    granted({ ...ANN, kind: 'release', endedBy: 'released', step: 1, nowMs: NOW_MS + 5 }),
    refused(ticklessRequest(bob())),
  ],
  'a lease without ticks is granted again and again': [
    granted(ticklessRequest()),
    granted({ ...ANN, kind: 'complete', step: 1, nowMs: NOW_MS + 5 }),
    granted(ticklessRequest(bob())),
    { leaves: { fencingToken: NOW_MS + 2, completedTick: undefined } },
  ],
  'A3: a pause refuses candidates until its end, but not the leader': [
    acquire,
    { edit: { pausedUntilMs: PAUSE_ENDS_MS } },
    ...[granted(write('renew', 1)), granted(write('release', 2))],
    ...[refused(bob({ nowMs: PAUSE_ENDS_MS - 1 })), granted(bob({ nowMs: PAUSE_ENDS_MS }))],
  ],
  'A4: a lease that was handed over keeps its work, and is reserved for the continuation and for retries of the event':
    [
      ...[granted(acquireRequest({ eventId: 'event-1' })), granted(write('handOver')), refused(bob())],
      { leaves: { holder: undefined, endedBy: 'continued', completedTick: undefined, reservedBy: NOW_MS + 1 } },
      { leaves: { checkpoint: { tick: TICK, state: { upTo: 1 }, continuations: 1, sinceMs: NOW_MS } } },
      refused(bob({ continuation: 'that of another hand-over', eventId: 'event-2' })),
      ...[granted(bob({ continuation: CONTINUATION, eventId: 'event-2' })), { leaves: { holder: 'bob' } }],
      // A reservation is for one acquisition.
      ...[granted(giveBackOf(bob())), granted(acquireRequest({ attempt: 'attempt-3', nowMs: NOW_MS + 1_001 }))],
    ],
  'A4: a retry of the event that handed over may go on, too': [
    ...[
      granted(acquireRequest({ eventId: 'event-1' })),
      granted(write('handOver')),
      granted(bob({ eventId: 'event-1' })),
    ],
  ],
  'A4: a lease may be reserved for a candidate': [
    ...[acquire, granted(Object.assign(write('handOver'), { reservedFor: 'bob' }))],
    ...[refused(bob({ candidate: 'cy' })), granted(bob())],
  ],
  'A4: a reservation ends when it is over for the clock budget, and not before': [
    ...[acquire, granted(write('handOver')), refused(bob({ nowMs: RESERVED_UNTIL_MS + SKEW_MS - 1 }))],
    granted(bob({ nowMs: RESERVED_UNTIL_MS + SKEW_MS })),
  ],
  'A4: a reservation that is too long was written by a wrong clock': [
    ...[acquire, granted(write('handOver'))],
    { edit: { reservedUntilMs: NOW_MS + 1_000 + SKEW_MS + LONGEST_RESERVATION_MS } },
    refused(bob()),
    { edit: { reservedUntilMs: NOW_MS + 1_000 + SKEW_MS + LONGEST_RESERVATION_MS + 1 } },
    granted(bob()),
  ],
  'A5: a second copy of a granted acquire is refused, even if the lease is free again': [
    ...[acquire, granted(write('release', 1, NOW_MS)), refused(acquireRequest())],
  ],
  'A6: an acquire that is older than the last write by more than the clock budget is refused': [
    ...[acquire, granted(write('release', 1, NOW_MS + 5_000))],
    refused(bob({ nowMs: NOW_MS + 5_000 - SKEW_MS - 1 })),
    granted(bob({ nowMs: NOW_MS + 5_000 - SKEW_MS })),
  ],
  'the holder renews, saves a checkpoint and completes': [
    ...[acquire, granted(write('renew', 1)), granted(write('saveCheckpoint', 2)), granted(write('complete', 3))],
    { leaves: { completedTick: TICK, endedBy: 'completed', attempt: 'attempt-ann' } },
    { leaves: { holder: undefined, checkpoint: undefined } },
  ],
  'an advance closes an earlier tick, extends the lease and drops the checkpoint of that tick': [
    ...[acquire, granted(save(EARLIER_TICK)), granted(advance({ step: 2 }))],
    { leaves: { holder: 'ann', tick: TICK, firstTick: TICK, completedTick: EARLIER_TICK, completedBy: NOW_MS + 1 } },
    { leaves: { step: 2, expiresAtMs: NOW_MS + 1 + LEASE_MS, checkpoint: undefined, gaveUp: undefined } },
  ],
  'an advance keeps the checkpoint of a later tick if it says so, and records that the tick is given up': [
    ...[acquire, granted(save(TICK)), granted(advance({ step: 2, keepsCheckpoint: true, gaveUp: 'no such plan' }))],
    { leaves: { completedTick: EARLIER_TICK, checkpoint: { tick: TICK, state: 1 }, gaveUp: 'no such plan' } },
  ],
  'a completion removes what an earlier tick was given up for': [
    ...[acquire, granted(advance({ gaveUp: 'no such plan' })), granted(write('complete', 2))],
    { leaves: { completedTick: TICK, completedBy: NOW_MS + 1, gaveUp: undefined } },
  ],
  'H4: an advance never lowers the completed tick, and may repeat it': [
    ...[acquire, granted(advance({ step: 1 })), granted(advance({ step: 2 }))],
    ...[{ edit: { completedTick: TICK } }, refused(advance({ step: 3 })), { leaves: { completedTick: TICK, step: 2 } }],
  ],
  'H4: a completion never lowers the completed tick, and may repeat it': [
    ...[acquire, { edit: { completedTick: LATER_TICK } }, refused(write('complete', 1))],
    ...[{ edit: { completedTick: TICK } }, granted(write('complete', 2))],
  ],
  'H4: an advance with items closes a tick once': [
    ...[acquire, granted(advance({ closesOnce: true })), refused(advance({ step: 2, closesOnce: true }))],
    { leaves: { completedTick: EARLIER_TICK, step: 1 } },
  ],
  'the holder proclaims what belongs to its token, and extends the lease': [
    ...[acquire, granted({ ...ANN, kind: 'proclaim', ...times(1), announcement: { url: 'http://10.0.0.1' } })],
    { leaves: { announcement: { url: 'http://10.0.0.1' }, announcedBy: NOW_MS + 1, step: 1 } },
    { leaves: { expiresAtMs: NOW_MS + 1 + LEASE_MS } },
  ],
  'a release may reserve the lease for a candidate': [
    ...[acquire, granted({ ...ANN, ...times(1), kind: 'release', endedBy: 'released', ...FOR_BOB })],
    { leaves: { holder: undefined, endedBy: 'released', reservedBy: NOW_MS + 1, checkpoint: undefined } },
    ...[refused(bob({ candidate: 'cy' })), granted(bob())],
  ],
  'the first tick stays, whatever ticks follow': [
    ...[acquire, granted(write('release', 1, NOW_MS)), granted(bob({ tick: LATER_TICK }))],
    { leaves: { firstTick: TICK, tick: LATER_TICK } },
  ],
  'H1: a replaced leader is refused': [
    ...[acquire, granted(bob({ nowMs: EXPIRED_MS })), ...WRITE_KINDS.map((kind) => refused(write(kind)))],
    { leaves: { holder: 'bob' } },
  ],
  'H1: a write with another candidate, attempt or token is refused': [
    acquire,
    ...[{ candidate: 'eve' }, { attempt: 'attempt-eve' }, { fencingToken: NOW_MS }].map((changes) =>
      refused({ ...write('renew'), ...changes }),
    ),
  ],
  'H2: a delayed copy of an older write, or of the last one, is refused': [
    ...[acquire, granted(write('renew', 1)), granted(write('renew', 2))],
    ...[refused(write('renew', 1)), refused(write('renew', 2)), { leaves: { step: 2 } }],
  ],
  'a release keeps the checkpoint, and how the tenure ended until the next acquire': [
    ...[acquire, granted(write('saveCheckpoint', 1)), granted(write('release', 2)), granted(bob())],
    {
      leaves: { checkpoint: { tick: TICK, version: 2, state: { upTo: 1 } }, endedBy: undefined, errorName: undefined },
    },
  ],
  'a release without an error removes the error name of an earlier end': [
    acquire,
    { edit: { errorName: 'RangeError' } },
    granted({ ...write('renew'), kind: 'release', endedBy: 'released' }),
    { leaves: { endedBy: 'released', errorName: undefined } },
  ],
  'an acquire without an event removes the event of the tenure before': [
    ...[granted(acquireRequest({ eventId: 'event-1' })), granted(write('release', 1, NOW_MS)), granted(bob())],
    { leaves: { holder: 'bob', eventId: undefined } },
  ],
  'a candidate that never received its token gives the lease back by attempt alone': [
    ...[acquire, refused({ ...giveBack, attempt: 'attempt-bob' }), refused({ ...giveBack, candidate: 'bob' })],
    granted(giveBack),
    { leaves: { endedBy: 'released', fencingToken: NOW_MS + 1, attempt: 'attempt-ann', holder: undefined } },
  ],
  'no write is granted on a lease that has no row': [refused(write('complete')), refused(giveBack)],
  'leases are independent': [
    ...[granted(acquireRequest({ lease: 'reports' })), acquire],
    { leaves: { lease: 'billing', holder: 'ann' } },
  ],
}

/** With what T1 says of each. */
const TRANSFERS = [
  { lease: 'nothing', fencingToken: 1, to: 'bob', nowMs: NOW_MS, untilMs: NOW_MS + 10, refused: 'there is no leader' },
  { ...transferTo('bob', 0), fencingToken: NOW_MS, refused: 'that leader has been replaced' },
  ...[transferTo('bob', 0), transferTo('bob', 5_000), { ...transferTo('cy', 5_001), refused: 'one is open' }],
  transferTo('cy', 15_000), // that of bob is over
]

function transferTo(to: string, afterMs: number) {
  const nowMs = NOW_MS + afterMs
  return { lease: 'billing', fencingToken: NOW_MS + 1, to, nowMs, untilMs: nowMs + 10_000 }
}

export async function send(store: Sent, request: Request) {
  const reply = await replyTo(store, request)
  if ('contended' in reply) throw new Error('the store reports contention, but this is the only request')
  const { granted } = reply
  const record = 'record' in reply ? reply.record : undefined
  return record === undefined ? { granted } : { granted, record }
}

type Sent = LeaseStore & Partial<Pick<RulesStore, 'requestTransfer'>>

async function replyTo(store: Sent, request: Request): Promise<AcquireReply | WriteReply> {
  if ('untilMs' in request) {
    const reply = await (store.standing ?? store).requestTransfer?.(request)
    assert.ok(reply !== undefined, 'the store has no standing')
    return reply
  }
  if ('kind' in request) return await store.write(request)
  return 'expiresAtMs' in request ? await store.acquire(request) : await store.giveBack(request)
}

function assertRow(row: LeaseRecord | undefined, expected: object): void {
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(row !== undefined, 'there is no row')
    if (value === undefined) assert.ok(!(name in row), `${name} is not absent`)
    else assert.deepEqual(Reflect.get(row, name), value, name)
  }
}

async function sharesNothing({ store, read }: StoreUnderTest): Promise<void> {
  await store.acquire(acquireRequest())
  const list = [1]
  const save = { ...ANN, kind: 'saveCheckpoint', step: 1, nowMs: NOW_MS, expiresAtMs: NOW_MS + LEASE_MS } as const
  await store.write({ ...save, checkpoint: { tick: TICK, state: list } })
  list.push(2)
  const refusedAcquire = await store.acquire(bob())
  const refusedWrite = await store.write({ ...save, checkpoint: { tick: TICK, state: 'a copy' } })
  const taken = await store.acquire(bob({ nowMs: EXPIRED_MS }))
  for (const reply of [refusedAcquire, refusedWrite, taken, { record: await read() }]) {
    const state: unknown = 'record' in reply ? reply.record?.checkpoint?.state : undefined
    assert.deepEqual(state, [1])
    if (Array.isArray(state)) state.push(3)
  }
  assertRow(await read(), { checkpoint: { tick: TICK, state: [1] } })
}
