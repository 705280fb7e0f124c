import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import {
  leaderWords,
  renderCandidates,
  renderCounters,
  renderLeaderActs,
  renderSubject,
  renderTenures,
} from '../../../infra/local/page/client/view.ts'
import { began, candidate, done, effect, ended, failed, historyOf, KILLED, SETUP, T0, TICK } from './election.ts'

const OVER = { kind: 'over', atMs: Date.now(), words: 'The run is over' } as const

const textOf = (markup: object) =>
  String(markup)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

/** Each button: its id, its words, whether it can be pressed, and what it does. */
const buttonsOf = (markup: object) =>
  [...String(markup).matchAll(/<button([^>]*)>(.*?)<\/button>/gs)].map(([, attributes = '', words = '']) => ({
    id: /id="([^"]*)"/.exec(attributes)?.[1],
    words: textOf({ toString: () => words }),
    isOff: attributes.endsWith(' disabled'),
    act: JSON.parse((/data-act="([^"]*)"/.exec(attributes)?.[1] ?? 'null').replaceAll('&quot;', '"')),
  }))

test('what is watched is said in a line', () => {
  expect(textOf(renderSubject(historyOf()))).toBe('Waiting for the run to begin …')
  expect(textOf(renderSubject(historyOf(...SETUP)))).toBe(
    'billing on the lease nightly , which lasts 15 s unless it is renewed; ticks are 1 h apart.',
  )
})

describe('the counters', () => {
  const counters = (changed: object) => {
    const counts = { ticks: 9, completed: 8, completedTwice: 0, overdue: 0, staleRefused: 3, ...changed }
    return renderCounters(historyOf({ kind: 'counts', ...counts }))
  }

  test('are always there', () => {
    expect(textOf(renderCounters(historyOf()))).toBe(
      'Ticks 0 Completed 0 Completed twice 0 must be 0 Overdue 0 over, and done by nobody Stale effects refused 0 of replaced leaders',
    )
    expect(textOf(counters({}))).toContain('Ticks 9 Completed 8')
    expect(textOf(counters({}))).toContain('Stale effects refused 3')
  })

  test('cry out where a tick was completed twice, and tell what is overdue', () => {
    expect(String(counters({}))).not.toMatch(/counter (wrong|late)/)
    expect(String(counters({ completedTwice: 1 }))).toContain('counter wrong')
    expect(textOf(counters({ completedTwice: 1 }))).toContain('Completed twice 1 must be 0: this is wrong')
    expect(String(counters({ overdue: 2 }))).toContain('counter late')
  })
})

describe('who leads', () => {
  const words = (afterMs: number, ...entries: readonly Entry[]) =>
    leaderWords(historyOf(...SETUP, ...entries), T0 + afterMs)

  test('is said with what is left of the lease', () => {
    expect(words(0)).toBe('Nobody leads; the lease is free.')
    expect(words(2_500, began(1, 0))).toBe('Candidate 1 leads, token 101; the lease runs out in 12.5 s.')
    expect(words(15_000, began(1, 0))).toBe('Candidate 1 leads, token 101; the lease has run out.')
    expect(words(1_000, began(1, 0), ended(1, 500))).toBe('Nobody leads; the lease is free.')
    expect(words(1_000, OVER)).toBe('The run is over.')
  })

  test('is said of one that died, and who is frozen', () => {
    expect(words(5_000, began(1, 0), failed(1, 100))).toBe(
      'Candidate 1 is gone, without giving it up, token 101; the lease runs out in 10.0 s.',
    )
    expect(words(0, { kind: 'leader', frozen: [2, 3] })).toBe(
      'Nobody leads; the lease is free. Frozen: a try of candidate 2, 3.',
    )
  })

  test('is said with what everything waits for, until it is tried again', () => {
    const tick = (number: number, iso: string) => ({ kind: 'ticked', atMs: T0, number, tick: iso }) as const
    const woken = (retry: number, afterMs: number) =>
      ({ kind: 'woken', atMs: T0 + afterMs, candidate: 1, invocation: `r/${retry}`, tick: TICK, retry }) as const
    const died = done(1, 100, { invocation: 'r/0', status: 'failed', error: KILLED, retryAtMs: T0 + 6_100 })
    const waiting = [tick(1, TICK), woken(0, 0), died]
    expect(words(2_000, ...waiting)).toBe(
      'Nobody leads; the lease is free. Lambda tries candidate 1 again in 4.1 s; the next tick comes when this one has settled.',
    )
    const free = 'Nobody leads; the lease is free.'
    expect(words(6_200, ...waiting, woken(1, 6_100))).toBe(free)
    expect(words(7_000, ...waiting)).toBe(free)
    expect(words(2_000, ...waiting, tick(2, '2026-01-01T07:00:00.000Z'))).toBe(free)
  })

  test('is said of all where each has a lease of its own', () => {
    expect(words(1_000, began(1, 0), began(2, 10))).toBe('Candidates 1, 2 lead at once, each with a lease of its own.')
  })
})

