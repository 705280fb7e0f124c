import { describe, expect, test } from 'vitest'
import {
  began,
  candidate,
  done,
  effect,
  ended,
  failed,
  fault,
  historyOf,
  invoked,
  KILLED,
  OVER,
  SETUP,
  T0,
  TICK,
} from './election.ts'

describe('a tenure', () => {
  test('begins, is renewed, has effects and ends', () => {
    const { tenures } = historyOf(
      ...[began(1, 0), effect(1, 50, { times: 3 }), effect(1, 60, { verdict: 'refused' })],
      effect(1, 70, { verdict: 'unguarded', times: 2 }),
      { kind: 'renewed', atMs: T0 + 5_000, tenure: 1, expiresAtMs: T0 + 20_000 },
      ...[ended(1, 6_000), done(1, 6_010)],
    )
    expect(tenures).toEqual([
      {
        ...{ number: 1, token: 101, candidate: 1, tick: TICK, fromMs: T0, expiresAtMs: T0 + 20_000 },
        ...{ accepted: 3, refused: 1, unguarded: 2, end: 'completed', endedAtMs: T0 + 6_000, doneAtMs: T0 + 6_010 },
      },
    ])
  })

  test('that fails keeps the error of its invocation, and is taken over by the next one', () => {
    const history = historyOf(began(1, 0), failed(1, 100))
    expect(history.tenures[0]).toMatchObject({ error: KILLED, doneAtMs: T0 + 100 })
    expect(history.tenures[0]?.end).toBeUndefined()
    expect(history.failedAttempts).toEqual([])
    history.fold([began(2, 20_000, { replaced: 1 })])
    expect(history.tenures[0]).toMatchObject({ end: 'takenOver', endedAtMs: T0 + 20_000, successor: 102 })
    expect(history.tenures[1]?.end).toBeUndefined()
    expect(history.news).toBe('Candidate 2 took over')
  })

  test('is not changed by entries of a tenure that is not kept', () => {
    const history = historyOf(began(2, 0))
    const before = structuredClone(history.tenures)
    const renewed = { kind: 'renewed', atMs: T0, tenure: 7, expiresAtMs: 0 } as const
    history.fold([ended(7, 10), renewed, effect(7, 20), done(7, 30)])
    expect(history.tenures).toEqual(before)
  })
})

test('a failed attempt without a tenure is kept with its tick; a standby is a note', () => {
  const standby = done(3, 20, { status: 'standby', reason: 'held' })
  const { failedAttempts, notes } = historyOf(invoked(2, 0), failed(2, 10), standby)
  expect(failedAttempts).toEqual([{ atMs: T0 + 10, candidate: 2, invocation: 'i2', tick: TICK, error: KILLED }])
  expect(notes.map(({ kind, candidate: number, description }) => [kind, number, description])).toEqual([
    ['failure', 2, 'failed: Runtime.ExitError: signal: killed'],
    ['standby', 3, 'stood by: held'],
  ])
})

test('only the latest state of each kind, and of each candidate, counts', () => {
  const counts = {
    kind: 'counts',
    ticks: 1,
    completed: 1,
    completedTwice: 0,
    overdue: 0,
    staleRefused: 0,
    staleAccepted: 0,
  } as const
  const leader = { kind: 'leader', armed: 'killLeader', frozen: [3] } as const
  const cutOff = candidate(2, { isCutOff: true })
  const history = historyOf(...SETUP, counts, { ...counts, ticks: 2 }, cutOff, leader, OVER)
  expect(history).toMatchObject({ counts: { ticks: 2 }, leader, over: OVER, tenures: [] })
  expect(history.sortedCandidates()).toEqual([candidate(1), cutOff, candidate(3)])
})

test('each fold changes the revision, and news is the latest event', () => {
  const history = historyOf(...SETUP)
  const { revision } = history
  history.fold([fault('frozen', 10, { candidate: 2 })])
  expect(history.revision).toBeGreaterThan(revision)
  expect(history.news).toBe('Candidate 2: frozen')
  history.fold([fault('all is lost', 20, { candidate: undefined })])
  expect(history.news).toBe('all is lost')
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
  expect(history.fromMs).toBe(T0 + 200)
  history.fold([ended(3, 400)])
  expect(history.tenures.at(-1)).toMatchObject({ end: 'completed' })
})
