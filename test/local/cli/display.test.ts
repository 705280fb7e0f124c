import { expect, test } from 'vitest'
import { type Display, type Ended, startDisplay } from '../../../infra/local/cli/display.ts'
import type { CallFault } from '../../../infra/local/faults/fault.ts'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import { CALM, CALM_ELECTION, killedLeader, recordOf, tryOf } from '../fixtures/records.ts'

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
const killed = killedLeader(7, '{"level":"WARN","message":"slow"}')
const broken: Ending = { ok: false, error: { errorType: 'Error', errorMessage: 'it broke' }, logs: [] }
const charge = { amountMinor: 999, currency: 'EUR' }

test('a tick is one line: when, who led with which token, what was charged, who stood by and why, how long it took', () => {
  const record = recordOf(2, [
    { ending: standby('held') },
    { ending: completed },
    { ending: standby('held') },
    { ending: standby('completed') },
  ])
  expect(shown((display) => display.ticked(record, [charge], false))).toBe(
    '   2  2024-01-31 02:00Z  candidate 2 led       with token 1706662800001  1 charge (EUR 9.99)' +
      '  3 stood by: 2 held, 1 tickDone  0.42 s\n',
  )
})

test('a tick that another invocation finished says so, and so do one that nobody completed and one cut short', () => {
  const takenOver = recordOf(1, [{ ending: killed }, { ending: completed }])
  expect(shown((display) => display.ticked(takenOver, [], false))).toContain('candidate 2 took over with token')
  const nobody = recordOf(1, [{ ending: standby('held') }])
  expect(shown((display) => display.ticked(nobody, [], false))).toContain('nobody completed it  nothing charged')
  expect(shown((display) => display.ticked(nobody, [], true))).toContain('cut short')
})

test('a tick that several completed names them all', () => {
  const twice = recordOf(1, [{ ending: completed }, { ending: standby('held') }, { ending: completed }])
  expect(shown((display) => display.ticked(twice, [], false))).toContain('candidates 1, 3 each completed it')
})

test('a failure tells whether it led, why it failed, what it logged that is news, and when the retry comes', () => {
  const tried = tryOf(3, { ending: killed, retryInMs: 6_000 })
  const text = shown((display) => display.tried(tried))
  expect(text).toContain('candidate 3, leading with token 7, failed: Runtime.ExitError')
  expect(text).toContain('Lambda tries again in 6.0 s')
  expect(text).toContain('slow')
  expect(text).not.toContain('"leading"')
  expect(shown((display) => display.tried(tryOf(3, { ending: broken })))).toMatch(
    /candidate 3 failed: .*Lambda gives it up/,
  )
})

test('a terminal counts down to a retry that is seconds away; nothing else sees control characters', () => {
  const tried = tryOf(3, { ending: killed, retryInMs: 6_000 })
  expect(shown((display) => display.tried(tried), true)).toMatch(/candidate 3 is tried again in 6 s/)
  expect(shown((display) => display.tried(tried))).not.toContain('\u001b')
})

