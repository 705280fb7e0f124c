import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import type { History } from '../../../infra/local/page/client/history.ts'
import { currentsOf, outcomeWords, pictureOf, shortToken, tickTime } from '../../../infra/local/page/client/picture.ts'
import { began, broken, candidate, done, effect, ended, failed, historyOf, SETUP, T0, TICK } from './election.ts'

const HOUR_MS = 3_600_000

/** The picture of a window around the beginning, at that time after it. */
function drawn(history: History, afterMs: number, window: { fromMs?: number; toMs?: number } = {}) {
  const nowMs = T0 + afterMs
  const timeline = pictureOf(history, { fromMs: T0 - 1_000, toMs: T0 + HOUR_MS, nowMs, width: 800, ...window })
  const lane = (name: string) => {
    const found = timeline.lanes.find((one) => one.name === name || one.name.startsWith(`${name},`))
    const { bars = [], marks = [] } = found ?? {}
    return { name: found?.name, bars, marks: marks.map(({ atMs, kind, title }) => [atMs - T0, kind, title] as const) }
  }
  return { lane, names: timeline.lanes.map(({ name }) => name) }
}

describe('the lanes', () => {
  test('are one for each candidate, one for the lease, one for effects', () => {
    expect(drawn(historyOf(...SETUP), 0).names).toEqual([
      ...['candidate 1', 'candidate 2', 'candidate 3', 'lease', 'effects'],
    ])
  })

  test('keep a candidate that was removed, with what was done to it', () => {
    const history = historyOf(
      ...SETUP,
      candidate(4),
      broken('removed', 500, { candidate: 4 }),
      candidate(4, { isThere: false }),
    )
    const { names, lane } = drawn(history, 1_000)
    expect(names).toContain('candidate 4')
    expect(lane('candidate 4').marks).toEqual([[500, 'broken', 'Candidate 4: removed\n12:00:00.500 UTC']])
  })

  test('count down to where the lease runs out, and say when it has', () => {
    const history = historyOf(...SETUP, began(1, 0))
    expect(drawn(history, 2_900).lane('lease').name).toBe('lease, 12.1 s')
    expect(drawn(history, 15_000).lane('lease').name).toBe('lease, run out')
    expect(drawn(historyOf(...SETUP, began(1, 0), ended(1, 100)), 200).lane('lease').name).toBe('lease')
    expect(drawn(historyOf(began(1, 0), { kind: 'over', atMs: Date.now(), words: 'x' }), 200).lane('lease').name).toBe(
      'lease',
    )
  })
})

describe('a bar', () => {
  const barsOf = (history: History, afterMs: number) => {
    const { lane } = drawn(history, afterMs)
    const shown = ({ bars }: ReturnType<typeof lane>) =>
      bars.map(({ id, fromMs, toMs, outcome }) => [id, fromMs - T0, toMs === undefined ? 'now' : toMs - T0, outcome])
    return { candidate: shown(lane('candidate 1')), lease: shown(lane('lease')) }
  }

  test('lasts for as long as its tenure does', () => {
    const open = { candidate: [['1', 10, 'now', 'leading']], lease: [['1', 10, 'now', 'leading']] }
    expect(barsOf(historyOf(...SETUP, began(1, 10)), 500)).toEqual(open)
    const over = { candidate: [['1', 10, 400, 'completed']], lease: [['1', 10, 400, 'completed']] }
    expect(barsOf(historyOf(...SETUP, began(1, 10), ended(1, 400), done(1, 450)), 500)).toEqual(over)
  })

  test('of a leader that died ends there, while the lease runs on until another takes over', () => {
    const died = [...SETUP, began(1, 0), failed(1, 300)]
    expect(barsOf(historyOf(...died), 5_000)).toEqual({
      candidate: [['1', 0, 300, 'failed']],
      lease: [['1', 0, 'now', 'failed']],
    })
    expect(barsOf(historyOf(...died, began(2, 16_000, { replaced: 1 })), 17_000)).toEqual({
      candidate: [['1', 0, 300, 'failed']],
      lease: [
        ['1', 0, 16_000, 'takenOver'],
        ['2', 16_000, 'now', 'leading'],
      ],
    })
  })

  test('of a leader that slept is taken over, though it fails when it wakes', () => {
    const history = historyOf(...SETUP, began(1, 0), began(2, 16_000, { replaced: 1 }), failed(1, 20_000))
    expect(barsOf(history, 21_000).candidate).toEqual([['1', 0, 16_000, 'takenOver']])
  })

  test('says its token and tick, and on hovering all there is to say', () => {
    const history = historyOf(
      ...[...SETUP, began(1, 0), effect(1, 10, { times: 4 }), failed(1, 1_200)],
      ...[began(2, 16_000, { replaced: 1 }), effect(1, 17_000, { verdict: 'refused' })],
    )
    const [bar] = drawn(history, 20_000).lane('candidate 1').bars
    expect(bar?.label).toBe('…101 · 06:00')
    expect(bar?.title.split('\n')).toEqual([
      'failed, then taken over: candidate 1, token 101',
      `tick ${TICK}`,
      'from 12:00:00.000 UTC, for 1 s',
      '4 effects accepted, 1 refused',
      'Runtime.ExitError: signal: killed',
      'taken over by token 102',
    ])
  })

  test('without a tick says none', () => {
    const [bar] = drawn(historyOf(...SETUP, began(1, 0, { tick: undefined })), 10).lane('lease').bars
    expect(bar?.label).toBe('…101')
    expect(bar?.title).not.toContain('tick')
  })
})

