/** Shared by tests of one candidate: a clock of their own, and a memory store that fails as the test says. */
import { type Lease, type LeaseOptions, LeaseStoreError, withLease } from '../../functions/election/index.ts'
import { ManualClock, settled } from '../../functions/election/testing/manual-clock.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

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
