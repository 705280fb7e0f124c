/** The console of a made-up election: always the same, without processes and without DynamoDB. */
import { onTestFinished } from 'vitest'
import { type Act, ActError } from '../../infra/local/faults/acts.ts'
import type { Entry } from '../../infra/local/observe/entries.ts'
import type { Story } from '../../infra/local/observe/stories.ts'
import { createFeed, type Feed } from '../../infra/local/page/feed.ts'
import { type Console, startConsole } from '../../infra/local/page/server.ts'
import { APART_MS, syntheticSetup, syntheticTick } from '../support/synthetic-election.ts'

export interface MadeUp {
  readonly url: string
  add(...entries: readonly Entry[]): void
  /** One tick more, that begins now. */
  tick(): void
  /** What was done on the page. */
  readonly acts: readonly Act[]
  /** From now on every act is refused so. */
  refuse(words: string): void
  /** How many pages listen. */
  listening(): number
  stop(): Promise<void>
  /** On the same port. @param key another run's @default its own */
  startAgain(key?: string): Promise<void>
}

export interface MadeUpOptions {
  /** How many lie behind. @default 100, which is more than a window shows */
  readonly ticks?: number
  /** Told after them. */
  readonly more?: readonly Entry[]
  readonly story?: Story
}

/** For this test; it is stopped when the test is over. */
export async function startMadeUp({ ticks = 100, more = [], story }: MadeUpOptions = {}): Promise<MadeUp> {
  const { feed, listening } = counting(createFeed())
  const add = (...entries: readonly Entry[]) => entries.forEach((entry) => void feed.add(entry))
  let number = 0
  const tickAt = (atMs: number) => {
    number += 1
    add(...syntheticTick(number, Math.round(atMs)))
  }
  add(...syntheticSetup())
  const firstMs = Date.now() - ticks * APART_MS
  for (let tick = 0; tick < ticks; tick += 1) tickAt(firstMs + tick * APART_MS)
  add(...more)

  const acts: Act[] = []
  let refusal: string | undefined
  const act = async (what: Act) => {
    if (refusal !== undefined) throw new ActError(refusal)
    acts.push(what)
  }
  const stories = { get: () => story }
  const startAt = (port: number, key = 'key-of-this-run') => startConsole({ port, key, feed, stories, act })
  let console: Console | undefined = await startAt(0)
  const { url } = console
  const stop = async () => {
    await console?.stop()
    console = undefined
  }
  onTestFinished(stop)
  return {
    url,
    add,
    tick: () => tickAt(Date.now()),
    acts,
    refuse: (words) => {
      refusal = words
    },
    listening,
    stop,
    startAgain: async (key) => {
      console = await startAt(Number(new URL(url).port), key)
    },
  }
}

function counting(feed: Feed): { readonly feed: Feed; readonly listening: () => number } {
  let listeners = 0
  return {
    listening: () => listeners,
    feed: {
      add: feed.add,
      subscribe: (listener) => {
        const subscription = feed.subscribe(listener)
        listeners += 1
        return {
          [Symbol.dispose]: () => {
            listeners -= 1
            subscription[Symbol.dispose]()
          },
        }
      },
    },
  }
}

const AT_MS = Date.parse('2026-01-01T00:00:00.000Z')

/** What a tenure of any election could have been. */
export const STORY: Story = {
  steps: [
    { atMs: AT_MS, words: 'Woken for the tick 2026-01-01T00:00:00.000Z' },
    {
      atMs: AT_MS + 5,
      words: 'Asks for the lease, to hold it until 00:00:15.000',
      request: { TableName: 'Leases', ConditionExpression: 'attribute_not_exists(#holder) '.repeat(10) },
      came: 'granted, with token 7',
      tookMs: 4,
      answer: { Attributes: { fencingToken: { N: '6' } } },
    },
    { atMs: AT_MS + 20, words: 'frozen, with a write on its way', isByHand: true },
    { atMs: AT_MS + 30, words: 'Fails with TypeError: no', trace: ['at handler (/a/long/path/index.mjs:1:1)'] },
  ],
  leftOut: 0,
  gapAt: 200,
}

/** What gives a page something of everything to show. */
export function everythingElse(nowMs = Date.now()): readonly Entry[] {
  const error = { name: 'TypeError', message: 'Cannot read properties of undefined', trace: ['at f (index.mjs:1:1)'] }
  const refused = { tenure: 99, token: 7, candidate: 10, verdict: 'refused', what: 'charge' } as const
  return [
    { kind: 'candidate', candidate: 2, isThere: true, skewMs: 5_000, isCutOff: true, dropsReply: true },
    { kind: 'candidate', candidate: 10, isThere: false, skewMs: 0, isCutOff: false, dropsReply: false },
    { kind: 'leader', armed: 'kill', frozen: [3] },
    { kind: 'effect', atMs: nowMs - 600, ...refused, times: 1 },
    { kind: 'broken', atMs: nowMs - 500, candidate: 2, words: 'cut off' },
    {
      kind: 'woken',
      atMs: nowMs - 400,
      candidate: 2,
      invocation: 'lost/0',
      tick: '2026-01-05T00:00:00.000Z',
      retry: 0,
    },
    { kind: 'done', atMs: nowMs - 300, candidate: 2, invocation: 'lost/0', status: 'failed', error },
    { kind: 'counts', ticks: 100, completed: 98, completedTwice: 1, overdue: 2, staleRefused: 1 },
  ]
}