describe('the acts on the leader', () => {
  const acts = (...entries: readonly Entry[]) => buttonsOf(renderLeaderActs(historyOf(...SETUP, ...entries)))
  const off = (...entries: readonly Entry[]) => acts(...entries).map(({ isOff }) => isOff)

  test('are to kill, to freeze and to thaw it', () => {
    expect(acts().map(({ act, words }) => [act, words])).toEqual([
      [{ do: 'killLeader' }, 'Kill the leader'],
      [{ do: 'freezeLeader' }, 'Freeze the leader'],
      [{ do: 'thawLeader' }, 'Thaw'],
    ])
  })

  test('can be pressed where they can be done', () => {
    expect(off()).toEqual([false, false, true])
    expect(off({ kind: 'leader', armed: 'kill', frozen: [] })).toEqual([true, false, true])
    expect(off({ kind: 'leader', armed: 'freeze', frozen: [] })).toEqual([false, true, false])
    expect(off({ kind: 'leader', frozen: [2] })).toEqual([false, false, false])
    expect(off(OVER)).toEqual([true, true, true])
  })

  test('say what waits for the next leader, and who can be thawed', () => {
    const words = acts({ kind: 'leader', armed: 'kill', frozen: [1, 2] }).map((one) => one.words)
    expect(words).toEqual(['The next leader will be killed', 'Freeze the leader', 'Thaw candidate 1, 2'])
    expect(acts({ kind: 'leader', armed: 'freeze', frozen: [] })[1]?.words).toBe('The next leader will be frozen')
  })
})

