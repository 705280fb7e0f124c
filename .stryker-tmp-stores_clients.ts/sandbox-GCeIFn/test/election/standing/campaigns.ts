/** Elections on one store in memory, and campaigns whose turns end by their signal, or by the test. */
// @ts-nocheck

import {
  Election,
  type ElectionOptions,
  type LeaseStore,
  MemoryLeaseStore,
  type StandingLease,
} from '../../../functions/election/index.ts'
import { ManualClock, settled } from '../../../functions/election/testing/manual-clock.ts'

export const LEASE_MS = 15_000
/** The clock budget, by default. */
export const B = 1_000

export let clock: ManualClock
export let store: MemoryLeaseStore

/** For `beforeEach` of each file. */
export async function startAnew(): Promise<void> {
  clock = new ManualClock()
  store = new MemoryLeaseStore()
  await store.standing.read('jobs') // the SDK's first request reads files, which takes real time
}

export function elect(candidate: string, options: Partial<ElectionOptions> = {}): Election {
  return new Election({ store, clock, lease: 'jobs', candidate, leaseMs: LEASE_MS, ...options })
}

export function run(election: Election) {
  const leave = new AbortController()
  const turns: { lease: StandingLease; end: () => void }[] = []
  const done = (async () => {
    for await (const lease of election.campaign({ signal: leave.signal })) {
      const { promise, resolve } = Promise.withResolvers<void>()
      turns.push({ lease, end: resolve })
      lease.signal.addEventListener('abort', () => resolve())
      await promise
    }
  })()
  done.catch(() => undefined)
  return {
    election,
    turns,
    done,
    leave: () => leave.abort(),
    tokens: () => turns.map(({ lease }) => lease.fencingToken),
  }
}

/** The candidates that lead. */
export async function leads(...running: { election: Election }[]): Promise<string[]> {
  await settled()
  return running.filter(({ election }) => election.health().role === 'leader').map(({ election }) => election.candidate)
}

type Standing = NonNullable<LeaseStore['standing']>

/** Replaces requests of a store, also of elections that exist already. */
export function intercept(store: MemoryLeaseStore, replace: (standing: Standing) => Partial<Standing>): void {
  const { standing } = store
  const replaced = { ...standing, ...replace(standing) }
  Object.defineProperty(store, 'standing', { value: replaced, configurable: true })
}
