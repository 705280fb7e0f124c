// @ts-nocheck
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import type { CallFault } from '../../../infra/local/faults/fault.ts'
import { Display } from '../../../infra/local/run/display.ts'
import type { TickRecord } from '../../../infra/local/run/tick.ts'
import { BROKEN, COMPLETED, conclude, endOf, KILLED, recordOf, reportOf, standby, tryOf } from '../fixtures/records.ts'

/** What the display writes, to a terminal or elsewhere. */
function shown(
  show: (display: Display) => void,
  isTTY = false,
  env: NodeJS.ProcessEnv = {},
  columns: number | undefined = 10_000,
): string {
  let written = ''
  const write = (text: string) => {
    written += text
  }
  const display = new Display({ isTTY, write, columns }, env)
  show(display)
  return written
}

const LOGS = ['{"level":"INFO","message":"leading"}', '{"level":"WARN","message":"slow"}']

test.each<[string, TickRecord, string | RegExp, effects?: string, wasCut?: boolean]>([
  [
    'that all is well',
    recordOf(2, standby(), COMPLETED, standby(), standby('tickDone')),
    '   2  2024-01-31 02:00Z  candidate 2 led       with token 7  1 charge (EUR 9.99)' +
      '  3 standbys (2 lease held, 1 tick done)  0.42 s\n',
  ],
  ['a single reason to stand by', recordOf(2, COMPLETED, standby(), standby()), / {2}2 standbys \(lease held\) {2}/],
  ['a takeover', recordOf(1, KILLED, COMPLETED), /candidate 2 took over with token/],
  ['that it was not completed', recordOf(1, standby()), / {2}not completed {2}/],
  ['two leaders', recordOf(1, COMPLETED, standby(), COMPLETED), /candidates 1, 3 each completed it/],
  ['nothing of a task without effects', recordOf(1, COMPLETED), /with token 7 {2}0\.42 s\n$/, ''],
  ['that it was cut short', recordOf(1, COMPLETED), / {2}cut short {2}1 charge/, '1 charge', true],
])('the line of a tick shows %s', (_, record, line, effects = '1 charge (EUR 9.99)', wasCut = false) => {
  const text = shown((display) => display.ticked(record, effects, wasCut))
  if (typeof line === 'string') expect(text).toBe(line)
  else expect(text).toMatch(line)
})

test('a failure shows whether it led, why it failed, the log lines that are news, and when Lambda retries', () => {
  const text = shown((display) => display.tried(tryOf(3, KILLED, 6_000, LOGS)))
  expect(text).toMatch(/3, leading with token 7, failed: Runtime\.ExitError.*Lambda retries in 6\.0 s\n.*slow/)
  expect(text).not.toContain('"leading"')
  expect(text).not.toContain('\u001b')
  expect(shown((display) => display.tried(tryOf(3, BROKEN)))).toMatch(/candidate 3 failed: .*Lambda gives up/)
  const thrown = { errorType: 'Error', errorMessage: 'too late' }
  const late = shown((display) => display.tried(tryOf(3, { ...COMPLETED, thrown }, 6_000)))
  expect(late).toMatch(/leading with token 7, failed after completing its tick: Error: too late; Lambda retries/)
})

test('what a user’s own function logs is shown line by line with its candidate, without metrics', () => {
  const logs = ['sent 3\u001b[31m reports', '', '{"_aws":{}}', '{"level":"INFO","message":"done"}']
  const tried = tryOf(2, COMPLETED, undefined, logs)
  expect(shown((display) => display.tried(tried, true))).toBe(
    '    2 | sent 3 reports\n    2 | {"level":"INFO","message":"done"}\n',
  )
  expect(shown((display) => display.tried(tried))).toBe('')
  const failed = shown((display) => display.tried(tryOf(3, KILLED, 0, LOGS), true))
  expect(failed.match(/slow/g)).toHaveLength(1)
})

test('a part that was handed over has a line', () => {
  const text = shown((display) => display.tried(tryOf(2, { status: 'continued', fencingToken: 7 })))
  expect(text).toBe('    → candidate 2, leading with token 7: continued in a new invocation\n')
})

