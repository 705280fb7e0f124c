// @ts-nocheck
import { expect, test } from 'vitest'
import type { Counts, Entry, StandingCounts } from '../../../infra/local/observe/entries.ts'
import type { Step } from '../../../infra/local/observe/tenure-logs.ts'
import {
  describeLeader,
  renderCandidates,
  renderCounters,
  renderLeaderFaults,
  renderLog,
  renderLogTitle,
  renderSubject,
  renderTenures,
  renderVerdict,
} from '../../../infra/local/page/client/view.ts'
import {
  candidate,
  counts,
  died,
  failure,
  historyOf,
  OVER,
  SETUP,
  SETUP_ENTRY,
  T0,
  TICK,
  takenOver,
  tenure,
  textOf,
} from './election.ts'

/** The labels of the buttons and clocks, each followed by `(off)` if it is disabled, and the faults of the buttons. */
function controlsOf(markup: object) {
  const buttons = [...String(markup).matchAll(/<button([^>]*)>(.*?)<\/button>/gs)]
  const clocks = [...String(markup).matchAll(/<select([^>]*)>.*?<option value="[^"]*" selected>(.*?)</gs)]
  const labels = (found: readonly RegExpExecArray[]) =>
    found.map(([, attributes = '', label = '']) => textOf(label) + (attributes.endsWith(' disabled') ? ' (off)' : ''))
  const fault = (attributes = '') => /data-fault="([^"]*)"/.exec(attributes)?.[1]?.replaceAll('&quot;', '"') ?? 'null'
  return {
    labels: labels(buttons),
    clocks: labels(clocks),
    faults: buttons.map(([, attributes]) => JSON.parse(fault(attributes))),
  }
}

const LINE = 'You see candidates compete for the lease nightly : at each tick one leads, and performs billing .'
const TIMES =
  'Lease and time line are in real time: the lease lasts 15 s unless it is renewed. ' +
  'Ticks are simulated, 1 h apart: their times are not those of the time line.'
test.each<[readonly Entry[], string]>([
  [[], 'Waiting for the run to begin …'],
  [SETUP, `${LINE} ${TIMES}`],
  [[{ ...SETUP_ENTRY, switchedOff: ['fence', 'key'] }], `${LINE} Switched off: the fence, the key. ${TIMES}`],
])('the first line says what one sees: %#', (entries, text) => {
  expect(textOf(renderSubject(historyOf(...entries)))).toBe(text)
})

const { periodMs: _periodMs, ...SETUP_WITHOUT_TICKS } = SETUP_ENTRY
/** Servers that stay. */
const STANDING: readonly Entry[] = [{ ...SETUP_WITHOUT_TICKS, task: 'appends' }, candidate(1), candidate(2)]
const standing = (changes: Partial<StandingCounts> = {}): Entry => ({
  ...{ kind: 'standingCounts', tenures: 2, appended: 9, staleRefused: 0, staleAccepted: 0, errors: [] },
  ...changes,
})

test('servers that stay have no ticks, proclaim, and hand over', () => {
  const announcement = '{"pid":7}'
  const history = historyOf(...STANDING, standing({ lastGapMs: 120, longestGapMs: 3_400 }))
  expect(textOf(renderSubject(history))).toContain('One leads and appends ; the others stand by.')
  expect(textOf(renderCounters(history))).toBe(
    'Tenures 2 Writes of leaders 9 Last time without a leader 0.12 s longest: 3.40 s ' +
      'Stale writes refused 0 by the fence Stale writes accepted 0 no fence; must be 0',
  )
  expect(textOf(renderVerdict(history))).toMatch(/^So far all is well/)
  expect(textOf(renderVerdict(historyOf(standing({ errors: ['a', 'b'] }))))).toBe('✗ So far: a; b.')
  expect(controlsOf(renderLeaderFaults(history)).faults.at(-1)).toEqual({ do: 'handOver' })
  expect(controlsOf(renderCandidates(history)).faults).toContainEqual({ do: 'handOver', candidate: 2 })
  const led = tenure(1, 0, { tick: undefined, announcement })
  expect(describeLeader(historyOf(led), T0)).toMatch(/It proclaims \{"pid":7\}\.$/)
  const table = textOf(renderTenures(historyOf(...STANDING, led)))
  expect(table).toMatch(/newest first; times in UTC Token Candidate Proclaimed .* \{&quot;pid&quot;:7\} leading/)
})

