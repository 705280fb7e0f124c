import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import type { Step } from '../../../infra/local/observe/tenure-logs.ts'
import {
  describeLeader,
  renderCandidates,
  renderCounters,
  renderFailure,
  renderLeaderFaults,
  renderLog,
  renderLogTitle,
  renderSubject,
  renderTenures,
  renderVerdict,
} from '../../../infra/local/page/client/view.ts'
import {
  began,
  candidate,
  done,
  effect,
  ended,
  failed,
  historyOf,
  invoked,
  KILLED,
  OVER,
  SETUP,
  SETUP_ENTRY,
  T0,
  TICK,
  textOf,
} from './election.ts'

/** Each button: its label, followed by `(off)` if it is disabled, and its fault. */
const buttonsOf = (markup: object) =>
  [...String(markup).matchAll(/<button([^>]*)>(.*?)<\/button>/gs)].map(([, attributes = '', label = '']) => ({
    label: textOf(label) + (attributes.endsWith(' disabled') ? ' (off)' : ''),
    fault: JSON.parse((/data-fault="([^"]*)"/.exec(attributes)?.[1] ?? 'null').replaceAll('&quot;', '"')),
  }))
const labelsOf = (markup: object) => buttonsOf(markup).map(({ label }) => label)

test('the first line says what one sees, and which times are simulated', () => {
  expect(textOf(renderSubject(historyOf()))).toBe('Waiting for the run to begin …')
  const line = 'You see candidates compete for the lease nightly : at each tick one leads, and performs billing .'
  const times =
    'Lease and time line are in real time: the lease lasts 15 s unless it is renewed. ' +
    'Ticks are simulated, 1 h apart: their times are not those of the time line.'
  expect(textOf(renderSubject(historyOf(...SETUP)))).toBe(`${line} ${times}`)
  const history = historyOf({ ...SETUP_ENTRY, switchedOff: ['fence', 'key'] })
  expect(textOf(renderSubject(history))).toBe(`${line} Switched off: the fence, the key. ${times}`)
})

describe('the verdict', () => {
  const counts = { ticks: 3, completed: 3, completedTwice: 0, overdue: 0, staleRefused: 0, staleAccepted: 0 }
  test.each<[object, string, string]>([
    [{}, 'right', 'So far all is well: 3 of 3 ticks completed, each by one leader.'],
    [{ staleAccepted: 1 }, 'wrong', 'So far: a write of a replaced leader was accepted without a fence.'],
    [{ completedTwice: 1 }, 'wrong', 'So far: a tick was completed more than once.'],
  ])('during the run is what is known so far: %j', (changes, kind, text) => {
    const verdict = renderVerdict(historyOf({ kind: 'counts', ...counts, ...changes }))
    expect(textOf(verdict)).toContain(text)
    expect(String(verdict)).toContain(`class="${kind}"`)
  })

  test('at the end is that of the terminal', () => {
    const over: Entry = { ...OVER, verdict: [{ kind: 'open', text: '? The leader was not killed.' }] }
    expect(textOf(renderVerdict(historyOf({ kind: 'counts', ...counts }, over)))).toBe('? The leader was not killed.')
    expect(textOf(renderVerdict(historyOf()))).toBe('')
  })
})

