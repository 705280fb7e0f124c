/** The page of a synthetic election: always the same, without processes and without DynamoDB. */
// @ts-nocheck

import { onTestFinished } from 'vitest'
import { FaultError, type ManualFault } from '../../infra/local/faults/fault.ts'
import type { Entry } from '../../infra/local/observe/entries.ts'
import type { Step } from '../../infra/local/observe/tenure-logs.ts'
import { type PageServer, startPage } from '../../infra/local/page/server.ts'
import { candidate, SETUP_ENTRY } from '../local/page/election.ts'
import { CountedFeed } from '../support/counted-feed.ts'
import { APART_MS, syntheticSetup, syntheticTick } from '../support/synthetic-election.ts'

export interface SyntheticOptions {
  /** How many ticks have passed. @default 100, more than a window shows */
  readonly ticks?: number
  /** Added after them. */
  readonly more?: readonly Entry[]
  readonly log?: readonly Step[]
}

/** Starts a page for this test, which stops it. */
export async function startSynthetic({ ticks = 100, more = [], log = [] }: SyntheticOptions = {}) {
  const feed = new CountedFeed()
  const add = (...entries: readonly Entry[]) => {
    for (const entry of entries) feed.add(entry)
  }
  let number = 0
  const tickAt = (atMs: number) => {
    number += 1
    add(...syntheticTick(number, Math.round(atMs)))
  }
  add(...syntheticSetup())
  const firstMs = Date.now() - ticks * APART_MS
  for (let tick = 0; tick < ticks; tick += 1) tickAt(firstMs + tick * APART_MS)
  add(...more)

  const injected: ManualFault[] = []
  let refusal: string | undefined
  const inject = async (fault: ManualFault) => {
    if (refusal !== undefined) throw new FaultError(refusal)
    injected.push(fault)
  }
  const startAt = (port: number, key = 'key-of-this-run') =>
    startPage({ port, key, feed, logs: { get: () => log }, inject })
  let server: PageServer | undefined = await startAt(0)
  const { url } = server
  const stop = async () => {
    await server?.stop()
    server = undefined
  }
  onTestFinished(stop)
  return {
    url,
    add,
    /** One more tick, which begins now. */
    tick: () => tickAt(Date.now()),
    injected,
    /** Refuses every fault from now on. */
    refuse: (reason: string) => {
      refusal = reason
    },
    /** How many pages listen. */
    listening: () => feed.listening,
    stop,
    /** On the same port. @param key that of another run */
    startAgain: async (key?: string) => {
      server = await startAt(Number(new URL(url).port), key)
    },
  }
}

export const setupEntry = (task: string, lease: string): Entry => ({ ...SETUP_ENTRY, task, lease })

const AT_MS = Date.parse('2026-01-01T00:00:00.000Z')

export const LOG: readonly Step[] = [
  { atMs: AT_MS, description: 'Invoked for the tick 2026-01-01T00:00:00.000Z' },
  {
    atMs: AT_MS + 5,
    description: 'Requests the lease until 00:00:15.000',
    request: { TableName: 'Leases', ConditionExpression: 'attribute_not_exists(#holder) '.repeat(10) },
    result: 'granted, with token 7',
    tookMs: 4,
    answer: { Attributes: { fencingToken: { N: '6' } } },
  },
  { atMs: AT_MS + 20, description: 'frozen, with a write on its way', isFault: true },
  { atMs: AT_MS + 30, description: 'Fails with TypeError: no', trace: ['at handler (/a/long/path/index.mjs:1:1)'] },
]

/** Something for every part of the page. */
export function everythingElse(nowMs = Date.now()): readonly Entry[] {
  const error = { name: 'TypeError', message: 'Cannot read properties of undefined' }
  const refused = { tenure: 99, token: 7, candidate: 10, verdict: 'refused', what: 'charge', times: 1 } as const
  return [
    candidate(2, { skewMs: 5_000, isCutOff: true, dropsNextReply: true }),
    candidate(10, { isPresent: false }),
    { kind: 'leader', armed: 'killLeader', frozen: [3] },
    { kind: 'effect', atMs: nowMs - 600, ...refused },
    { kind: 'fault', atMs: nowMs - 500, candidate: 2, description: 'cut off' },
    { kind: 'failure', atMs: nowMs - 300, number: 1_000, candidate: 2, tick: '2026-01-05T00:00:00.000Z', error },
    { kind: 'counts', ticks: 100, completed: 98, completedTwice: 1, overdue: 2, staleRefused: 1, staleAccepted: 0 },
  ]
}
