// @ts-nocheck
import { expect, it } from 'vitest'
import { CLAIMS } from './claims.ts'
import { type KeptOutcome, page, summary } from './page.ts'

const RUN = 'on 2026-11-21, 2 cores'
const model: KeptOutcome = {
  commit: 'abc1234',
  ...{ part: 'model', seconds: 123.4, failures: [], seenToBreak: [{ claim: 'S1', how: 'clocks | beyond the budget' }] },
  figures: [
    { worlds: 1, states: 1_234_000 },
    { worlds: 1, states: 567 },
  ],
}
const failing: KeptOutcome = { ...model, part: 'fuzz', failures: ['a tick'], figures: [{ seed: '7' }, { seed: '7' }] }

it('has the verdict, the figures of all tests of a part together, and what was seen to break each claim', () => {
  const text = page([model, model, model, model, model, model], RUN)
  expect(text).toContain('Every claim held. **Nothing was seen to break S2.**')
  expect(text).toContain(
    '| model | abc1234 | passed in 2 min 3 s | worlds: 2, states: 1,234,567 | `npm run proof model` |',
  )
  expect(text).toContain(`| S1: ${CLAIMS.S1} | model, simulation | model: clocks \\| beyond the budget. `)
  expect(text.split('\n').length).toBeLessThanOrEqual(100)
})

it('names the part that failed, what failed, and the seed that repeats it', () => {
  const text = page([model, failing], RUN, ['mutants'])
  expect(text).toContain('**Not proven:** fuzz failed. **Not run in full:** mutants.')
  expect(text).toContain(
    '| fuzz | abc1234 | **failed:** a tick in 2 min 3 s | seed: 7 | `npm run proof fuzz -- --seed 7` |',
  )
  expect(summary(failing)).toBe('fuzz: FAILED (a tick) in 2 min 3 s. seed: 7')
})
