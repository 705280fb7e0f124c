/** Shared by tests of one candidate: a clock of their own, and a memory store that fails as the test says. */
// @ts-nocheck

import {
  type AcquireReply,
  type AcquireRequest,
  type GiveBackRequest,
  type HolderWrite,
  type Lease,
  type LeaseOptions,
  type LeaseStore,
  LeaseStoreError,
  type WriteReply,
  withLease,
} from '../../functions/election/index.ts'
import { ManualClock, settled } from '../../functions/election/testing/manual-clock.ts'
import { RulesStore } from '../../functions/election/testing/rules-store.ts'

type Kind = HolderWrite['kind'] | 'acquire' | 'giveBack'
type Act = () => Promise<void> | void

/** A memory store whose next requests of a kind fail as a test says; it records all requests. */
class ScriptedStore implements LeaseStore {
  readonly memory = new RulesStore()
  readonly asked: Kind[] = []
  /** The holder's writes among them. */
  readonly writes: HolderWrite[] = []
  readonly #before = new Map<Kind, Act[]>()
  readonly #after = new Map<Kind, Act[]>()

  /** Before the next requests of this kind are applied; throwing drops the request. */
  beforeNext(kind: Kind, ...acts: Act[]): void {
    this.#before.set(kind, [...(this.#before.get(kind) ?? []), ...acts])
  }

  /** After the next requests of this kind were applied; throwing loses the reply. */
  afterNext(kind: Kind, ...acts: Act[]): void {
    this.#after.set(kind, [...(this.#after.get(kind) ?? []), ...acts])
  }

  acquire(request: AcquireRequest, _signal?: AbortSignal): Promise<AcquireReply> {
    return this.#scripted('acquire', () => this.memory.acquire(request))
  }

  write(request: HolderWrite): Promise<WriteReply> {
    this.writes.push(request)
    return this.#scripted(request.kind, () => this.memory.write(request))
  }

  giveBack(request: GiveBackRequest): Promise<WriteReply> {
    return this.#scripted('giveBack', () => this.memory.giveBack(request))
  }

  async #scripted<T>(kind: Kind, apply: () => Promise<T>): Promise<T> {
    this.asked.push(kind)
    await this.#before.get(kind)?.shift()?.()
    const reply = await apply()
    await this.#after.get(kind)?.shift()?.()
    return reply
  }
}

export const TICK = '2026-11-21T05:00:00.000Z'
export const NEXT_TICK = '2026-11-21T06:00:00.000Z'
export const HOUR_MS = 3_600_000

export let clock: ManualClock
export let store: ScriptedStore
/** The length of every sleep, in milliseconds. */
export let sleeps: number[]

/** For `beforeEach` of each file: if files share modules, a hook here would run for the first file only. */
export function startAnew(): void {
  clock = new ManualClock(NEXT_TICK)
  store = new ScriptedStore()
  sleeps = []
  const sleep = clock.sleep.bind(clock)
  clock.sleep = (ms, signal) => {
    sleeps.push(ms)
    return sleep(ms, signal)
  }
}

export const options = (changes: Partial<LeaseOptions> = {}): LeaseOptions => ({
  store,
  clock,
  lease: 'billing',
  candidate: 'ann',
  tick: TICK,
  ...changes,
})

export const row = () => store.memory.read('billing')
export const asked = (kind: string) => store.asked.filter((one) => one === kind).length

export const noAnswer = () => {
  throw new LeaseStoreError('no answer', { lease: 'billing', retryable: true })
}
export const never = () => new Promise<never>(() => undefined)

/** What it resolves or rejects with. */
export const outcomeOf = <T>(running: Promise<T>): Promise<T | unknown> => running.catch((error: unknown) => error)

/** A Lambda invocation with this much time left. */
export function lambda(remainingMs: number, awsRequestId = 'event-1') {
  const endMs = clock.wallMs() + remainingMs
  return { awsRequestId, functionName: 'charge', getRemainingTimeInMillis: () => endMs - clock.wallMs() }
}

/** A leader whose task ends when the test calls `finish` or `fail`. */
export async function lead(changes: Partial<LeaseOptions> = {}) {
  const task = Promise.withResolvers<unknown>()
  const started = Promise.withResolvers<Lease>()
  const outcome = withLease(options(changes), (lease) => {
    started.resolve(lease)
    return task.promise
  })
  outcome.catch((error: unknown) => started.reject(error))
  const finish = (result?: unknown) => task.resolve(result)
  return { lease: await started.promise, finish, fail: task.reject, outcome: outcomeOf(outcome) }
}

/** A leader whose task never ends. */
export async function hold(changes: Partial<LeaseOptions> = {}): Promise<void> {
  void withLease(options(changes), never)
  await settled()
}

/** From now on the store's answers carry DynamoDB's Date: the true time in whole seconds. */
export function answersAt(trueMs: () => number): void {
  const { acquire } = store
  store.acquire = async (request) => {
    const sentAtMs = clock.wallMs()
    const reply = await acquire.call(store, request)
    const dateMs = Math.floor(trueMs() / 1000) * 1000
    return { ...reply, clockReading: { sentAtMs, dateMs, receivedAtMs: clock.wallMs() } }
  }
}
