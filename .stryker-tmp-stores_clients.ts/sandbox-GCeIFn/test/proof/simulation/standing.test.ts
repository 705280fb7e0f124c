// @ts-nocheck
import './globals.ts' // before modules that keep a clock
import { expect, it } from 'vitest'
import { LOOK_MS, month } from './standing/drift.ts'
import { explore, runScene } from './standing/explore.ts'

/** A month takes seconds alone, and more beside a busy machine. */
const BUSY = { timeout: 120_000 }

it('servers that stand for a lease keep its promises, whatever fails', async () => {
  const { violations, figures } = await explore({ from: 1, seeds: 25 })
  expect(violations).toEqual([])
  expect(figures.campaigns).toBeGreaterThan(200)
})

it('the same seed makes the same history', async () => {
  const [one, two] = [await runScene(7), await runScene(7)]
  expect(two.lines).toEqual(one.lines)
})

it(
  'a clock that drifts for a month hands over before it harms, and leaves no row that cannot be taken',
  BUSY,
  async () => {
    const { tenures, isLed, longestVacancyMs } = await month(30)
    expect(tenures).toEqual(['ann', 'cyd']) // the clock of ann gains, that of cyd is right
    expect(isLed).toBe(true)
    expect(longestVacancyMs).toBeLessThan(LOOK_MS * 1.6)
  },
)

it('a leader whose clock is set right again and again leads for a month', BUSY, async () => {
  const { tenures, isLed } = await month(30, 300)
  expect([tenures, isLed]).toEqual([['ann'], true])
})
