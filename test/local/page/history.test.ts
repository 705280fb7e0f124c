import { expect, test } from 'vitest'
import { began, candidate, done, effect, ended, failed, fault, historyOf, OVER, SETUP, T0 } from './election.ts'

test('a tenure is not changed by entries of one that is not kept', () => {
  const history = historyOf(began(2, 0))
  const before = structuredClone(history.tenures)
  const renewed = { kind: 'renewed', atMs: T0, tenure: 7, expiresAtMs: 0 } as const
  history.fold([ended(7, 10), renewed, effect(7, 20), done(7, 30)])
  expect(history.tenures).toEqual(before)
})

test('only the latest state of each kind, and of each candidate, counts', () => {
  const counts = { kind: 'counts', ticks: 1, completed: 1, completedTwice: 0, overdue: 0, staleRefused: 0 } as const
  const leader = { kind: 'leader', armed: 'killLeader', frozen: [3] } as const
  const cutOff = candidate(2, { isCutOff: true })
  const history = historyOf(...SETUP, counts, { ...counts, ticks: 2 }, cutOff, leader, OVER)
  expect(history).toMatchObject({ counts: { ticks: 2 }, leader, over: OVER, tenures: [] })
  expect(history.sortedCandidates()).toEqual([candidate(1), cutOff, candidate(3)])
})

test.each([
  [fault('frozen', 10, { candidate: 2 }), 'Candidate 2: frozen'],
  [fault('all is lost', 20, { candidate: undefined }), 'all is lost'],
  [began(2, 20, { replaced: 1 }), 'Candidate 2 took over'],
  [failed(3, 30), 'Candidate 3 failed without leading'],
])('each fold changes the revision, and news is the latest event: %#', (entry, news) => {
  const history = historyOf(...SETUP, began(1, 0))
  const { revision } = history
  history.fold([entry])
  expect(history.revision).toBeGreaterThan(revision)
  expect(history.news).toBe(news)
})

test('what the feed has forgotten is dropped, and the rest goes on', () => {
  const history = historyOf(
    ...[1, 2, 3].flatMap((n) => [began(n, n * 100), effect(n, n * 100 + 10), failed(9, n * 100 + 20)]),
  )
  history.fold([{ kind: 'forgotten', beforeMs: T0 + 200 }])
  expect(history.tenures.map(({ number }) => number)).toEqual([2, 3])
  expect([...history.byNumber.keys()]).toEqual([2, 3])
  expect(history.failedAttempts).toHaveLength(2)
  expect(history.notes.map(({ atMs }) => atMs - T0)).toEqual([210, 220, 310, 320])
  history.fold([ended(3, 400)])
  expect(history.tenures.at(-1)).toMatchObject({ end: 'completed' })
})
