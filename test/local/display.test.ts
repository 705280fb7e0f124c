import { expect, test } from 'vitest'
import { type Display, startDisplay } from '../../infra/local/display.ts'
import type { Ending } from '../../infra/local/environment.ts'
import type { Summary } from '../../infra/local/summary.ts'
import { recordOf, tryOf } from './fixtures/records.ts'

/** What the display writes to something that is a terminal or not. */
function shown(show: (display: Display) => void, isTTY = false, env: NodeJS.ProcessEnv = {}): string {
  let written = ''
  const write = (text: string) => {
    written += text
  }
  const display = startDisplay({ isTTY, write }, env)
  show(display)
  display.close()
  return written
}

const completed: Ending = { ok: true, value: { status: 'completed', fencingToken: 1706662800001, result: {} } }
const standby = (reason: string): Ending => ({ ok: true, value: { status: 'standby', reason } })
const killed: Ending = {
  ok: false,
  error: { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with error: signal: killed' },
  logs: ['{"level":"INFO","message":"leading"}', '{"level":"WARN","message":"slow"}'],
}
const charge = {
  id: 'ch_1',
  key: 'k',
  customer: 'c-1',
  plan: 'basic',
  period: '2024-01-31',
  amountMinor: 999,
  currency: 'EUR',
}

test('a tick is one line: when, who led with which token, what was charged, who stood by and why, how long it took', () => {
  const record = recordOf(2, [
    { ending: standby('held') },
    { ending: completed },
    { ending: standby('held') },
    { ending: standby('completed') },
  ])
  expect(shown((display) => display.ticked(record, [charge], false))).toBe(
    '   2  2024-01-31 02:00Z  candidate 2 led       with token 1706662800001  1 charge (EUR 9.99)' +
      '  3 stood by: 2 held, 1 completed  0.42 s\n',
  )
})

test('a tick that another invocation finished says so, and so do one that nobody completed and one cut short', () => {
  const takenOver = recordOf(1, [{ ending: killed, ledWithToken: 1706662800000 }, { ending: completed }])
  expect(shown((display) => display.ticked(takenOver, [], false))).toContain('candidate 2 took over with token')
  const nobody = recordOf(1, [{ ending: standby('held') }])
  expect(shown((display) => display.ticked(nobody, [], false))).toContain('nobody completed it  nothing charged')
  expect(shown((display) => display.ticked(nobody, [], true))).toContain('cut short')
})

test('a failure tells whether it led, why it failed, what it logged that is news, and when the retry comes', () => {
  const tried = tryOf(3, { ending: killed, ledWithToken: 7, retryInMs: 6_000 })
  const text = shown((display) => display.tried(tried))
  expect(text).toContain('candidate 3, leading with token 7, failed: Runtime.ExitError')
  expect(text).toContain('Lambda tries again in 6.0 s')
  expect(text).toContain('slow')
  expect(text).not.toContain('"leading"')
  expect(shown((display) => display.tried(tryOf(3, { ending: killed })))).toContain('Lambda gives it up')
})

test('a terminal counts down to a retry that is seconds away; nothing else sees control characters', () => {
  const tried = tryOf(3, { ending: killed, retryInMs: 6_000 })
  expect(shown((display) => display.tried(tried), true)).toMatch(/candidate 3 is tried again in 6 s/)
  expect(shown((display) => display.tried(tried))).not.toContain('\u001b')
})

test.each([
  ['a terminal', true, {}, true],
  ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false],
  ['a file', false, {}, false],
  ['a file with FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
])('colours for %s: %s', (_, isTTY, env, coloured) => {
  const text = shown((display) => display.note('hello'), isTTY, env)
  expect(text).toContain('hello')
  expect(text.includes('\u001b[')).toBe(coloured)
})

const summary: Summary = {
  ticks: 1,
  candidates: 2,
  completed: 1,
  standby: 1,
  failed: 0,
  tookOver: 0,
  charges: 1,
  duplicateCharges: 0,
  replayedRequests: 0,
  dueNotCharged: 0,
  staleWritesRefused: 0,
}

test('the end says in one sentence whether all is well', () => {
  const end = (changes: Partial<Summary>, faults: string[], cut = false) =>
    shown((display) => display.ended({ ...summary, ...changes }, [charge], faults, cut))
      .trim()
      .split('\n')
      .at(-1)
  expect(end({}, [])).toBe('✓ Everything due was charged, nothing twice; gateway and ledger agree.')
  expect(end({ charges: 0 }, [])).toBe('✓ Nothing was due, nothing was charged.')
  expect(end({}, ['1 due and not charged'])).toBe('✗ 1 due and not charged')
  expect(end({}, [], true)).toMatch(/^The last tick was cut short\./)
})
