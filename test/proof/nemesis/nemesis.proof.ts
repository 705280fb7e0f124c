/** Real processes, signals and sockets against DynamoDB Local: what a simulation of them cannot show. */
import { randomInt } from 'node:crypto'
import { expect, inject, it } from 'vitest'
import { check, lostUpdates } from './checks.ts'
import { run } from './run.ts'

const isQuick = process.env['PROOF_QUICK'] === '1'
const seed = Number(process.env['PROOF_SEED'] ?? randomInt(2 ** 31))
const endpoint = inject('dynamodbEndpoint')
const fenced = isQuick ? { additions: 60, staleWrites: 2 } : { additions: 300, staleWrites: 8 }
const control = isQuick ? { additions: 60, staleWrites: 3 } : { additions: 120, staleWrites: 3 }
const VIOLATIONS_SHOWN = 3
const mostMs = isQuick ? 60_000 : 180_000

it('lease and protected row are linearizable, tokens increase, and no update is lost', async ({ task, signal }) => {
  const { history, figures, problems } = await run({ isFenced: true, seed, endpoint, mostMs, signal, ...fenced })
  expect(check(history).slice(0, VIOLATIONS_SHOWN)).toEqual([])
  expect(problems).toEqual([])
  task.meta.figures = { ...figures, seed: String(seed) }
})

it('updates are lost without a fence: the faults would show a missing one', async ({ task, signal }) => {
  const { history, problems } = await run({ isFenced: false, seed, endpoint, mostMs, signal, ...control })
  const lost = lostUpdates(history)
  expect(lost).not.toEqual([])
  expect(check(history).filter((violation) => violation.claim !== 'S3')).toEqual([])
  expect(problems).toEqual([])
  task.meta.figures = { 'updates lost by the control': lost.length }
  task.meta.seenToBreak = [{ claim: 'S3', how: `control without a fence: ${lost.length} updates lost` }]
})