describe('the counters', () => {
  const counters = (changes: object = {}) => {
    const counts = {
      ticks: 9,
      completed: 8,
      completedTwice: 0,
      overdue: 0,
      staleRefused: 3,
      staleAccepted: 0,
      ...changes,
    }
    return renderCounters(historyOf({ kind: 'counts', ...counts }))
  }

  test('are shown from the beginning', () => {
    const empty = 'Ticks 0 Completed 0 Completed twice 0 must be 0 Overdue 0 not completed Stale writes refused 0'
    expect(textOf(renderCounters(historyOf()))).toBe(
      `${empty} by the fence Stale writes accepted 0 no fence; must be 0`,
    )
    expect(textOf(counters({ money: '2 charges (EUR 19.98)' }))).toContain('Money 2 charges (EUR 19.98)')
    expect(textOf(counters())).toMatch(/^Ticks 9 Completed 8 .* Stale writes refused 3 by the fence /)
  })

  test('stand out if a tick was completed twice or is overdue, or a stale write was accepted', () => {
    expect(String(counters())).not.toMatch(/counter (wrong|late)/)
    expect(String(counters({ completedTwice: 1 }))).toContain('counter wrong')
    expect(textOf(counters({ completedTwice: 1 }))).toContain('Completed twice 1 must be 0: this is wrong')
    expect(String(counters({ overdue: 2 }))).toContain('counter late')
    expect(String(counters({ staleAccepted: 2 }))).toContain('counter wrong')
  })
})

describe('the leader line', () => {
  const FREE = 'No candidate leads; the lease is free.'
  const ticked = (number: number, tick: string): Entry => ({ kind: 'ticked', atMs: T0, number, tick })
  const died = done(1, 100, { invocation: 'r/0', status: 'failed', error: KILLED, retryAtMs: T0 + 6_100 })
  const waiting = [ticked(1, TICK), invoked(1, 0, 'r/0'), died]
  test.each<[number, readonly Entry[], string]>([
    [0, [], FREE],
    [2_500, [began(1, 0)], 'Candidate 1 leads, token 101; the lease expires in 12.5 s.'],
    [15_000, [began(1, 0)], 'Candidate 1 leads, token 101; the lease has expired.'],
    [1_000, [began(1, 0), ended(1, 500)], FREE],
    [1_000, [OVER], 'The run is over.'],
    [
      5_000,
      [began(1, 0), failed(1, 100)],
      'Candidate 1 ended without releasing the lease, token 101; the lease expires in 10.0 s.',
    ],
    [0, [{ kind: 'leader', frozen: [2, 3] }], `${FREE} Frozen: candidate 2, 3.`],
    [2_000, waiting, `${FREE} Lambda retries candidate 1 in 4.1 s; the next tick waits for it.`],
    [6_200, [...waiting, invoked(1, 6_100, 'r/1')], FREE],
    [7_000, waiting, FREE],
    [2_000, [...waiting, ticked(2, '2026-01-01T07:00:00.000Z')], FREE],
    [1_000, [began(1, 0), began(2, 10)], 'Candidates 1, 2 lead at once, each with a lease of its own.'],
  ])('after %d ms: %#', (afterMs, entries, line) => {
    expect(describeLeader(historyOf(...SETUP, ...entries), T0 + afterMs)).toBe(line)
  })
})

const leader = (armed: 'killLeader' | 'freezeLeader' | undefined, ...frozen: readonly number[]): Entry => ({
  ...{ kind: 'leader', armed, frozen },
})

test.each<[readonly Entry[], readonly string[]]>([
  [[], ['Kill the leader', 'Freeze the leader', 'Thaw (off)']],
  [[leader('killLeader')], ['The next leader will be killed (off)', 'Freeze the leader', 'Thaw (off)']],
  [[leader('freezeLeader')], ['Kill the leader', 'The next leader will be frozen (off)', 'Thaw']],
  [[leader(undefined, 1, 2)], ['Kill the leader', 'Freeze the leader', 'Thaw candidate 1, 2']],
  [[OVER], ['Kill the leader (off)', 'Freeze the leader (off)', 'Thaw (off)']],
])('the faults of the leader are its kill, its freeze and its thaw: %#', (entries, labels) => {
  const buttons = renderLeaderFaults(historyOf(...SETUP, ...entries))
  expect(labelsOf(buttons)).toEqual(labels)
  expect(buttonsOf(buttons).map(({ fault }) => fault.do)).toEqual(['killLeader', 'freezeLeader', 'thawLeader'])
})

