import { describe, expect, test } from 'vitest'
import { OptionError, parseOptions, type StartOptions } from '../../infra/local/options.ts'

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
    timeScale: 0.1,
  })
})

test('reads every flag', () => {
  const argv = '--every 1s --ticks 5 --candidates 2 --customers a.csv --cold --json --kill-leader 5 --time-scale 1'
  expect(optionsOf(...argv.split(' '))).toEqual({
    everyMs: 1_000,
    ticks: 5,
    candidates: 2,
    customers: 'a.csv',
    cold: true,
    json: true,
    killLeader: 5,
    timeScale: 1,
  })
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
})
