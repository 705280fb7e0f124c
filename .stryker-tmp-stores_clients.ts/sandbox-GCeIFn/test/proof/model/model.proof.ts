// @ts-nocheck
import { expect, it } from 'vitest'
import { textOf } from '../result.ts'
import { explore } from './search.ts'

const quick = process.env['PROOF_QUICK'] === '1'

it(`every claim holds in every order of events, in ${quick ? 'a few' : 'all'} small worlds`, {
  timeout: 600_000,
}, async ({ task }) => {
  const { violations, figures, seenToBreak, unreached } = await explore({ quick })
  task.meta.figures = figures
  task.meta.seenToBreak = seenToBreak
  expect(textOf(violations, 'The search is blind')).toBe('')
  if (!quick) expect(unreached, 'steps and situations that no world has reached').toEqual([])
})