const FAILED: Entry = { ...OVER, verdict: [{ kind: 'open', text: '? The leader was not killed.' }] }
test.each<[readonly Entry[], string, string]>([
  [[], '', ''],
  [[counts()], 'right', 'So far all is well: 3 of 3 ticks completed, each by one leader.'],
  [[counts({ staleAccepted: 1 })], 'wrong', '✗ So far: a write of a replaced leader was accepted without a fence.'],
  [[counts({ completedTwice: 1 })], 'wrong', '✗ So far: a tick was completed more than once.'],
  [[counts(), FAILED], 'open', '? The leader was not killed.'],
])('the verdict is that of the terminal, or what is known so far: %#', (entries, kind, text) => {
  const verdict = renderVerdict(historyOf(...entries))
  expect(textOf(verdict)).toBe(text)
  if (kind !== '') expect(String(verdict)).toContain(`class="${kind}"`)
})

test('the counters are shown from the beginning', () => {
  expect(textOf(renderCounters(historyOf()))).toBe(
    'Ticks 0 Completed 0 Completed twice 0 must be 0 Overdue 0 not completed Stale writes refused 0 by the fence ' +
      'Stale writes accepted 0 no fence; must be 0',
  )
})

test.each<[Partial<Counts>, string, string | undefined]>([
  [{ staleRefused: 3 }, 'Stale writes refused 3 by the fence', undefined],
  [{ completedTwice: 1 }, 'Completed twice 1 must be 0: this is wrong', 'wrong'],
  [{ overdue: 2 }, 'Overdue 2', 'late'],
  [{ staleAccepted: 2 }, 'Stale writes accepted 2', 'wrong'],
  [{ money: '2 charges (EUR 19.98)' }, 'Money 2 charges (EUR 19.98)', undefined],
])('the counters of %j have %s, and stand out: %s', (changes, text, emphasis) => {
  const counters = renderCounters(historyOf(counts(changes)))
  expect(textOf(counters)).toContain(text)
  expect(/counter (wrong|late)/.exec(String(counters))?.[1]).toBe(emphasis)
})

const FREE = 'No candidate leads; the lease is free.'
const ENDED = 'Candidate 1 ended without releasing the lease, token 101; the lease expires in 10.0 s.'
test.each<[number, readonly Entry[], string]>([
  [0, [], FREE],
  [2_500, [tenure(1, 0)], 'Candidate 1 leads, token 101; the lease expires in 12.5 s.'],
  [15_000, [tenure(1, 0)], 'Candidate 1 leads, token 101; the lease has expired.'],
  [1_000, [tenure(1, 0, { ended: 500 })], FREE],
  [1_000, [OVER], 'The run has ended.'],
  [1_000, [{ ...OVER, verdict: undefined }], 'The run has ended early; the terminal says why.'],
  [5_000, [died(1, 0, 100)], ENDED],
  [0, [{ kind: 'leader', frozen: [2, 3] }], `${FREE} Frozen: candidate 2, 3.`],
  [1_000, [tenure(1, 0), tenure(2, 10)], 'Candidates 1, 2 lead at once, each with a lease of its own.'],
])('the leader line after %d ms: %#', (afterMs, entries, line) => {
  expect(describeLeader(historyOf(...SETUP, ...entries), T0 + afterMs)).toBe(line)
})

const leader = (armed: 'killLeader' | 'freezeLeader' | undefined, ...frozen: readonly number[]): Entry => ({
  ...{ kind: 'leader', armed, frozen },
})
test.each<[readonly Entry[], readonly string[]]>([
  [[], ['Kill the leader', 'Freeze the leader', 'Thaw (off)']],
  [[leader('killLeader')], ['The next leader will be killed (off)', 'Freeze the leader', 'Thaw (off)']],
  [[leader('freezeLeader')], ['Kill the leader', 'The next leader will be frozen (off)', 'Thaw']],
  [[leader(undefined, 1, 2)], ['Kill the leader', 'Freeze the leader', 'Thaw candidate 1, 2']],
])('the faults of the leader are its kill, its freeze and its thaw: %#', (entries, expected) => {
  const { labels, faults } = controlsOf(renderLeaderFaults(historyOf(...SETUP, ...entries)))
  expect(labels).toEqual(expected)
  expect(faults.map((fault) => fault.do)).toEqual(['killLeader', 'freezeLeader', 'thawLeader'])
})

const faultsOn = (number: number, connection = 'cutOff') =>
  ['dropReply', connection, 'removeCandidate'].map((name) => ({ do: name, candidate: number }))
