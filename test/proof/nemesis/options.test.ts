import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { OptionError } from '../../../infra/programs/flags.ts'
import { parseOptions } from './options.ts'

it('without flags all workloads are fought, with the seed 1', () => {
  expect(parseOptions([])).toMatchObject({
    options: { quick: false, seed: 1, workloads: ['unfenced', 'unclaimed', 'fence', 'guard', 'complete'] },
  })
})

it.each([
  [['--seed', 'x'], /--seed.*whole number from 0/],
  [['--only', 'fences'], /--only.*Allowed choices are unfenced/],
  [['--fast'], /unknown option '--fast'/],
])('%j is refused with the reason', (argv, reason) => {
  expect(() => parseOptions(argv)).toThrow(OptionError)
  expect(() => parseOptions(argv)).toThrow(reason)
})

it('a directory that holds such a history already is refused, and nothing in it is overwritten', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-histories-'))
  mkdirSync(join(directory, 'fence'))
  try {
    expect(() => parseOptions(['--histories', directory, '--only', 'fence'])).toThrow(
      /holds a history of "fence" already/,
    )
    expect(() => parseOptions(['--histories', directory, '--only', 'guard'])).not.toThrow()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