describe('the window', () => {
  test('takes what reaches into it, and nothing else', () => {
    const history = historyOf(
      ...SETUP,
      ...[began(1, 0), effect(1, 10), ended(1, 400), done(1, 400)],
      ...[began(2, 60_000), effect(2, 60_010), ended(2, 90_000), done(2, 90_000)],
      ...[began(3, 200_000), effect(3, 200_010)],
    )
    const ids = (fromMs: number, toMs: number) => {
      const { lane } = drawn(history, 300_000, { fromMs: T0 + fromMs, toMs: T0 + toMs })
      return [lane('lease').bars.map(({ id }) => id), lane('effects').marks.map(([atMs]) => atMs)]
    }
    expect(ids(0, 1_000)).toEqual([['1'], [10]])
    expect(ids(70_000, 80_000)).toEqual([['2'], []])
    expect(ids(100_000, 150_000)).toEqual([[], []])
    expect(ids(250_000, 260_000)).toEqual([['3'], []])
    expect(ids(0, 300_000)).toEqual([
      ['1', '2', '3'],
      [10, 60_010, 200_010],
    ])
  })
})

describe('marks', () => {
  test('stand where they belong: ticks and expiries at the lease, effects in their own lane, the rest at candidates', () => {
    const { lane } = drawn(
      historyOf(
        ...SETUP,
        { kind: 'ticked', atMs: T0, number: 7, tick: TICK },
        ...[began(1, 0), effect(1, 10, { times: 3 }), effect(1, 20, { verdict: 'refused' })],
        ...[done(2, 30, { status: 'standby', reason: 'held' }), failed(3, 40), broken('frozen', 50)],
      ),
      100,
    )
    expect(lane('lease').marks).toEqual([
      [0, 'tick', `tick 7: ${TICK}\n12:00:00.000 UTC`],
      [15_000, 'expiry', 'the lease of token 101 runs out'],
    ])
    expect(lane('effects').marks).toEqual([
      [10, 'accepted', '3 × charge\naccepted, from candidate 1 with token 101\n12:00:00.010 UTC'],
      [20, 'refused', 'charge\nrefused, from candidate 1 with token 101\n12:00:00.020 UTC'],
    ])
    const kinds = [1, 2, 3].map((number) => lane(`candidate ${number}`).marks.map(([, kind]) => kind))
    expect(kinds).toEqual([['broken'], ['standby'], ['failure']])
  })

  test('show where a lease ran out before anybody took over, and not where it was given up before', () => {
    const taken = historyOf(...SETUP, began(1, 0), began(2, 18_000, { replaced: 1 }), ended(2, 19_000))
    expect(drawn(taken, 20_000).lane('lease').marks).toEqual([[15_000, 'expiry', 'the lease of token 101 ran out']])
  })
})

test('the last tenure is the current one until the row says that it has ended', () => {
  expect(currentsOf(historyOf(...SETUP))).toEqual([])
  expect(currentsOf(historyOf(began(1, 0), failed(1, 10))).map(({ number }) => number)).toEqual([1])
  expect(currentsOf(historyOf(began(1, 0), ended(1, 10)))).toEqual([])
})

test('outcomes are told in words', () => {
  const words = (...entries: readonly Entry[]) =>
    historyOf(began(1, 0), ...entries)
      .tenures.slice(0, 1)
      .map(outcomeWords)
  expect(words()).toEqual(['leading'])
  expect(words(ended(1, 10))).toEqual(['completed'])
  expect(words(ended(1, 10, 'released'))).toEqual(['released'])
  expect(words(ended(1, 10, 'failed'), failed(1, 20))).toEqual(['failed'])
  expect(words(failed(1, 20))).toEqual(['failed, the lease not given up'])
  expect(words(began(2, 10, { replaced: 1 }))).toEqual(['taken over'])
  expect(words(failed(1, 10), began(2, 20, { replaced: 1 }))).toEqual(['failed, then taken over'])
})

test('tokens and ticks are short where there is little room', () => {
  expect(shortToken(1_795_240_800_001)).toBe('…001')
  expect(tickTime(TICK)).toBe('06:00')
  expect(tickTime('no tick')).toBe('no tick')
})