const ofEach = (number: number, drop = 'Drop the next reply', connection = 'Drop all requests', remove = 'Remove') =>
  [drop, connection, remove].map((label) => label.replace(/( \(off\))?$/, ` , candidate ${number}$1`))
const absent = (...numbers: readonly number[]) => numbers.map((number) => candidate(number, { isPresent: false }))
const broken = candidate(2, { isCutOff: true, dropsNextReply: true, skewMs: -1_234 })
const BACK = ['The next reply will be dropped (off)', 'Reconnect'] as const
test.each<[string, readonly Entry[], readonly object[], readonly string[], readonly string[]]>([
  [
    'show their state, and the way back',
    [...absent(1), broken, candidate(3, { skewMs: 1_500 })],
    [...faultsOn(2, 'reconnect'), ...faultsOn(3), { do: 'addCandidate' }],
    [...ofEach(2, ...BACK), ...ofEach(3), 'Add a candidate'],
    ['1.234 s behind', '1.5 s ahead'],
  ],
  [
    'are at least one',
    absent(2, 3),
    [...faultsOn(1), { do: 'addCandidate' }],
    [...ofEach(1, undefined, undefined, 'Remove (off)'), 'Add a candidate'],
    ['right'],
  ],
])('candidates %s', (_, entries, faults, labels, clocks) => {
  expect(controlsOf(renderCandidates(historyOf(...SETUP, ...entries)))).toEqual({ faults, labels, clocks })
})

const rowsOf = (...entries: readonly Entry[]) =>
  [...String(renderTenures(historyOf(...entries))).matchAll(/<tr id="([^"]*)">(.*?)<\/tr>/gs)].map(([, id, row]) => [
    id,
    ...[...(row ?? '').matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => textOf(cell)),
  ])

test('the table has the newest tenures first, and the attempts that failed without one', () => {
  const old = died(1, 0, 2_000, { ...takenOver(1, 16_000), accepted: 5, refused: 2 })
  const failed = failure(3, 500, { tick: '2026-01-01T07:00:00.000Z' })
  expect(rowsOf(old, failed, tenure(2, 16_000, { unguarded: 1 }))).toEqual([
    ['row-2', '102', '2', '06:00', 'leading', '12:00:16', '', '0, 1 not fenced'],
    ['row-3', 'none', '3', '07:00', 'failed: Runtime.ExitError', '12:00:00', '', ''],
    ['row-1', '101', '1', '06:00', 'failed, then taken over', '12:00:00', '2 s', '5, 2 refused'],
  ])
  expect(textOf(renderTenures(historyOf()))).toBe('No candidate has led yet.')
  const many = rowsOf(...Array.from({ length: 50 }, (_, number) => tenure(number, number)))
  expect([many.length, many[0]?.[0]]).toEqual([20, 'row-49'])
})

test.each([
  [tenure(1, 0), `Candidate 1, token 101, tick ${TICK}`],
  [tenure(1, 0, { tick: undefined }), 'Candidate 1, token 101'],
  [failure(3, 0), `Candidate 3 failed without leading, tick ${TICK}`],
])('a log has a title: %#', (shown, title) => {
  expect(textOf(renderLogTitle(shown))).toBe(title)
})

const STEP = { atMs: T0 + 7, description: 'Renews the lease' }
const RENEWS = '12:00:00.007 Renews the lease'
test.each<[Partial<Step>, string]>([
  [{}, RENEWS],
  [{ request: {} }, `${RENEWS} → no answer yet Request {}`],
  [
    { request: { a: 1 }, result: 'done', tookMs: 3.6, answer: {} },
    `${RENEWS} → done 4 ms Request { &quot;a&quot;: 1 } Answer {}`,
  ],
  [{ trace: ['at a', 'at b'] }, `${RENEWS} Stack and log at a at b`],
  [{ description: '<b>evil</b>' }, '12:00:00.007 &lt;b&gt;evil&lt;/b&gt;'],
])('a log has the time, the request, the result and the duration of a step: %#', (changes, text) => {
  expect(textOf(renderLog([{ ...STEP, ...changes }]))).toBe(text)
})

test('a log marks a fault, opens its stack, and hides a request', () => {
  const markup = String(renderLog([{ ...STEP, isFault: true, request: {}, trace: ['at a'] }]))
  expect(markup).toContain('<li class="fault">')
  expect(markup).toContain('<details open><summary>Stack and log')
  expect(markup).toContain('<details><summary>Request')
})
