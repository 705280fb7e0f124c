import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Counts, Entry, Update } from '../../../infra/local/observe/entries.ts'
import { Feed } from '../../../infra/local/page/feed.ts'
import { began, candidate, effect, invoked, OVER, SETUP_ENTRY, T0 } from './election.ts'

const counts = (ticks: number): Counts => ({
  ...{ kind: 'counts', ticks, completed: 0, completedTwice: 0, overdue: 0, staleRefused: 0, staleAccepted: 0 },
})
const renewed = (tenure: number): Entry => ({ kind: 'renewed', atMs: T0, tenure, expiresAtMs: T0 })

function feedOf(entries: readonly Entry[], keptEvents?: number) {
  const feed = new Feed(keptEvents)
  for (const entry of entries) feed.add(entry)
  return feed
}

/** Each call of a listener, from now on. */
function received(feed: Feed) {
  const calls: (readonly Update[])[] = []
  const subscription = feed.subscribe((updates) => calls.push(updates))
  return { calls, subscription }
}

const kept = (feed: Feed): readonly Update[] => received(feed).calls[0] ?? []

test('a page that opens late gets all entries at once, and then each new one', () => {
  const feed = feedOf([invoked(1, 0), began(1, 0)])
  const { calls } = received(feed)
  feed.add(renewed(1))
  feed.add(counts(1))
  expect(calls).toEqual([[invoked(1, 0), began(1, 0)], [renewed(1)], [counts(1)]])
})

test('a page gets the latest states of each kind and candidate before the events, the setup first', () => {
  const leader: Entry = { kind: 'leader', armed: 'killLeader', frozen: [] }
  const removed = candidate(1, { isPresent: false })
  const states = [candidate(1), leader, invoked(1, 0), candidate(2), OVER, counts(1), removed, counts(2), SETUP_ENTRY]
  expect(kept(feedOf(states))).toEqual([SETUP_ENTRY, removed, candidate(2), leader, counts(2), OVER, invoked(1, 0)])
})

test('a page that closes gets nothing more, and the others do', () => {
  const feed = new Feed()
  const [one, other] = [received(feed), received(feed)]
  feed.add(began(1, 0))
  one.subscription[Symbol.dispose]()
  feed.add(began(2, 1))
  expect(one.calls.flat()).toEqual([began(1, 0)])
  expect(other.calls.flat()).toEqual([began(1, 0), began(2, 1)])
})

describe('effects', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('that are equal and within a tenth of a second are one entry, with the time of the first', () => {
    const feed = new Feed()
    const { calls } = received(feed)
    feed.add(effect(1, 0))
    vi.advanceTimersByTime(60)
    feed.add(effect(1, 60))
    feed.add(effect(1, 60, { verdict: 'refused' }))
    expect(calls).toHaveLength(1)
    vi.advanceTimersByTime(40)
    feed.add(effect(1, 100))
    vi.advanceTimersByTime(100)
    const entries = [effect(1, 0, { times: 2 }), effect(1, 60, { verdict: 'refused' }), effect(1, 100)]
    expect(calls.flat()).toEqual(entries)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that differ are separate entries', () => {
    const effects = [{}, { tenure: 2 }, { what: 'UpdateItem of charges' }].map((changes) => effect(1, 0, changes))
    expect(kept(feedOf(effects))).toEqual(effects)
  })

  test('are sent before any other entry, and to a page that opens', () => {
    const feed = new Feed()
    const { calls } = received(feed)
    feed.add(effect(1, 0))
    feed.add(OVER)
    feed.add(effect(1, 1))
    expect(kept(feed)).toEqual([OVER, effect(1, 0), effect(1, 1)])
    expect(calls.flat()).toEqual([effect(1, 0), OVER, effect(1, 1)])
  })
})

describe('forgetting', () => {
  test('drops the oldest tenures as a whole, at most a tenth late, and notifies open pages', () => {
    const feed = new Feed(20)
    const { calls } = received(feed)
    for (let tenure = 1; tenure <= 30; tenure += 1) {
      for (const entry of [invoked(1, tenure), began(tenure, tenure), ...Array(5).fill(renewed(tenure))])
        feed.add(entry)
      const entries = kept(feed)
      expect(entries.length).toBeLessThanOrEqual(22)
      if (tenure > 3) expect(entries[0]).toMatchObject({ kind: 'began' })
      expect(entries.at(-1)).toEqual(renewed(tenure))
    }
    const forgotten = calls.flat().filter(({ kind }) => kind === 'forgotten')
    expect(forgotten.at(-1)).toEqual({ kind: 'forgotten', beforeMs: Object(kept(feed)[0]).atMs })
  })

  test.each([
    ['without any tenure', []],
    ['of a single long tenure', [began(1, 0)]],
  ])('bounds the events %s, and never drops a state', (_, first) => {
    const feed = feedOf([SETUP_ENTRY, ...first], 100)
    for (let times = 1; times <= 1_000; times += 1) feed.add(renewed(times))
    const [state, ...events] = kept(feed)
    expect(state).toEqual(SETUP_ENTRY)
    expect(events.length).toBeGreaterThanOrEqual(100)
    expect(events.length).toBeLessThanOrEqual(110)
    expect(events.at(-1)).toEqual(renewed(1_000))
  })
})
