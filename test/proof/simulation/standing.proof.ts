import './globals.ts' // before modules that keep a clock
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { costOfStandby } from './standing/costs.ts'
import { explore } from './standing/explore.ts'

const { PROOF_QUICK, PROOF_SEED, PROOF_SEEDS } = process.env
const isQuick = PROOF_QUICK === '1'
const from = Number(PROOF_SEED ?? 1)
/** Some nine campaigns each. */
const seeds = Number(PROOF_SEEDS ?? (isQuick ? 15 : 300))
const MOST_GROWTH_BYTES = 20_000_000

it('servers that stand for a lease keep its promises, whatever fails', { timeout: 1_200_000 }, async ({ task }) => {
  await explore({ from, seeds: 10 }) // all code is compiled
  const before = heapBytes()
  const { failure, figures } = await explore({ from, seeds })
  task.meta.figures = { 'histories of servers': figures.histories, campaigns: figures.campaigns }
  expect(failure).toBe('')
  expect(heapBytes() - before).toBeLessThan(MOST_GROWTH_BYTES)
})

it.skipIf(isQuick).each([
  [3, 0.144, { forMs: 600_000 }],
  [100, 0.158, {}],
  [1_000, 0.18, { forMs: 30_000 }],
])('one of %d standbys costs %d USD a month, as docs/standing.md says', async (candidates, usd, options) => {
  expect((await costOfStandby(candidates, options)).usd).toBeCloseTo(usd, 2)
})

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