test('what others wrote is shown in lines of ours, without their control characters, and in part if it is long', () => {
  const errorMessage = `\u001b[2Jit broke\n✓ ${'all is well '.repeat(100_000)}`
  const error = { errorType: 'Odd\u0007', errorMessage, trace: ['Odd', `    at f (a.mjs:1:1)\u001b[31m`] }
  const logs = ['\u001b]0;owned\u0007']
  const tried = tryOf(3, { ending: { ok: false, error, logs }, retryInMs: 100 })
  const text = shown((display) => {
    display.tried(tried)
    display.warn('Tick 2: \u202eno\nsuch')
    display.note('Candidates: a\u001b[1mb')
  })
  const [failed = '', ...others] = text.trimEnd().split('\n')
  expect(failed).toMatch(/^ {4}✗ candidate 3 failed: Odd\\u0007: it broke ✓ all is well /)
  expect(failed).toMatch(/… and 1,[\d,]+ more characters; Lambda tries again in 0\.10 s$/)
  expect(failed.length).toBeLessThan(1_200)
  expect(others).toEqual(['        at f (a.mjs:1:1)', 'Tick 2: \\u202eno such', 'Candidates: ab'])
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

test('how far a tick is stands in one line that a terminal rewrites, and in a line now and then elsewhere', () => {
  const tell = (display: Display) => {
    for (let answered = 1; answered <= 7; answered += 1) display.progress(answered, 9)
  }
  expect(shown(tell)).toBe(
    '    … 1 of 9 charges answered by the gateway\n    … 6 of 9 charges answered by the gateway\n',
  )
  const inTerminal = shown(tell, true)
  expect(inTerminal).toContain('7 of 9 charges')
  expect(inTerminal).not.toContain('\n')
})

test('a fault that strikes is one line', () => {
  const fault: CallFault = { tick: 1, at: 'charge', nth: 3, do: 'killLeader', when: 'after' }
  expect(shown((display) => display.struck(fault))).toBe('    ⚡ leader killed after the 3rd charge\n')
})

test('the page is one line with its address', () => {
  expect(shown((display) => display.page('http://127.0.0.1:8080/'))).toBe(
    'Watch the election, and break it: http://127.0.0.1:8080/\n',
  )
})

test('a tick of a task that moves no money says nothing of it', () => {
  const record = recordOf(1, [{ ending: completed }])
  expect(shown((display) => display.ticked(record, undefined, false))).toBe(
    '   1  2024-01-31 01:00Z  candidate 1 led       with token 1706662800001  0.42 s\n',
  )
})

const CALM_END: Ended = {
  summary: CALM,
  charges: [charge],
  struck: [],
  faults: [],
  harm: [],
  inconclusive: [],
  cut: false,
}
const endOf = (changes: Partial<Ended>) => shown((display) => display.ended({ ...CALM_END, ...changes }))
const lastLineOf = (changes: Partial<Ended>) => endOf(changes).trim().split('\n').at(-1)

test('the end says in one sentence whether all is well', () => {
  expect(lastLineOf({})).toBe('✓ Everything due was charged, nothing twice; gateway and ledger agree.')
  expect(lastLineOf({ summary: { ...CALM, charges: 0 } })).toBe('✓ Nothing was due, nothing was charged.')
  expect(lastLineOf({ faults: ['1 charge too many'] })).toBe('✗ 1 charge too many')
  expect(lastLineOf({ cut: true })).toMatch(/^The last tick was cut short\./)
})

test('the end of a run of a task that moves no money is about the ticks alone', () => {
  const text = endOf({ summary: CALM_ELECTION, charges: [] })
  expect(text).not.toContain('charge')
  expect(text).toMatch(/\n✓ Each tick was completed by one leader\.\n$/)
  const cut = lastLineOf({ summary: { ...CALM_ELECTION, ticks: 2 }, charges: [], cut: true })
  expect(cut).toBe('The last tick was cut short. Until then each tick was completed by one leader.')
  expect(lastLineOf({ summary: { ...CALM_ELECTION, ticks: 0 } })).toBe('No tick was run.')
})

test('the end of a run that proves nothing says why, and not that all is well', () => {
  const text = endOf({ inconclusive: ['The leader of tick 2 was not killed: the run ended before it.'] })
  expect(text).toMatch(/\? The leader of tick 2 was not killed: the run ended before it\.\n$/)
  expect(text).not.toContain('✓')
})

test('the end says what a missing protection did, which faults struck, and what either side has', () => {
  const struck: CallFault[] = [
    { tick: 1, at: 'charge', nth: 3, do: 'killLeader', when: 'after' },
    { tick: 2, at: 'claim', nth: 1, do: 'dropRequest' },
    { tick: 2, at: 'claim', nth: 2, do: 'dropRequest' },
  ]
  const text = endOf({ struck, harm: ['without the key: 1 customer charged twice'], charges: [charge, charge] })
  expect(text).toContain('3 faults struck: 1 killed, 2 request dropped')
  expect(text).toContain('  without the key: 1 customer charged twice')
  expect(text).toContain('2 charges (EUR 19.98) at the gateway, 1 in the ledger')
})