describe('the candidates', () => {
  const rendered = (...entries: readonly Entry[]) => renderCandidates(historyOf(...SETUP, ...entries))
  const button = (id: string, ...entries: readonly Entry[]) =>
    buttonsOf(rendered(...entries)).find((one) => one.id === id)

  test('are those that are there, each with what can be done to it', () => {
    const markup = rendered(candidate(2, { isThere: false }))
    expect([...String(markup).matchAll(/<li id="([^"]*)"/g)].map(([, id]) => id)).toEqual([
      'candidate-1',
      'candidate-3',
    ])
    expect(buttonsOf(markup).map(({ act, words }) => [act, words])).toEqual([
      [{ do: 'dropReply', candidate: 1 }, 'Drop the next reply for candidate 1'],
      [{ do: 'cutOff', candidate: 1 }, 'Cut off for candidate 1'],
      [{ do: 'removeCandidate', candidate: 1 }, 'Remove for candidate 1'],
      [{ do: 'dropReply', candidate: 3 }, 'Drop the next reply for candidate 3'],
      [{ do: 'cutOff', candidate: 3 }, 'Cut off for candidate 3'],
      [{ do: 'removeCandidate', candidate: 3 }, 'Remove for candidate 3'],
      [{ do: 'addCandidate' }, 'Add a candidate'],
    ])
  })

  test('can be as many as a tick can have, and one has to stay', () => {
    expect(button('act-add')?.isOff).toBe(true)
    expect(button('act-add', candidate(3, { isThere: false }))?.isOff).toBe(false)
    expect(button('act-remove-1', candidate(3, { isThere: false }))?.isOff).toBe(false)
    const alone = [candidate(3, { isThere: false }), candidate(2, { isThere: false })]
    expect(button('act-remove-1', ...alone)?.isOff).toBe(true)
  })

  test('say how each is now, and offer the way back', () => {
    const cut = candidate(2, { isCutOff: true, dropsReply: true })
    expect(button('act-cut-2', cut)).toMatchObject({
      ...{ act: { do: 'reconnect', candidate: 2 }, words: 'Connect again for candidate 2', isOff: false },
    })
    expect(button('act-drop-2', cut)).toMatchObject({
      words: 'The next reply will be lost for candidate 2',
      isOff: true,
    })
  })

  test('have a choice of clocks, with that which it has', () => {
    const chosen = (...entries: readonly Entry[]) =>
      [...String(rendered(...entries)).matchAll(/<option value="([^"]*)" selected>([^<]*)</g)].map(([, ms, is]) => [
        ms,
        is,
      ])
    expect(chosen()).toEqual([
      ['0', 'right'],
      ['0', 'right'],
      ['0', 'right'],
    ])
    expect(chosen(candidate(1, { skewMs: 1_500 }), candidate(3, { skewMs: -1_234 }))).toEqual([
      ['1500', '1.5 s ahead'],
      ['0', 'right'],
      ['-1234', '1.234 s behind'],
    ])
  })

  test('cannot be changed any more when the run is over', () => {
    expect(buttonsOf(rendered(OVER)).every(({ isOff }) => isOff)).toBe(true)
    expect(String(rendered(OVER)).match(/<select[^>]* disabled>/g)).toHaveLength(3)
  })
})

describe('the table of tenures', () => {
  const rowsOf = (...entries: readonly Entry[]) =>
    [...String(renderTenures(historyOf(...entries))).matchAll(/<tr id="([^"]*)">(.*?)<\/tr>/gs)].map(
      ([, id, cells = '']) => [
        id,
        ...[...cells.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) => textOf({ toString: () => cell })),
      ],
    )

  test('has the newest first, each with its outcome', () => {
    const rows = rowsOf(
      ...[began(1, 0), effect(1, 10, { times: 5 }), failed(1, 2_000)],
      ...[began(2, 16_000, { replaced: 1 }), effect(1, 17_000, { verdict: 'refused', times: 2 })],
    )
    expect(rows).toEqual([
      ['row-2', '102', '2', '06:00', 'leading', '12:00:16', '', '0'],
      ['row-1', '101', '1', '06:00', 'failed, then taken over', '12:00:00', '2 s', '5, 2 refused'],
    ])
  })

  test('has the tries that failed without leading too', () => {
    const woken: Entry = {
      kind: 'woken',
      atMs: T0,
      candidate: 3,
      invocation: 'i3',
      tick: '2026-01-01T07:00:00.000Z',
      retry: 0,
    }
    const rows = rowsOf(began(1, 0), woken, failed(3, 500), began(2, 1_000))
    expect(rows.map(([id]) => id)).toEqual(['row-2', 'try-i3', 'row-1'])
    expect(rows[1]).toEqual(['try-i3', 'none', '3', '07:00', 'failed: Runtime.ExitError', '12:00:00', '', ''])
  })

  test('is bounded, and says so where there is none', () => {
    expect(textOf(renderTenures(historyOf()))).toBe('No candidate has led yet.')
    const many = Array.from({ length: 50 }, (_, index) => [
      began(index + 1, index * 1_000),
      done(index + 1, index * 1_000 + 1),
    ])
    const rows = rowsOf(...many.flat())
    expect(rows).toHaveLength(20)
    expect(rows[0]?.[0]).toBe('row-50')
  })
})