test('foreign text is printable, on our own lines, and cut if it is long', () => {
  const errorMessage = `\u001b[2Jit broke\n✓ ${'all is well '.repeat(100_000)}`
  const error = { errorType: 'Odd\u0007', errorMessage, trace: ['Odd', `    at f (a.mjs:1:1)\u001b[31m`] }
  const tried = tryOf(3, { status: 'failed', error }, 100, ['\u001b]0;owned\u0007'])
  const text = shown((display) => {
    display.tried(tried)
    display.warn('Tick 2: \u202eno\nsuch')
    display.note('Candidates: a\u001b[1mb')
  })
  const [failed = '', ...others] = text.trimEnd().split('\n')
  expect(failed).toMatch(/^ {4}✗ candidate 3 failed: Odd\\u0007: it broke ✓ all is well /)
  expect(failed).toMatch(/… and 1,[\d,]+ more characters; Lambda retries in 0\.10 s$/)
  expect(failed.length).toBeLessThan(1_200)
  expect(others).toEqual(['        at f (a.mjs:1:1)', 'Tick 2: \\u202eno such', 'Candidates: ab'])
})

test.each([
  ['a terminal', true, {}, true],
  ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false],
  ['a file', false, {}, false],
  ['a file with FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
])('colours for %s: %s', (_, isTTY, env, isColoured) => {
  const text = shown((display) => display.note('hello'), isTTY, env)
  expect(text).toContain('hello')
  expect(text.includes('\u001b[')).toBe(isColoured)
})

test.each([false, true])('lines fit 80 columns, with colours or without: %s', (isTTY) => {
  const error = { errorType: 'Error', errorMessage: 'a reason of many words '.repeat(9) }
  const show = (display: Display) => {
    display.ticked(recordOf(12, standby(), COMPLETED, standby('tickDone')), '12 charges (EUR 119.88)', false)
    display.tried(tryOf(3, { status: 'failed', error }))
  }
  const lines = stripVTControlCharacters(shown(show, isTTY, {}, 80))
    .trimEnd()
    .split('\n')
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(lines.join(' ').replace(/ +/g, ' ')).toContain('with token 7 12 charges (EUR 119.88) 2 standbys (1 lease held')
})

const NOTHING = { killLeader: undefined, freezeLeader: undefined, chaos: undefined, scenario: [] }

function endShown(end = endOf(), report = reportOf()) {
  const without = report.duplicateCharges > 0 ? (['key'] as const) : []
  return shown((display) => display.ended(conclude(end, report, { ...NOTHING, without }), end))
}

test.each([
  ['✓ All is well: everything due was charged once; gateway and ledger agree.', endOf(), reportOf()],
  ['✓ All is well: nothing was due, nothing was charged.', endOf(), reportOf({ charges: [], ledgerCharges: 0 })],
  ['✗ 1 wrong charge', endOf(), reportOf({ wrongCharges: 1 })],
  ['? Tick 2.', endOf({}, { undone: ['Tick 2.'] }), reportOf()],
  [
    'The last tick was cut short. Before it, everything due was charged once; gateway and ledger agree.',
    endOf({ completed: 2 }, { wasCut: true, isInterrupted: true }),
    reportOf(),
  ],
  ['No tick was run.', endOf({ ticks: 0, completed: 0 }), reportOf()],
])('the last line says: %s', (line, end, report) => {
  expect(endShown(end, report).trim().split('\n').at(-1)).toBe(line)
})

test('the end shows the counts, the faults, what either side has, and what a missing protection did', () => {
  const injected: CallFault[] = [
    { tick: 1, at: 'charge', nth: 3, do: 'killLeader', when: 'after' },
    { tick: 2, at: 'claim', nth: 1, do: 'dropRequest' },
    { tick: 2, at: 'claim', nth: 2, do: 'dropRequest' },
  ]
  const [one] = reportOf().charges
  const charges = one === undefined ? [] : [one, one]
  const stale = { staleWritesRefused: 1, completionsRefused: 1, unguardedWrites: { Invoices: 2 } }
  const text = endShown(endOf(stale), reportOf({ injected, charges, duplicateCharges: 1 }))
  const lines = [
    '3 of 3 ticks completed, each by one of 2 candidates\n  3 standbys, 0 failed invocations',
    '3 faults injected: 1 killed, 2 request dropped',
    '2 charges (EUR 19.98) at the gateway, 1 in the ledger',
    '  the fence refused 1 write of replaced leaders\n',
    '  the lease refused 1 completion of replaced leaders\n',
    '  table Invoices: 2 writes of replaced leaders accepted, no fence\n',
    '  without the key: 1 duplicate charge',
  ]
  for (const line of lines) expect(text).toContain(line)
})
