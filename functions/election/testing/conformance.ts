import assert from 'node:assert/strict'
import type { AcquireRequest, GiveBackRequest, HolderWrite, LeaseRecord } from '../rules.ts'
import type { AcquireReply, LeaseStore, WriteReply } from '../stores/store.ts'
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
    for (const { name, steps, row } of SCENARIOS) {
      it(name, async () => {
        const subject = await createStore()
        const rules = new RulesStore()
        for (const [index, step] of steps.entries()) {
          if ('edit' in step) {
            rules.edit('billing', step.edit)
            await subject.edit(step.edit)
          } else {
            const [actual, expected] = [await send(subject.store, step.request), await send(rules, step.request)]
            assert.deepEqual(actual, expected, `the answer to step ${index + 1}`)
            assert.equal(
              actual.granted,
              step.granted,
              `step ${index + 1} must be ${step.granted ? 'granted' : 'refused'}`,
            )
          }
          assert.deepEqual(await subject.read(), rules.read('billing'), `the row after step ${index + 1}`)
        }
        assertRow(await subject.read(), row)
      })
    }
    it('shares no object with callers: a later change of what they gave or received does not reach the row', async () =>
      sharesNothing(await createStore()))
  })
}

export type Request = AcquireRequest | HolderWrite | GiveBackRequest
type Step = { readonly request: Request; readonly granted: boolean } | { readonly edit: Partial<LeaseRecord> }

/** Attributes of the row at the end; `undefined` for those that must be absent. */
type Attributes = { readonly [K in keyof LeaseRecord]?: LeaseRecord[K] | undefined }

interface Scenario {
  readonly name: string
  readonly steps: readonly Step[]
  readonly row?: Attributes
}

const granted = (request: Request): Step => ({ request, granted: true })
const refused = (request: Request): Step => ({ request, granted: false })

const ANN = tenureOf(acquireRequest(), NOW_MS + 1)
const acquire = granted(acquireRequest())
const write = (kind: HolderWrite['kind'], step = 1, nowMs = NOW_MS + step) => holderWrite(ANN, kind, { step, nowMs })
const advance = (changes: Partial<HolderWrite>) => ({ ...write('advance'), ...changes }) as HolderWrite
const bob = (changes: Partial<AcquireRequest> = {}) =>
  acquireRequest({ candidate: 'bob', attempt: 'attempt-bob', nowMs: NOW_MS + 1_000, ...changes })
