/** What tests of the coordinator share: for each of them a clock of its own, and a memory store that fails as the test says. */
import { type LeaseOptions, LeaseStoreError } from '../../functions/election/index.ts'
import { ManualClock } from '../../functions/election/testing/manual-clock.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

export const TICK = '2026-11-21T05:00:00.000Z'
export const NEXT_TICK = '2026-11-21T06:00:00.000Z'
export const HOUR_MS = 3_600_000

export let clock: ManualClock
export let store: ScriptedStore

/** To be called by each file, before each of its tests: where files share their modules, a hook made here would be of the first file alone. */
export function startAnew(): void {
  clock = new ManualClock(NEXT_TICK)
  store = new ScriptedStore()
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

export const noAnswer = () => {
  throw new LeaseStoreError('no answer', { lease: 'billing', retryable: true })
}

/** Whatever it resolves or rejects with, as a value. */
export const outcomeOf = <T>(running: Promise<T>): Promise<T | unknown> => running.catch((error: unknown) => error)
