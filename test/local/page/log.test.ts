import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import type { Step } from '../../../infra/local/observe/tenure-logs.ts'
import { renderFailure, renderLog, renderLogTitle } from '../../../infra/local/page/client/view.ts'
import { began, effect, ended, failed, historyOf, KILLED, T0, TICK, textOf } from './election.ts'

const tenureOf = (...entries: readonly Entry[]) => {
  const [tenure] = historyOf(...entries).tenures
  if (tenure === undefined) throw new Error('There is no tenure')
  return tenure
}
const logOf = (steps: readonly Step[], dropped = 0, gapAt = 200) => renderLog(undefined, { steps, dropped, gapAt })

test('the title has the candidate, the token and the tick', () => {
  expect(textOf(renderLogTitle(tenureOf(began(1, 0))))).toBe(`Candidate 1, token 101, tick ${TICK}`)
  expect(textOf(renderLogTitle(tenureOf(began(1, 0, { tick: undefined }))))).toBe('Candidate 1, token 101')
})

test.each<[readonly Entry[], string]>([
  [[], 'Outcome: leading. Effects accepted: 0.'],
  [[effect(1, 10, { times: 3 }), ended(1, 2_000)], 'Outcome: completed. Duration: 2 s. Effects accepted: 3.'],
  [
    [failed(1, 1_000), began(2, 16_000, { replaced: 1 }), effect(1, 17_000, { verdict: 'refused', times: 2 })],
    'Outcome: failed, then taken over. Duration: 1 s. Effects accepted: 0. ' +
      'Writes refused because another candidate had taken over: 2.',
  ],
])('the summary has the outcome, the duration and the effects: %#', (entries, text) => {
  const log = renderLog(tenureOf(began(1, 0), ...entries), { steps: [], dropped: 0, gapAt: 200 })
  expect(textOf(log)).toBe(text)
})

describe('a step', () => {
  const step = { atMs: T0 + 7, description: 'Renews the lease' }

  test.each<[Step, string]>([
    [step, '12:00:00.007 Renews the lease'],
    [{ ...step, request: {} }, '12:00:00.007 Renews the lease → no answer yet Request {}'],
    [
      { ...step, request: { a: 1 }, result: 'done', tookMs: 3.6, answer: {} },
      '12:00:00.007 Renews the lease → done 4 ms Request { &quot;a&quot;: 1 } Answer {}',
    ],
  ])('has its time, its request, its result and its duration: %#', (shown, text) => {
    expect(textOf(logOf([shown]))).toBe(text)
  })

  test('that is a fault is marked', () => {
    expect(String(logOf([{ ...step, isFault: true }]))).toContain('<li class="fault">')
    expect(String(logOf([step]))).toContain('<li>')
  })

  test('shows its stack and log, and hides its request', () => {
    const markup = String(logOf([{ ...step, request: {}, trace: ['at a', 'at b'] }]))
    expect(markup).toMatch(/<details open><summary>Stack and log<\/summary><pre tabindex="0">at a\nat b<\/pre>/)
    expect(markup).toMatch(/<details><summary>Request<\/summary>/)
    expect(String(logOf([{ ...step, trace: [] }]))).not.toContain('Stack')
  })
})

test('a gap is shown where steps were dropped', () => {
  const steps = [1, 2, 3].map((number) => ({ atMs: T0, description: `step ${number}` }))
  expect(textOf(logOf(steps, 9, 2))).toMatch(/step 1.*step 2 9 steps are not kept\. .*step 3$/)
  expect(textOf(logOf(steps, 0, 2))).not.toContain('not kept')
})

test('foreign text is escaped', () => {
  const evil = '<img src=x onerror=alert(1)>'
  const step = { atMs: T0, description: evil, result: evil, request: { evil }, answer: [evil], trace: [evil] }
  const error = { name: evil, message: evil, trace: [evil] }
  const failure = renderFailure({ atMs: T0, candidate: 1, invocation: evil, tick: evil, error })
  for (const markup of [logOf([step]), failure.title, failure.body]) expect(String(markup)).not.toContain('<img')
  expect(textOf(logOf([step]))).toContain('&lt;img src=x onerror=alert(1)&gt;')
})

test.each([
  [TICK, `Tick ${TICK}. `],
  [undefined, ''],
])('a failed attempt of the tick %s shows its error', (tick, prefix) => {
  const { title, body } = renderFailure({ atMs: T0, candidate: 2, invocation: 'i2', tick, error: KILLED })
  expect(textOf(title)).toBe('Candidate 2 failed without leading')
  expect(textOf(body)).toBe(`${prefix}Runtime.ExitError : signal: killed Stack and log at work (index.mjs:1:1)`)
})