const giveBack = { lease: 'billing', candidate: 'ann', attempt: 'attempt-ann', nowMs: NOW_MS + 1 }
const EXPIRED_MS = NOW_MS + LEASE_MS + SKEW_MS
const PAUSE_ENDS_MS = NOW_MS + 60_000
const CHECKPOINT = { tick: TICK, state: { upTo: 1 } }

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'the first acquire creates the row, with the creation time plus one as token',
    steps: [granted(acquireRequest({ eventId: 'event-1' }))],
    row: {
      ...{ lease: 'billing', fencingToken: NOW_MS + 1, holder: 'ann', attempt: 'attempt-ann', eventId: 'event-1' },
      ...{ acquiredAtMs: NOW_MS, expiresAtMs: NOW_MS + LEASE_MS, writtenAtMs: NOW_MS, step: 0, tick: TICK },
    },
  },
  {
    name: 'A1: a held lease is free when it has been expired for the clock budget, and not before',
    steps: [acquire, refused(bob({ nowMs: EXPIRED_MS - 1 })), granted(bob({ nowMs: EXPIRED_MS }))],
    row: { holder: 'bob', fencingToken: NOW_MS + 2, step: 0 },
  },
  ...[TICK, EARLIER_TICK].map((tick) => ({
    name: `A2: the tick ${tick} is refused once ${TICK} is completed`,
    steps: [acquire, granted(write('complete')), refused(bob({ tick }))],
    row: { completedTick: TICK, fencingToken: NOW_MS + 1 },
  })),
  {
    name: 'A2: a later tick is granted, and inherits the highest completed one',
    steps: [acquire, granted(write('complete')), granted(bob({ tick: LATER_TICK }))],
    row: { completedTick: TICK, tick: LATER_TICK, fencingToken: NOW_MS + 2 },
  },
  {
    name: 'A2: a request without a tick is refused if the row has a tick, completed or not',
    steps: [acquire, granted(write('release')), refused(ticklessRequest({ ...bob(), tick: TICK }))],
  },
  {
    name: 'A2: a request without a tick is refused if an operator wrote the completed tick into the row',
    steps: [
      granted(ticklessRequest()),
      { edit: { completedTick: TICK } },
      granted({ ...ANN, kind: 'release', endedBy: 'released', step: 1, nowMs: NOW_MS + 5 }),
      refused(ticklessRequest(bob())),
    ],
  },
  {
    name: 'a lease without ticks is granted again and again',
    steps: [
      granted(ticklessRequest()),
      granted({ ...ANN, kind: 'complete', step: 1, nowMs: NOW_MS + 5 }),
      granted(ticklessRequest(bob())),
    ],
    row: { fencingToken: NOW_MS + 2, completedTick: undefined },
  },
  {
    name: 'A3: a pause refuses candidates until its end, but not the leader',
    steps: [
      acquire,
      { edit: { pausedUntilMs: PAUSE_ENDS_MS } },
      granted(write('renew', 1)),
      granted(write('release', 2)),
      refused(bob({ nowMs: PAUSE_ENDS_MS - 1 })),
      granted(bob({ nowMs: PAUSE_ENDS_MS })),
    ],
  },
  {
    name: 'A5: a second copy of a granted acquire is refused, even if the lease is free again',
    steps: [acquire, granted(write('release', 1, NOW_MS)), refused(acquireRequest())],
  },
  {
    name: 'A6: an acquire that is older than the last write by more than the clock budget is refused',
    steps: [
      acquire,
      granted(write('release', 1, NOW_MS + 5_000)),
      refused(bob({ nowMs: NOW_MS + 5_000 - SKEW_MS - 1 })),
      granted(bob({ nowMs: NOW_MS + 5_000 - SKEW_MS })),
    ],
  },
  {
    name: 'the holder renews, saves a checkpoint and completes',
    steps: [acquire, granted(write('renew', 1)), granted(write('saveCheckpoint', 2)), granted(write('complete', 3))],
    row: {
      completedTick: TICK,
      endedBy: 'completed',
      attempt: 'attempt-ann',
      holder: undefined,
      checkpoint: undefined,
    },
  },
  {
    name: 'an advance closes an earlier tick, extends the lease and drops the checkpoint of that tick',
    steps: [
      acquire,
      granted({ ...write('saveCheckpoint', 1), ...{ checkpoint: { tick: EARLIER_TICK, state: 1 } } } as HolderWrite),
      granted(advance({ tick: EARLIER_TICK, step: 2 })),
    ],
    row: {
      ...{ holder: 'ann', tick: TICK, firstTick: TICK, completedTick: EARLIER_TICK, completedBy: NOW_MS + 1 },
      ...{ step: 2, expiresAtMs: NOW_MS + 1 + LEASE_MS, checkpoint: undefined, gaveUp: undefined },
    },
  },
  {
    name: 'an advance keeps the checkpoint of a later tick if it says so, and records that the tick is given up',
    steps: [
      acquire,
      granted(write('saveCheckpoint', 1)),
      granted(advance({ tick: EARLIER_TICK, step: 2, keepsCheckpoint: true, gaveUp: 'no such plan' })),
    ],
    row: {
      completedTick: EARLIER_TICK,
      checkpoint: CHECKPOINT,
      gaveUp: 'no such plan',
    },
  },
  {
    name: 'a completion removes what an earlier tick was given up for',
    steps: [acquire, granted(advance({ tick: EARLIER_TICK, gaveUp: 'no such plan' })), granted(write('complete', 2))],
    row: { completedTick: TICK, completedBy: NOW_MS + 1, gaveUp: undefined },
  },
  {
    name: 'H4: an advance never lowers the completed tick, and may repeat it',
    steps: [
      acquire,
      granted(advance({ tick: EARLIER_TICK, step: 1 })),
      granted(advance({ tick: EARLIER_TICK, step: 2 })),
      { edit: { completedTick: TICK } },
      refused(advance({ tick: EARLIER_TICK, step: 3 })),
    ],
    row: { completedTick: TICK, step: 2 },
  },
  {
    name: 'the first tick stays, whatever ticks follow',
    steps: [acquire, granted(write('release', 1, NOW_MS)), granted(bob({ tick: LATER_TICK }))],
    row: { firstTick: TICK, tick: LATER_TICK },
  },
  ...WRITE_KINDS.map((kind) => ({
    name: `H1: a replaced leader is refused to ${kind}`,
    steps: [acquire, granted(bob({ nowMs: EXPIRED_MS })), refused(write(kind))],
    row: { holder: 'bob' },
  })),
  ...[{ candidate: 'eve' }, { attempt: 'attempt-eve' }, { fencingToken: NOW_MS }].map((changes) => ({
    name: `H1: a write with another ${Object.keys(changes)} is refused`,
    steps: [acquire, refused({ ...write('renew'), ...changes })],
  })),
  {
    name: 'H2: a delayed copy of an older write, or of the last one, is refused',
    steps: [
      acquire,
      granted(write('renew', 1)),
      granted(write('renew', 2)),
      refused(write('renew', 1)),
      refused(write('renew', 2)),
    ],
    row: { step: 2 },
  },
  {
    name: 'a release keeps the checkpoint, and how the tenure ended until the next acquire',
    steps: [acquire, granted(write('saveCheckpoint', 1)), granted(write('release', 2)), granted(bob())],
    row: { checkpoint: CHECKPOINT, endedBy: undefined, errorName: undefined },
  },
  {
    name: 'a release without an error removes the error name of an earlier end',
    steps: [
      acquire,
      { edit: { errorName: 'RangeError' } },
      granted({ ...write('renew'), kind: 'release', endedBy: 'released' }),
    ],
    row: { endedBy: 'released', errorName: undefined },
  },
  {
    name: 'an acquire without an event removes the event of the tenure before',
    steps: [granted(acquireRequest({ eventId: 'event-1' })), granted(write('release', 1, NOW_MS)), granted(bob())],
    row: { holder: 'bob', eventId: undefined },
  },
  {
    name: 'a candidate that never received its token gives the lease back by attempt alone',
    steps: [
      acquire,
      refused({ ...giveBack, attempt: 'attempt-bob' }),
      refused({ ...giveBack, candidate: 'bob' }),
      granted(giveBack),
    ],
    row: { endedBy: 'released', fencingToken: NOW_MS + 1, attempt: 'attempt-ann', holder: undefined },
  },
  {
    name: 'no write is granted on a lease that has no row',
    steps: [refused(write('complete')), refused(giveBack)],
  },
  {
    name: 'leases are independent',
    steps: [granted(acquireRequest({ lease: 'reports' })), acquire],
    row: { lease: 'billing', holder: 'ann' },
  },
]

export async function send(store: LeaseStore, request: Request) {
  const reply = await replyTo(store, request)
  if ('contended' in reply) throw new Error('the store reports contention, but this is the only request')
  const { granted } = reply
  const record = 'record' in reply ? reply.record : undefined
  return record === undefined ? { granted } : { granted, record }
}

async function replyTo(store: LeaseStore, request: Request): Promise<AcquireReply | WriteReply> {
  if ('kind' in request) return await store.write(request)
  return 'expiresAtMs' in request ? await store.acquire(request) : await store.giveBack(request)
}

function assertRow(row: LeaseRecord | undefined, expected: Attributes = {}): void {
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
