// @ts-nocheck
import { expect, test } from 'vitest'
import {
  type DevOptions,
  type Parsed,
  parseDevOptions,
  parseOptions,
  type StartOptions,
} from '../../../infra/local/cli/options.ts'
import { OptionError } from '../../../infra/programs/flags.ts'

const split = (flags: string) => flags.split(' ').filter((flag) => flag !== '')

function optionsIn<Options>(parsed: Parsed<Options>): Options {
  if (typeof parsed === 'string') throw new Error('It printed the help')
  return parsed
}

const optionsOf = (flags = ''): StartOptions => optionsIn(parseOptions(split(flags)))
const devOptionsOf = (flags: string): DevOptions => optionsIn(parseDevOptions(split(flags)))

const DEFAULTS: StartOptions = {
  ...{ everyMs: 2_000, ticks: undefined, candidates: 4, customers: undefined, cold: false, json: false },
  ...{ killLeader: undefined, freezeLeader: undefined, chaos: undefined, without: [], timeScale: 0.1 },
  ...{ timeoutMs: undefined, scenario: [], scenarioFile: undefined, page: true, port: 0 },
  standing: undefined,
}

test('without flags it runs until Ctrl-C: a tick per two seconds, four candidates, a tenth of the real delays', () => {
  expect(optionsOf()).toEqual(DEFAULTS)
})

test('reads every flag', () => {
  const run =
    '--every 1s --ticks 5 --candidates 2 --customers a.csv --cold --json --time-scale 1 --timeout 5s --port 8080'
  expect(optionsOf(`${run} --kill-leader 5 --freeze-leader 4 --without key --scenario faults.json`)).toEqual({
    ...DEFAULTS,
    ...{ everyMs: 1_000, ticks: 5, candidates: 2, customers: 'a.csv', cold: true, json: true, timeScale: 1 },
    ...{ timeoutMs: 5_000, port: 8080 },
    ...{ killLeader: 5, freezeLeader: 4, without: ['key'], scenarioFile: 'faults.json' },
  })
  expect(optionsOf('--no-page').page).toBe(false)
})

test('faults are scheduled in the order of their flags, each of which may be repeated', () => {
  const flags =
    '--add-candidate 2 --skew-clock 2:5:1.5s --drop-reply 3:1 --cut-off 4:2 --reconnect 5:2 --remove-candidate 6:5'
  expect(optionsOf(`${flags} --add-candidate 2`).scenario).toEqual([
    { tick: 2, do: 'addCandidate' },
    { tick: 2, do: 'skewClock', candidate: 5, ms: 1_500 },
    { tick: 3, do: 'dropReply', candidate: 1 },
    { tick: 4, do: 'cutOff', candidate: 2 },
    { tick: 5, do: 'reconnect', candidate: 2 },
    { tick: 6, do: 'removeCandidate', candidate: 5 },
    { tick: 2, do: 'addCandidate' },
  ])
})

test('--standing runs servers instead of ticks, four by default, until Ctrl-C or for a time', () => {
  expect(optionsOf('--standing').standing).toEqual({ servers: 4, forMs: undefined })
  expect(optionsOf('--standing 3 --for 20s --json --port 80')).toMatchObject({
    ...{ standing: { servers: 3, forMs: 20_000 }, json: true, port: 80 },
  })
})

const skewedBy = (ms: number) => ({ scenario: [{ tick: 2, do: 'skewClock', candidate: 1, ms }] })
const FREEZE_AND_THAW = [
  { tick: 2, do: 'freezeLeader' },
  { tick: 4, do: 'thawLeader' },
]

test.each([
  ['--every 500ms', { everyMs: 500 }],
  ['--every 1.5s', { everyMs: 1_500 }],
  ['--customers 5000', { customers: 5_000 }],
  ['--customers ./5000.csv', { customers: './5000.csv' }],
  ['--skew-clock 2:1:60m', skewedBy(3_600_000)],
  ['--skew-clock 2:1:-250ms', skewedBy(-250)],
  ['--skew-clock 2:1:-0s', skewedBy(0)],
  ['--freeze-leader 2 --thaw-leader 4', { freezeLeader: undefined, scenario: FREEZE_AND_THAW }],
  ['--without lease', { without: ['lease'], ticks: 3, freezeLeader: undefined, killLeader: undefined }],
  ['--without fence', { without: ['fence'], ticks: 3, freezeLeader: 2, killLeader: undefined }],
  ['--without key', { without: ['key'], ticks: 3, freezeLeader: undefined, killLeader: 2 }],
  ['--without key --kill-leader 3', { killLeader: 3, ticks: 3 }],
  ['--without fence --kill-leader 2', { freezeLeader: 3, killLeader: 2 }],
  ['--without fence --without key --without key', { without: ['fence', 'key'], freezeLeader: 2, killLeader: 3 }],
  ['--without fence --without key --ticks 2', { freezeLeader: 2, killLeader: 1 }],
  ['--chaos 1', { chaos: 1, ticks: 8, killLeader: undefined, freezeLeader: undefined }],
  ['--chaos 1 --without fence --without key', { chaos: 1, ticks: 8, killLeader: undefined, freezeLeader: undefined }],
])('%s is %j', (flags, options) => {
  expect(optionsOf(flags)).toMatchObject(options)
})

