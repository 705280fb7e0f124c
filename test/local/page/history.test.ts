import { describe, expect, test } from 'vitest'
import { fold } from '../../../infra/local/page/client/fold.ts'
import { newHistory } from '../../../infra/local/page/client/history.ts'
import {
  began,
  broken,
  candidate,
  done,
  effect,
  ended,
  failed,
  historyOf,
  KILLED,
  SETUP,
  T0,
  TICK,
} from './election.ts'

describe('a tenure', () => {
  test('begins, is renewed, has effects and ends', () => {
    const { tenures } = historyOf(
      began(1, 0),
      effect(1, 50, { times: 3 }),
      effect(1, 60, { verdict: 'refused' }),
      { kind: 'renewed', atMs: T0 + 5_000, tenure: 1, expiresAtMs: T0 + 20_000 },
      ended(1, 6_000),
      done(1, 6_010),
    )
    expect(tenures).toEqual([
      {
        ...{ number: 1, token: 101, candidate: 1, tick: TICK, fromMs: T0, expiresAtMs: T0 + 20_000 },
        ...{ accepted: 3, refused: 1, end: 'completed', endedAtMs: T0 + 6_000, doneAtMs: T0 + 6_010 },
      },
    ])
  })

  test('that had not ended is taken over by the next one', () => {
    const history = historyOf(began(1, 0), began(2, 20_000, { replaced: 1 }))
    expect(history.tenures[0]).toMatchObject({ end: 'takenOver', endedAtMs: T0 + 20_000, successor: 102 })
    expect(history.tenures[1]?.end).toBeUndefined()
    expect(history.news).toBe('Candidate 2 took over')
  })

  test('keeps why its invocation failed', () => {
    const { tenures, failedTries } = historyOf(began(1, 0), failed(1, 100))
    expect(tenures[0]).toMatchObject({ error: KILLED, doneAtMs: T0 + 100 })
    expect(tenures[0]?.end).toBeUndefined()
    expect(failedTries).toEqual([])
  })

  test('is not touched by what is told of one that is not kept', () => {
    const history = historyOf(began(2, 0))
    const before = structuredClone(history.tenures)
    fold(history, [ended(7, 10), { kind: 'renewed', atMs: T0, tenure: 7, expiresAtMs: 0 }, effect(7, 20), done(7, 30)])
    expect(history.tenures).toEqual(before)
  })
})

test('a try that failed without leading is kept with its tick, one that stood by is a note', () => {
  const woken = { kind: 'woken', atMs: T0, candidate: 2, invocation: 'i2', tick: TICK, retry: 0 } as const
  const { failedTries, notes } = historyOf(woken, failed(2, 10), done(3, 20, { status: 'standby', reason: 'held' }))
  expect(failedTries).toEqual([{ atMs: T0 + 10, candidate: 2, invocation: 'i2', tick: TICK, error: KILLED }])
  expect(notes.map(({ kind, candidate: who, words }) => [kind, who, words])).toEqual([
    ['failure', 2, 'failed: Runtime.ExitError: signal: killed'],
    ['standby', 3, 'stood by: held'],
  ])
})

test('notes are in the order of their times, though effects are told late', () => {
  const { notes } = historyOf(began(1, 0), effect(1, 10), broken('cut off', 90), effect(1, 40), effect(1, 90))
  expect(notes.map(({ atMs, kind }) => [atMs - T0, kind])).toEqual([
    [10, 'accepted'],
    [40, 'accepted'],
    [90, 'broken'],
    [90, 'accepted'],
  ])
})

test('of what stands, the last that was told holds', () => {
  const counts = { kind: 'counts', ticks: 1, completed: 1, completedTwice: 0, overdue: 0, staleRefused: 0 } as const
  const history = historyOf(
    ...SETUP,
    counts,
    { ...counts, ticks: 2 },
    candidate(2, { isCutOff: true }),
    { kind: 'leader', armed: 'kill', frozen: [3] },
    { kind: 'over', atMs: Date.now(), words: 'The run is over' },
  )
  expect(history).toMatchObject({
    counts: { ticks: 2 },
    leader: { armed: 'kill', frozen: [3] },
    over: { words: 'The run is over' },
  })
  expect(history.candidates.get(2)).toMatchObject({ isCutOff: true })
  expect(history.candidates.size).toBe(3)
  expect(history.tenures).toEqual([])
})

test('each change is told from the one before, and news is the newest thing worth telling', () => {
  const history = historyOf(...SETUP)
  const { revision } = history
  fold(history, [broken('frozen', 10, { candidate: 2 })])
  expect(history.revision).toBeGreaterThan(revision)
  expect(history.news).toBe('Candidate 2: frozen')
  fold(history, [broken('all is lost', 20, { candidate: undefined })])
  expect(history.news).toBe('all is lost')
})

test('what is folded at once and one by one is the same', () => {
  const entries = [...SETUP, began(1, 0), effect(1, 10), began(2, 20_000, { replaced: 1 }), failed(1, 21_000)]
  const one = newHistory()
  for (const entry of entries) fold(one, [entry])
  expect({ ...one, revision: 0 }).toEqual({ ...historyOf(...entries), revision: 0 })
})

describe('forgetting', () => {
  const long = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const number = index + 1
      const afterMs = index * 1_000
      return [began(number, afterMs), effect(number, afterMs + 100), ended(number, afterMs + 500)]
    }).flat()

  test('keeps the last tenures and what happened since, however long it goes on', () => {
    const history = newHistory()
    fold(history, long(1_000), 50)
    expect(history.tenures.length).toBeGreaterThanOrEqual(50)
    expect(history.tenures.length).toBeLessThanOrEqual(55)
    expect(history.tenures.at(-1)).toMatchObject({ number: 1_000, accepted: 1, end: 'completed' })
    expect([...history.byNumber.keys()]).toEqual(history.tenures.map(({ number }) => number))
    const from = history.tenures[0]?.fromMs ?? 0
    expect(history.fromMs).toBe(from)
    expect(history.notes.every(({ atMs }) => atMs >= from)).toBe(true)
    expect(history.notes).toHaveLength(history.tenures.length)
    expect(history.hasForgotten).toBe(true)
  })

  test('bounds the notes also where no tenure ever begins', () => {
    const history = newHistory()
    for (let index = 0; index < 5_000; index += 1) fold(history, [broken('cut off', index)], 50)
    expect(history.notes.length).toBeLessThanOrEqual(2_200)
    expect(history.notes.length).toBeGreaterThanOrEqual(2_000)
    expect(history.notes.at(-1)?.atMs).toBe(T0 + 4_999)
  })

  test('forgets nothing of a short history', () => {
    const history = newHistory()
    fold(history, long(50), 50)
    expect(history.tenures).toHaveLength(50)
    expect(history).toMatchObject({ hasForgotten: false, fromMs: T0 })
  })
})
