import { expect, test } from 'vitest'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import { describeNews } from '../../../infra/local/page/client/picture.ts'
import {
  candidate,
  counts,
  died,
  effect,
  failure,
  fault,
  historyOf,
  OVER,
  SETUP,
  standby,
  T0,
  takenOver,
  tenure,
  ticked,
} from './election.ts'

test('only the latest state of each kind, of each candidate and of each tenure counts', () => {
  const leader = { kind: 'leader', armed: 'killLeader', frozen: [3] } as const
  const cutOff = candidate(2, { isCutOff: true })
  const tenures = [tenure(1, 0), tenure(2, 1), tenure(1, 0, { ended: 10 })]
  const history = historyOf(...SETUP, counts(), counts({ ticks: 2 }), cutOff, leader, ...tenures, OVER)
  expect(history).toMatchObject({ counts: { ticks: 2 }, leader, over: OVER })
  expect(history.sortedCandidates()).toEqual([candidate(1), cutOff, candidate(3)])
  expect(history.tenures()).toEqual([tenure(1, 0, { ended: 10 }), tenure(2, 1)])
})

test.each<[readonly Entry[], string]>([
  [[], ''],
  [[fault('frozen', 0, { candidate: 2 })], 'Candidate 2: frozen'],
  [[fault('all is lost', 0, { candidate: undefined })], 'all is lost'],
  [[tenure(1, 0)], 'Candidate 1: leading'],
  [[tenure(1, 0, takenOver(1, 10)), tenure(2, 10)], 'Candidate 2: leading'],
  [[tenure(1, 0), died(1, 0, 10), standby(2, 20), effect(1, 30)], 'Candidate 1: failed, the lease not released'],
  [[tenure(1, 0), fault('slow', 0), tenure(1, 0, { expiresAtMs: T0 + 20_000 })], 'Candidate 1: slow'],
  [[tenure(1, 0), fault('slow', 0), tenure(1, 0, { ended: 10 })], 'Candidate 1: completed'],
  [[failure(3, 10), ticked(1, 20)], 'Candidate 3: failed: Runtime.ExitError: signal: killed'],
  [[effect(1, 10, { verdict: 'refused' })], 'Candidate 1: charge\nrefused, from candidate 1 with token 101'],
])('the latest news is known: %#', (entries, news) => {
  expect(describeNews(historyOf(...SETUP, ...entries))).toBe(news)
})
