import './globals.ts' // before modules that keep a clock
import { expect, it } from 'vitest'
import { explore } from './standing/explore.ts'

const { PROOF_QUICK, PROOF_SEED, PROOF_SEEDS } = process.env
/** More than 10,000 campaigns. */
const seeds = Number(PROOF_SEEDS ?? (PROOF_QUICK === '1' ? 40 : 1_000))

it('servers that stand, with faults', { timeout: 1_200_000 }, async ({ task }) => {
  const { failure, figures } = await explore({ from: Number(PROOF_SEED ?? 1), seeds })
  task.meta.figures = figures
  console.log(figures)
  expect(failure).toBe('')
})