test('tenure dev runs a function with its lease, its variables and its tables, for five minutes by default', () => {
  const flags = './mine.ts --lease reports --env A=1 --env B=x=y --env C= --table Orders:id --table a.b:c:d'
  const table = [
    { name: 'Orders', keys: ['id'] },
    { name: 'a.b', keys: ['c', 'd'] },
  ]
  const own = { path: './mine.ts', lease: 'reports', env: { A: '1', B: 'x=y', C: '' }, table }
  expect(devOptionsOf(flags).own).toEqual({ ...own, timeout: 300_000 })
  // The lease is named after the file by default.
  expect(devOptionsOf('a/write-report.ts --timeout 15m').own).toMatchObject({
    lease: 'write-report',
    timeout: 900_000,
  })
})

test('tenure dev knows no worst moments: the leader is killed, frozen and thawed like by hand', () => {
  expect(devOptionsOf('mine.ts --kill-leader 1 --freeze-leader 2 --ticks 3')).toMatchObject({
    ...{ killLeader: undefined, freezeLeader: undefined },
    scenario: [{ tick: 1, do: 'killLeader' }, ...FREEZE_AND_THAW.map((fault, nth) => ({ ...fault, tick: 2 + nth }))],
  })
})

test.each([
  ['dev', "missing required argument 'file'"],
  ['dev a.ts b.ts', 'too many arguments'],
  ['dev mine.ts --customers 5', "unknown option '--customers'"],
  ['dev mine.ts --freeze-leader 3 --ticks 3', '--freeze-leader 3 needs at least --ticks 4: the next tick thaws the'],
  ['dev mine.ts --timeout 16m', '15m'],
  ['dev mine.ts --timeout 1.5s', 'whole seconds'],
  ['dev mine.ts --env A', 'Give a name and a value, such as API=x'],
  ['dev mine.ts --env LEASE_NAME=b', '--env LEASE_NAME: ElectedSchedule or Lambda sets'],
  ['dev mine.ts --table Orders', 'a name of at least 3 letters and a key'],
  ['dev mine.ts --table Orders:id --table Orders:id', 'The table Orders is given twice'],
  ['dev mine.ts --lease a,b', '--lease: the name "a,b" is not allowed; use '],
  ['--every 2', 'such as 500ms, 2s or 1m'],
  ['--ticks 0', 'a whole number from 1 to 1000000'],
  ['--time-scale 0.06', 'a number from 0.07 to 1'],
  ['--ticks 5 --kill-leader 6', '--kill-leader 6 is beyond the last tick: --ticks is 5'],
  ['--without fence --freeze-leader 4', '--freeze-leader 4 is beyond the last tick: --ticks is 3'],
  ['--kill-leader 2 --freeze-leader 2', 'give them different ticks'],
  ['--chaos 1 --kill-leader 2', '--kill-leader and --chaos'],
  ['--chaos 1 --ticks 1', '--chaos needs at least --ticks 2'],
  ['--freeze-leader 2 --candidates 1', '--freeze-leader needs at least --candidates 2'],
  ['--without lease --candidates 1', '--without needs at least --candidates 2'],
  ['--without fence --without key --ticks 1', 'give --ticks 2 or more'],
  ['--without fence --kill-leader 1 --ticks 1', '--without fence needs a tick of its own for a frozen leader'],
  ['--without key --freeze-leader 1 --ticks 1', '--without key needs a tick of its own for a killed leader'],
  ['--without lease --without fence', 'use --without fence alone to see what'],
  ['--without lease --freeze-leader 1', 'Without the lease each candidate has its own lease'],
  ['--without fencing', 'Allowed choices are lease, fence, key'],
  ['--skew-clock 2:1:--5s', 'such as 2:1:5s'],
  ['--skew-clock 0:1:5s', 'Give a tick'],
  ['--drop-reply 2', 'Give a tick and a candidate from 1 to 10, such as 2:1'],
  ['--cut-off 2:11', 'a candidate from 1 to 10'],
  ['--add-candidate 2:1', 'Give a tick.'],
  ['--ticks 3 --cut-off 4:1', '--cut-off 4 is beyond the last tick: --ticks is 3'],
  ['--ticks 3 --freeze-leader 2 --thaw-leader 4', '--thaw-leader 4 is beyond the last tick: --ticks is 3'],
  ['--thaw-leader 4', '--thaw-leader 4 needs --freeze-leader with an earlier tick'],
  ['--port 8080 --no-page', '--port and --no-page'],
  ['--standing 1', 'a whole number from 2 to 10'],
  ['--standing 4 --kill-leader 2', "'--kill-leader <tick>': servers have no ticks. Break them on the page"],
  ['--standing --cut-off 2:1', "'--cut-off <tick:candidate>': servers have no ticks"],
  ['--for 20s', '--for needs --standing'],
  ['--candidate 4', 'Did you mean --candidates?'],
  ['--ticks', 'argument missing'],
  ['3', 'Flags go after `--`'],
])('%s is refused: %s', (given, message) => {
  const refused = () => (given.startsWith('dev') ? devOptionsOf(given.slice(3)) : optionsOf(given))
  expect(refused).toThrow(OptionError)
  expect(refused).toThrow(message)
})

test.each([parseOptions, parseDevOptions])('--help lists the flags and the exit codes in 80 columns', (parse) => {
  const help = String(parse(['--help']))
  expect(help).toMatch(/--kill-leader <tick>.*Exit codes:\s+0 if .*3 if a requested fault/s)
  expect(help.split('\n').filter((line) => line.length > 80)).toEqual([])
})