describe('the candidates', () => {
  const rendered = (...entries: readonly Entry[]) => renderCandidates(historyOf(...SETUP, ...entries))
  const without = (...numbers: readonly number[]) => numbers.map((number) => candidate(number, { isPresent: false }))

  test('that are present have their faults', () => {
    expect(buttonsOf(rendered(...without(2)))).toMatchObject([
      ...[1, 3].flatMap((number) => [
        { fault: { do: 'dropReply', candidate: number }, label: `Drop the next reply , candidate ${number}` },
        { fault: { do: 'cutOff', candidate: number }, label: `Drop all requests , candidate ${number}` },
        { fault: { do: 'removeCandidate', candidate: number }, label: `Remove , candidate ${number}` },
      ]),
      { fault: { do: 'addCandidate' }, label: 'Add a candidate' },
    ])
  })

  test('are limited in number, and the last one stays', () => {
    expect(labelsOf(rendered()).at(-1)).toBe('Add a candidate (off)')
    expect(labelsOf(rendered(...without(3, 2))).slice(-2)).toEqual(['Remove , candidate 1 (off)', 'Add a candidate'])
  })

  test('show their state, and the way back', () => {
    const [, , , drop, connection] = buttonsOf(rendered(candidate(2, { isCutOff: true, dropsNextReply: true })))
    expect(drop?.label).toBe('The next reply will be dropped , candidate 2 (off)')
    expect(connection).toEqual({ fault: { do: 'reconnect', candidate: 2 }, label: 'Reconnect , candidate 2' })
  })

  test('have a choice of clocks, with the current one selected', () => {
    const clocks = String(rendered(candidate(1, { skewMs: 1_500 }), candidate(3, { skewMs: -1_234 })))
    const selected = [...clocks.matchAll(/<option value="([^"]*)" selected>([^<]*)</g)].map(([, ms, text]) => [
      ms,
      text,
    ])
    expect(selected.map(String)).toEqual(['1500,1.5 s ahead', '0,right', '-1234,1.234 s behind'])
  })

  test('are disabled when the run is over', () => {
    expect(labelsOf(rendered(OVER)).every((label) => label.endsWith(' (off)'))).toBe(true)
    expect(String(rendered(OVER)).match(/<select[^>]* disabled>/g)).toHaveLength(3)
  })
})

describe('the table of tenures', () => {
  const cellsOf = (row = '') => [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => textOf(cell))
  const rowsOf = (...entries: readonly Entry[]) =>
    [...String(renderTenures(historyOf(...entries))).matchAll(/<tr id="([^"]*)">(.*?)<\/tr>/gs)].map(([, id, row]) => [
      id,
      ...cellsOf(row),
    ])

  test('has the newest tenure first, and failed attempts without a tenure', () => {
    const rows = rowsOf(
      ...[began(1, 0), effect(1, 10, { times: 5 }), invoked(3, 20, 'i3', '2026-01-01T07:00:00.000Z')],
      ...[failed(3, 500), failed(1, 2_000)],
      ...[began(2, 16_000, { replaced: 1 }), effect(1, 17_000, { verdict: 'refused', times: 2 })],
    )
    expect(rows).toEqual([
      ['row-2', '102', '2', '06:00', 'leading', '12:00:16', '', '0'],
      ['failed-i3', 'none', '3', '07:00', 'failed: Runtime.ExitError', '12:00:00', '', ''],
      ['row-1', '101', '1', '06:00', 'failed, then taken over', '12:00:00', '2 s', '5, 2 refused'],
    ])
  })

  test('is bounded, and says if there is none', () => {
    expect(textOf(renderTenures(historyOf()))).toBe('No candidate has led yet.')
    const many = Array.from({ length: 50 }, (_, index) => [began(index, index * 1_000), done(index, index * 1_000 + 1)])
    const rows = rowsOf(...many.flat())
    expect(rows).toHaveLength(20)
    expect(rows[0]?.[0]).toBe('row-49')
  })
})

