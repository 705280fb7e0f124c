import { describe, expect, test } from 'vitest'
import { OptionError } from '../../infra/local/flags.ts'
import { parseOptions, type StartOptions } from '../../infra/local/options.ts'

function optionsOf(...argv: string[]): StartOptions {
  const parsed = parseOptions(argv)
  if (parsed.kind === 'help') throw new Error('It printed the help')
  return parsed.options
}

test('without flags it runs until Ctrl-C, a tick every two seconds, four candidates, a tenth of the real delays', () => {
  expect(optionsOf()).toEqual({
    everyMs: 2_000,
    ticks: undefined,
    candidates: 4,
    customers: undefined,
    cold: false,
    json: false,
    killLeader: undefined,
    freezeLeader: undefined,
    chaos: undefined,
    without: [],
    timeScale: 0.1,
  })
})

test('reads every flag', () => {
  const argv =
    '--every 1s --ticks 5 --candidates 2 --customers a.csv --cold --json --kill-leader 5 --freeze-leader 4 --time-scale 1'
  expect(optionsOf(...argv.split(' '), '--without', 'key')).toEqual({
    everyMs: 1_000,
    ticks: 5,
    candidates: 2,
    customers: 'a.csv',
    cold: true,
    json: true,
    killLeader: 5,
    freezeLeader: 4,
    chaos: undefined,
    without: ['key'],
    timeScale: 1,
  })
})

test('--customers takes a number in place of a file', () => {
  expect(optionsOf('--customers', '5000').customers).toBe(5_000)
  expect(optionsOf('--customers', './5000.csv').customers).toBe('./5000.csv')
})

test.each([
  ['--without lease', { without: ['lease'], ticks: 3, freezeLeader: undefined, killLeader: undefined }],
  ['--without fence', { without: ['fence'], ticks: 3, freezeLeader: 2, killLeader: undefined }],
  ['--without key', { without: ['key'], ticks: 3, freezeLeader: undefined, killLeader: 2 }],
  ['--without key --kill-leader 3', { killLeader: 3, ticks: 3 }],
  ['--without key --ticks 1', { killLeader: 1, ticks: 1 }],
  ['--without fence --freeze-leader 1', { freezeLeader: 1, ticks: 3 }],
  ['--without fence --kill-leader 2', { freezeLeader: 3, killLeader: 2 }],
  ['--without fence --without key --without key', { without: ['fence', 'key'], freezeLeader: 2, killLeader: 3 }],
  ['--without fence --without key --ticks 2', { freezeLeader: 2, killLeader: 1 }],
  ['--chaos 1', { chaos: 1, ticks: 8, killLeader: undefined, freezeLeader: undefined }],
  ['--chaos 0 --ticks 3', { chaos: 0, ticks: 3 }],
  ['--chaos 1 --without fence --without key', { chaos: 1, ticks: 8, killLeader: undefined, freezeLeader: undefined }],
])('%s implies what makes it show something', (flags, implied) => {
  expect(optionsOf(...flags.split(' '))).toMatchObject(implied)
})

test.each([
  ['500ms', 500],
  ['0s', 0],
  ['1.5s', 1_500],
  ['1m', 60_000],
  ['60m', 3_600_000],
])('--every %s is %i ms', (text, everyMs) => {
  expect(optionsOf('--every', text).everyMs).toBe(everyMs)
})

describe('refuses, and says what is allowed:', () => {
  test.each([
    ['--every 2', 'such as 500ms, 2s or 1m'],
    ['--every 61m', 'up to 60m'],
    ['--every=-1s', 'such as 500ms'],
    ['--ticks 0', 'a whole number from 1 to 1000000'],
    ['--ticks 2.5', 'a whole number'],
    ['--ticks five', 'a whole number'],
    ['--candidates 11', 'a whole number from 1 to 10'],
    ['--time-scale 0.06', 'a number from 0.07 to 1'],
    ['--time-scale 2', 'a number from 0.07 to 1'],
    ['--ticks 5 --kill-leader 6', '--kill-leader 6 is beyond the last tick: --ticks is 5'],
    ['--kill-leader 0', 'a whole number from 1'],
    ['--ticks 5 --freeze-leader 6', '--freeze-leader 6 is beyond the last tick'],
    ['--without fence --freeze-leader 4', '--freeze-leader 4 is beyond the last tick: --ticks is 3'],
    ['--kill-leader 2 --freeze-leader 2', 'give them different ticks'],
    ['--chaos 1 --kill-leader 2', '--kill-leader and --chaos'],
    ['--chaos 1 --freeze-leader 2', '--freeze-leader and --chaos'],
    ['--chaos 1 --ticks 1', '--chaos needs --ticks 2 at least'],
    ['--chaos one', 'a whole number'],
    ['--chaos 1 --candidates 1', '--chaos needs --candidates 2'],
    ['--freeze-leader 2 --candidates 1', '--freeze-leader needs --candidates 2'],
    ['--without lease --candidates 1', '--without needs --candidates 2'],
    ['--without fence --candidates 1', '--without needs --candidates 2'],
    ['--without fence --without key --ticks 1', 'need --ticks 2 at least'],
    ['--without lease --without fence', 'show what the fence is for with --without fence alone'],
    ['--without lease --freeze-leader 1', 'Without the lease each candidate has a lease of its own'],
    ['--without fencing', 'Allowed choices are lease, fence, key'],
    ['--customers 0', 'a whole number from 1 to 100000'],
    ['--candidate 4', 'Did you mean --candidates?'],
    ['--ticks', 'argument missing'],
    ['extra', 'too many arguments'],
    ['3', 'Flags go behind `--`'],
  ])('%s', (flags, message) => {
    const parse = () => parseOptions(flags.split(' '))
    expect(parse).toThrow(OptionError)
    expect(parse).toThrow(message)
  })
})

test('--help lists the flags and the exit codes', () => {
  const parsed = parseOptions(['--help'])
  expect(parsed).toMatchObject({ kind: 'help', text: expect.stringContaining('--kill-leader <tick>') })
  expect(parsed).toMatchObject({ text: expect.stringContaining('Exit code') })
  expect(parsed).toMatchObject({ text: expect.stringContaining('3 when a fault that was asked for') })
})
