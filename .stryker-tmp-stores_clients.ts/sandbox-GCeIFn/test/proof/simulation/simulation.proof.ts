// @ts-nocheck
import './globals.ts' // before modules that keep a clock
import { randomInt } from 'node:crypto'
import { expect, it } from 'vitest'
import { textOf } from '../result.ts'
import { runHistory, simulate } from './simulate.ts'

const { PROOF_QUICK, PROOF_SEED, PROOF_SEEDS } = process.env
const isQuick = PROOF_QUICK === '1'
/** More than 20,000 ticks with faults, in which each rare situation must come about. */
const FULL = 1_000
const QUICK = 60
const from = Number(PROOF_SEED ?? (isQuick ? randomInt(2 ** 47) : 1))
const seeds = Number(PROOF_SEEDS ?? (isQuick ? QUICK : FULL))

it(`every claim holds in ${seeds} histories from seed ${from}`, { timeout: 600_000 }, async ({ task }) => {
  const { violations, figures, unreached } = await simulate({ from, seeds })
  task.meta.figures = { ...figures, seed: String(from) }
  expect(textOf(violations, 'Something is wrong')).toBe('')
  if (seeds >= FULL) expect(unreached, 'rare situations that no history has reached').toEqual([])
})

it('the same seed makes the same history, and faults that are left out change no other', async () => {
  const [one, two] = [await runHistory({ seed: 12, ticks: 6 }), await runHistory({ seed: 12, ticks: 6 })]
  expect(two.lines).toEqual(one.lines)
  const half = new Set(one.faults.injected.map(({ id }) => id).filter((_, nth) => nth % 2 === 0))
  const { faults } = await runHistory({ seed: 12, ticks: 6, only: half })
  expect(faults.injected.length).toBeGreaterThan(0)
  for (const { id } of faults.injected) expect(half).toContain(id)
})