describe('the log of a tenure', () => {
  const step = { atMs: T0 + 7, description: 'Renews the lease' }
  const logOf = (steps: readonly Step[], dropped = 0, gapAt = 200) => renderLog(undefined, { steps, dropped, gapAt })

  test.each<[readonly Entry[], string]>([
    [[], 'Outcome: leading. Effects accepted: 0.'],
    [[effect(1, 10, { times: 3 }), ended(1, 2_000)], 'Outcome: completed. Duration: 2 s. Effects accepted: 3.'],
    [
      [failed(1, 1_000), began(2, 16_000, { replaced: 1 }), effect(1, 17_000, { verdict: 'refused', times: 2 })],
      'Outcome: failed, then taken over. Duration: 1 s. Effects accepted: 0. ' +
        'Writes refused because another candidate had taken over: 2.',
    ],
  ])('has a title, and the outcome, the duration and the effects: %#', (entries, text) => {
    const tenure = historyOf(began(1, 0), ...entries).byNumber.get(1)
    expect(textOf(tenure && renderLogTitle(tenure))).toBe(`Candidate 1, token 101, tick ${TICK}`)
    expect(textOf(renderLog(tenure, { steps: [], dropped: 0, gapAt: 200 }))).toBe(text)
  })

  test.each<[Step, string]>([
    [step, '12:00:00.007 Renews the lease'],
    [{ ...step, request: {} }, '12:00:00.007 Renews the lease → no answer yet Request {}'],
    [
      { ...step, request: { a: 1 }, result: 'done', tookMs: 3.6, answer: {} },
      '12:00:00.007 Renews the lease → done 4 ms Request { &quot;a&quot;: 1 } Answer {}',
    ],
  ])('has the time, the request, the result and the duration of a step: %#', (shown, text) => {
    expect(textOf(logOf([shown]))).toBe(text)
  })

  test('marks a fault, shows its stack and log, and hides a request', () => {
    const markup = String(logOf([{ ...step, isFault: true, request: {}, trace: ['at a', 'at b'] }]))
    expect(markup).toContain('<li class="fault">')
    expect(markup).toMatch(/<details open><summary>Stack and log<\/summary><pre tabindex="0">at a\nat b<\/pre>/)
    expect(markup).toMatch(/<details><summary>Request<\/summary>/)
    expect(String(logOf([{ ...step, trace: [] }]))).not.toMatch(/Stack|fault/)
  })

  test('shows a gap where steps were dropped', () => {
    const steps = [1, 2, 3].map((number) => ({ atMs: T0, description: `step ${number}` }))
    expect(textOf(logOf(steps, 9, 2))).toMatch(/step 1.*step 2 9 steps are not kept\. .*step 3$/)
    expect(textOf(logOf(steps, 0, 2))).not.toContain('not kept')
  })

  test('of foreign text is escaped', () => {
    const evil = '<img src=x onerror=alert(1)>'
    const error = { name: evil, message: evil, trace: [evil] }
    const failure = renderFailure({ atMs: T0, candidate: 1, invocation: evil, tick: evil, error })
    const log = logOf([{ atMs: T0, description: evil, result: evil, request: { evil }, answer: [evil], trace: [evil] }])
    for (const markup of [log, failure.title, failure.body]) expect(String(markup)).not.toContain('<img')
    expect(textOf(log)).toContain('&lt;img src=x onerror=alert(1)&gt;')
  })
})

test.each([
  [TICK, `Tick ${TICK}. `],
  [undefined, ''],
])('a failed attempt of the tick %s shows its error', (tick, prefix) => {
  const { title, body } = renderFailure({ atMs: T0, candidate: 2, invocation: 'i2', tick, error: KILLED })
  expect(textOf(title)).toBe('Candidate 2 failed without leading')
  expect(textOf(body)).toBe(`${prefix}Runtime.ExitError : signal: killed Stack and log at work (index.mjs:1:1)`)
})
