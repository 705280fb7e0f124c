// @ts-nocheck
import { expect, test } from 'vitest'
import type { Entry, TenureEntry } from '../../../infra/local/observe/entries.ts'
import type { History } from '../../../infra/local/page/client/history.ts'
import { currentTenures, describeNews, describeOutcome, pictureOf } from '../../../infra/local/page/client/picture.ts'
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
  TICK,
  takenOver,
  tenure,
  ticked,
} from './election.ts'

/** The picture of a window around the beginning, at that time after it. */
function drawn(history: History, afterMs: number, window: { fromMs?: number; toMs?: number } = {}) {
  const nowMs = T0 + afterMs
  const { lanes } = pictureOf(history, { fromMs: T0 - 1_000, toMs: T0 + 3_600_000, nowMs, width: 800, ...window })
  const lane = (name: string) => {
    const { bars = [], marks = [] } = lanes.find((one) => one.name === name) ?? {}
    return { bars, marks: marks.map(({ atMs, kind, title }) => [atMs - T0, kind, title] as const) }
  }
  return { lane, names: lanes.map(({ name }) => name) }
}

test('lanes are one for each candidate, also a removed one, one for the lease, one for effects', () => {
  const removed = [candidate(4), fault('removed', 500, { candidate: 4 }), candidate(4, { isPresent: false })]
  const { names, lane } = drawn(historyOf(...SETUP, ...removed), 1_000)
  expect(names).toEqual(['candidate 1', 'candidate 2', 'candidate 3', 'candidate 4', 'lease', 'effects'])
  expect(lane('candidate 4').marks).toEqual([[500, 'broken', 'removed\n12:00:00.500 UTC']])
})

const successor = tenure(2, 16_000)
const REPLACED = '0-16000 takenOver, 16000-now leading'
test.each<[string, readonly Entry[], string, string]>([
  ['of a leader lasts until now', [tenure(1, 10)], '10-now leading', '10-now leading'],
  ['lasts until the end', [tenure(1, 10, { ended: 400, done: 450 })], '10-400 completed', '10-400 completed'],
  ['of a leader that died ends, while the lease lasts', [died(1, 0, 300)], '0-300 failed', '0-now failed'],
  [
    'of the lease of a dead leader ends with the next tenure',
    [died(1, 0, 300, takenOver(1, 16_000)), successor],
    ...(['0-300 failed', REPLACED] as const),
  ],
  [
    'of a frozen leader is taken over, though it fails after the thaw',
    [died(1, 0, 20_000, takenOver(1, 16_000)), successor],
    ...(['0-16000 takenOver', REPLACED] as const),
  ],
])('a bar %s', (_, entries, ofCandidate, ofLease) => {
  const { lane } = drawn(historyOf(...SETUP, ...entries), 21_000)
  const shapes = (name: string) =>
    lane(name)
      .bars.map(({ fromMs, toMs, outcome }) => `${fromMs - T0}-${toMs === undefined ? 'now' : toMs - T0} ${outcome}`)
      .join(', ')
  expect([shapes('candidate 1'), shapes('lease')]).toEqual([ofCandidate, ofLease])
})

test('the parts of one work are one bar, with a joint at each hand-over; a retry has a bar of its own', () => {
  const continued = (token: number) => ({ end: 'continued', successor: token, candidate: 1 }) as const
  const parts = [
    tenure(1, 0, { ended: 100, done: 110, ...continued(102) }),
    tenure(2, 200, { ended: 300, done: 310, ...continued(103) }),
    died(3, 400, 500, { candidate: 1, ...takenOver(3, 900) }),
    tenure(4, 900, { candidate: 1 }),
  ]
  const { lane } = drawn(historyOf(...SETUP, ...parts), 1_000, { fromMs: T0 + 350 })
  const times = lane('candidate 1').bars.map(({ fromMs, joints = [] }) => [fromMs, ...joints.map(({ atMs }) => atMs)])
  expect(times.map((one) => one.map((atMs) => atMs - T0))).toEqual([[0, 200, 400], [900]])
  const [work] = lane('lease').bars
  expect(work).toMatchObject({ id: '3', outcome: 'takenOver', title: expect.stringContaining('handed over 2 times') })
})

