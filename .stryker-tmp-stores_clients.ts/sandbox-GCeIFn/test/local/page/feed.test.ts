// @ts-nocheck
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import { Feed } from '../../../infra/local/page/feed.ts'
import { candidate, counts, effect, OVER, SETUP_ENTRY, standby, tenure, ticked } from './election.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function feedOf(entries: readonly Entry[], keptEntries?: number) {
  const feed = new Feed(keptEntries)
  for (const entry of entries) feed.add(entry)
  return feed
}

/** Each call of a listener, from now on. */
function received(feed: Feed) {
  const calls: (readonly Entry[])[] = []
  const subscription = feed.subscribe((updates) => calls.push(updates))
  return { calls, subscription }
}

const kept = (feed: Feed): readonly Entry[] => received(feed).calls[0] ?? []

test('a page that opens late gets all entries at once, and then each new one', () => {
  const feed = feedOf([ticked(1, 0), tenure(1, 0)])
  const { calls } = received(feed)
  feed.add(standby(2, 1))
  feed.add(counts())
  expect(calls).toEqual([[ticked(1, 0), tenure(1, 0)], [standby(2, 1)], [counts()]])
})

test('only the latest entry of each state, candidate and tenure is kept, and every event', () => {
  const removed = candidate(1, { isPresent: false })
  const events = [ticked(1, 0), ticked(1, 0), effect(1, 0), effect(1, 0, { tenure: 2 }), effect(1, 0, { what: 'x' })]
  const first = [SETUP_ENTRY, candidate(1), candidate(2), counts({ ticks: 1 }), tenure(1, 0), tenure(2, 0)]
  const feed = feedOf([...first, ...events, removed, counts(), tenure(1, 0, { ended: 5 }), OVER])
  const states = [SETUP_ENTRY, removed, candidate(2), counts(), tenure(1, 0, { ended: 5 }), tenure(2, 0)]
  expect(kept(feed)).toEqual([...states, ...events, OVER])
})

test('a page that closes gets nothing more, and the others do', () => {
  const feed = new Feed()
  const [one, other] = [received(feed), received(feed)]
  feed.add(ticked(1, 0))
  one.subscription[Symbol.dispose]()
  feed.add(ticked(2, 1))
  expect(one.calls.flat()).toEqual([ticked(1, 0)])
  expect(other.calls.flat()).toEqual([ticked(1, 0), ticked(2, 1)])
})

test('equal effects and changes of a tenure within a tenth of a second are one entry', () => {
  const feed = new Feed()
  const { calls } = received(feed)
  feed.add(tenure(1, 0))
  feed.add(effect(1, 0))
  vi.advanceTimersByTime(60)
  feed.add(tenure(1, 0, { accepted: 2 }))
  feed.add(effect(1, 60))
  feed.add(effect(1, 60, { verdict: 'refused' }))
  expect(calls).toHaveLength(1)
  vi.advanceTimersByTime(40)
  const batch = [tenure(1, 0, { accepted: 2 }), effect(1, 0, { times: 2 }), effect(1, 60, { verdict: 'refused' })]
  expect(calls.slice(1)).toEqual([batch])
  feed.add(effect(1, 100))
  feed.add(OVER)
  expect(calls.slice(2)).toEqual([[effect(1, 100)], [OVER]])
  expect(vi.getTimerCount()).toBe(0)
})

test('the oldest events and tenures are forgotten, at most a tenth late, and open pages start over', () => {
  const feed = feedOf([SETUP_ENTRY], 20)
  const { calls } = received(feed)
  for (let number = 1; number <= 100; number += 1) {
    for (const entry of [ticked(number, number), tenure(number, number)]) feed.add(entry)
    const [setup, ...history] = kept(feed)
    expect(setup).toEqual(SETUP_ENTRY)
    expect(history.length).toBeLessThanOrEqual(21)
    expect(history.at(-1)).toEqual(tenure(number, number))
  }
  expect(kept(feed).length).toBeGreaterThanOrEqual(20)
  const [, ...snapshots] = calls.filter(([first]) => first?.kind === 'setup')
  expect(snapshots.length).toBeGreaterThan(10)
  expect(snapshots.every(({ length }) => length === 20)).toBe(true)
})
