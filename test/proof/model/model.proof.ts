import { expect, it } from 'vitest'
import { CLAIMS } from '../claims.ts'
import { explore } from './explore.ts'

const quick = process.env['PROOF_QUICK'] === '1'

it(`every claim holds in every order of events, in ${quick ? 'a few' : 'all'} small worlds`, {
  timeout: 600_000,
}, async ({ task }) => {
  const { violations, figures, seenToBreak, unreached } = await explore({ quick })
  task.meta.figures = figures
  task.meta.seenToBreak = seenToBreak
  const broken = violations.map(({ claim, what, trace }) => {
    const title = claim === undefined ? 'The search is blind' : `${claim} is broken: ${CLAIMS[claim]}`
    return [title, what, ...trace].join('\n')
  })
  expect(broken.join('\n\n')).toBe('')
  if (!quick) expect(unreached, 'steps and situations that no world has reached').toEqual([])
})