test('a bar has its token and tick as its label, and everything else as its tooltip', () => {
  const old = died(1, 0, 1_200, { ...takenOver(1, 16_000), accepted: 4, refused: 1 })
  const { lane } = drawn(historyOf(...SETUP, old, tenure(2, 16_000, { tick: undefined })), 20_000)
  const [bar] = lane('candidate 1').bars
  expect(bar?.label).toBe('…101 · 06:00')
  expect(bar?.title.split('\n')).toEqual([
    'failed, then taken over: candidate 1, token 101',
    `tick ${TICK}`,
    'from 12:00:00.000 UTC, for 1 s',
    '4 effects accepted, 1 refused',
    'Runtime.ExitError: signal: killed',
    'taken over by token 102',
  ])
  const [tickless] = lane('candidate 2').bars
  expect(tickless?.label).toBe('…102')
  expect(tickless?.title).not.toContain('tick')
})

test.each([
  [0, 1_000, ['1'], [10]],
  [70_000, 80_000, ['2'], []],
  [100_000, 150_000, [], []],
  [250_000, 260_000, ['3'], []],
  [0, 300_000, ['1', '2', '3'], [10, 60_010, 200_010]],
])('the window from %d to %d ms has what reaches into it', (fromMs, toMs, ids, marks) => {
  const history = historyOf(
    ...[...SETUP, tenure(1, 0, { ended: 400, done: 400 }), effect(1, 10)],
    ...[tenure(2, 60_000, { ended: 90_000, done: 90_000 }), effect(2, 60_010)],
    ...[tenure(3, 200_000), effect(3, 200_010)],
  )
  const { lane } = drawn(history, 300_000, { fromMs: T0 + fromMs, toMs: T0 + toMs })
  expect(lane('lease').bars.map(({ id }) => id)).toEqual(ids)
  expect(lane('effects').marks.map(([atMs]) => atMs)).toEqual(marks)
})

test('marks are in their lanes: ticks and expiries at the lease, effects in theirs, others at candidates', () => {
  const { lane } = drawn(
    historyOf(
      ...[...SETUP, ticked(7, 0), tenure(1, 0), effect(1, 10, { times: 3 }), effect(1, 20, { verdict: 'unguarded' })],
      ...[effect(1, 25, { verdict: 'refused' }), standby(2, 30), failure(3, 40), fault('frozen', 50)],
      fault('all slow', 60, { candidate: undefined }),
    ),
    100,
  )
  expect(lane('lease').marks).toEqual([
    [0, 'tick', `tick 7: ${TICK}\n12:00:00.000 UTC`],
    [60, 'broken', 'all slow\n12:00:00.060 UTC'],
    [15_000, 'expiry', 'the lease of token 101 expires'],
  ])
  expect(lane('effects').marks).toEqual([
    [10, 'accepted', '3 × charge\naccepted, from candidate 1 with token 101\n12:00:00.010 UTC'],
    [25, 'refused', 'charge\nrefused, from candidate 1 with token 101\n12:00:00.025 UTC'],
    [20, 'unguarded', expect.stringMatching(/^charge\naccepted although another candidate leads, because no fence/)],
  ])
  const kinds = [1, 2, 3].map((number) => lane(`candidate ${number}`).marks.map(([, kind]) => kind))
  expect(kinds).toEqual([['broken'], ['standby'], ['failure']])
})

test('an expiry is shown only if the lease was not released before', () => {
  const tenures = [tenure(1, 0, takenOver(1, 18_000)), tenure(2, 18_000, { ended: 19_000 })]
  const { lane } = drawn(historyOf(...SETUP, ...tenures), 20_000)
  expect(lane('lease').marks).toEqual([[15_000, 'expiry', 'the lease of token 101 expired']])
})

test.each<[TenureEntry, string, boolean]>([
  [tenure(1, 0), 'leading', true],
  [tenure(1, 0, { ended: 10 }), 'completed', false],
  [died(1, 0, 20, { ended: 10, end: 'failed' }), 'failed', false],
  [died(1, 0, 20), 'failed, the lease not released', true],
  [tenure(1, 0, takenOver(1, 10)), 'taken over', false],
  [died(1, 0, 10, takenOver(1, 20)), 'failed, then taken over', false],
])('a tenure has an outcome, and is the current one or not: %#', (one, outcome, isCurrent) => {
  expect(describeOutcome(one)).toBe(outcome)
  expect(currentTenures(historyOf(one))).toEqual(isCurrent ? [one] : [])
})

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
