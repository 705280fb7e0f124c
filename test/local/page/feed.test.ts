import { expect, test } from 'vitest'
import type {
  Began,
  CandidateEntry,
  Counts,
  Entry,
  Happening,
  Setup,
  Woken,
} from '../../../infra/local/observe/entries.ts'
import { createFeed, type FeedOptions } from '../../../infra/local/page/feed.ts'

const setup: Setup = {
  kind: 'setup',
  task: 'billing',
  lease: 'billing',
  leaseMs: 15_000,
  periodMs: 3_600_000,
  switchedOff: [],
  mostCandidates: 10,
}
const candidate = (number: number, isThere = true): CandidateEntry => ({
  kind: 'candidate',
  candidate: number,
  isThere,
  skewMs: 0,
  isCutOff: false,
  dropsReply: false,
})
const counts = (ticks: number): Counts => ({
  kind: 'counts',
  ticks,
  completed: 0,
  completedTwice: 0,
  overdue: 0,
  staleRefused: 0,
})
const woken = (invocation: string): Woken => ({
  kind: 'woken',
  atMs: 0,
  candidate: 1,
  invocation,
  tick: '2024-01-31T00:00:00.000Z',
  retry: 0,
})
const began = (tenure: number): Began => ({
  kind: 'began',
  atMs: 0,
  tenure,
  token: tenure,
  candidate: 1,
  invocation: 'a/0',
  expiresAtMs: 15_000,
})
const renewed = (tenure: number): Happening => ({ kind: 'renewed', atMs: 0, tenure, expiresAtMs: 20_000 })

/** What a page gets that comes now. */
function kept({ subscribe }: Pick<ReturnType<typeof createFeed>, 'subscribe'>): readonly Entry[] {
  let all: readonly Entry[] = []
  subscribe((entries) => {
    all = entries
  })[Symbol.dispose]()
  return all
}

/** A feed that was told all of these, and keeps what the options say. */
function feedOf(entries: readonly Entry[], options?: FeedOptions) {
  const feed = createFeed(options)
  for (const entry of entries) feed.add(entry)
  return feed
}

test('who comes late gets at once what happened, in order, and then each new entry by itself', () => {
  const feed = feedOf([woken('a/0'), began(1)])
  const told: (readonly Entry[])[] = []
  feed.subscribe((entries) => told.push(entries))
  feed.add(renewed(1))
  feed.add(counts(1))
  expect(told).toEqual([[woken('a/0'), began(1)], [renewed(1)], [counts(1)]])
})

test('a feed that has been told nothing yet says so, and then each entry', () => {
  const told: (readonly Entry[])[] = []
  const feed = createFeed()
  feed.subscribe((entries) => told.push(entries))
  feed.add(setup)
  expect(told).toEqual([[], [setup]])
})

test('how things stand is told before what happened, the setup first, whatever came first', () => {
  const over: Entry = { kind: 'over', atMs: Date.now(), words: 'The run is over' }
  const leader: Entry = { kind: 'leader', armed: 'kill', frozen: [] }
  const feed = feedOf([candidate(1), leader, woken('a/0'), candidate(2), over, counts(1), setup])
  expect(kept(feed)).toEqual([setup, candidate(1), candidate(2), leader, counts(1), over, woken('a/0')])
})

test('of how things stand the last word holds, that of each candidate apart', () => {
  const feed = feedOf([candidate(1), candidate(2), counts(1), candidate(1, false), counts(2)])
  expect(kept(feed)).toEqual([candidate(1, false), candidate(2), counts(2)])
})

test('all that listen are told, until they do not want to be any more', () => {
  const feed = createFeed()
  const [one, other]: [Entry[], Entry[]] = [[], []]
  const subscription = feed.subscribe((entries) => one.push(...entries))
  feed.subscribe((entries) => other.push(...entries))
  feed.add(began(1))
  subscription[Symbol.dispose]()
  feed.add(began(2))
  expect(one).toEqual([began(1)])
  expect(other).toEqual([began(1), began(2)])
})

test('the oldest tenures are forgotten with all that happened before the first that is kept', () => {
  const feed = createFeed({ keptTenures: 10 })
  for (let token = 1; token <= 12; token += 1) {
    feed.add(woken(`${token}/0`))
    feed.add(began(token))
    feed.add(renewed(token))
  }
  const all = kept(feed)
  expect(all[0]).toEqual(began(3))
  expect(all).toHaveLength(10 * 3 - 1)
  expect(all.at(-1)).toEqual(renewed(12))
})

test('however long it goes on, a tenth more than what is to be kept is kept at most, and it begins with a tenure', () => {
  const feed = createFeed({ keptTenures: 10 })
  for (let token = 1; token <= 500; token += 1) {
    feed.add(woken(`${token}/0`))
    feed.add(began(token))
    const tokens = kept(feed).flatMap((entry) => (entry.kind === 'began' ? [entry.token] : []))
    expect(tokens).toEqual(Array.from({ length: tokens.length }, (_, index) => token - tokens.length + 1 + index))
    expect(tokens.length).toBeGreaterThanOrEqual(Math.min(token, 10))
    expect(tokens.length).toBeLessThanOrEqual(11)
    if (token > 11) expect(kept(feed)[0]).toMatchObject({ kind: 'began' })
  }
})

test('few tenures with much in each are forgotten too, as whole tenures', () => {
  const feed = createFeed({ keptTenures: 100, keptEntries: 20 })
  for (let token = 1; token <= 30; token += 1) {
    feed.add(began(token))
    for (let times = 1; times <= 6; times += 1) feed.add(renewed(token))
    const all = kept(feed)
    expect(all.length).toBeLessThanOrEqual(22)
    expect(all[0]).toMatchObject({ kind: 'began' })
    expect(all.at(-1)).toEqual(renewed(token))
  }
})

test('where no tenure ever begins, the last entries alone are kept', () => {
  const feed = createFeed({ keptEntries: 100 })
  for (let times = 1; times <= 1_000; times += 1) {
    feed.add(woken(`${times}/0`))
    expect(kept(feed).length).toBeLessThanOrEqual(110)
  }
  expect(kept(feed).at(-1)).toEqual(woken('1000/0'))
  expect(kept(feed).length).toBeGreaterThanOrEqual(100)
})

test('a single tenure in which more happens than can be kept loses its beginning', () => {
  const feed = feedOf([began(1), ...Array.from({ length: 500 }, () => renewed(1))], { keptEntries: 100 })
  expect(kept(feed).length).toBeLessThanOrEqual(110)
  expect(kept(feed).at(-1)).toEqual(renewed(1))
})

test('how things stand is never forgotten', () => {
  const feed = feedOf([setup, candidate(1), ...Array.from({ length: 500 }, () => woken('a/0'))], { keptEntries: 10 })
  expect(kept(feed).slice(0, 2)).toEqual([setup, candidate(1)])
})
