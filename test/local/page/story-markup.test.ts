import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import type { Step } from '../../../infra/local/observe/stories.ts'
import { renderFailure, renderStory, renderStoryTitle } from '../../../infra/local/page/client/story.ts'
import { began, effect, ended, failed, historyOf, KILLED, T0, TICK } from './election.ts'

const tenureOf = (...entries: readonly Entry[]) => {
  const [tenure] = historyOf(...entries).tenures
  if (tenure === undefined) throw new Error('There is no tenure')
  return tenure
}

const textOf = (markup: object) =>
  String(markup)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

const storyOf = (steps: readonly Step[], leftOut = 0, gapAt = 200) => renderStory(undefined, { steps, leftOut, gapAt })

test('the title names candidate, token and tick', () => {
  expect(textOf(renderStoryTitle(tenureOf(began(1, 0))))).toBe(`Candidate 1, token 101, tick ${TICK}`)
  expect(textOf(renderStoryTitle(tenureOf(began(1, 0, { tick: undefined }))))).toBe('Candidate 1, token 101')
})

describe('the summary', () => {
  const summary = (...entries: readonly Entry[]) =>
    textOf(renderStory(tenureOf(began(1, 0), ...entries), { steps: [], leftOut: 0, gapAt: 200 }))

  test('says how it ended, how long it lasted and what it did', () => {
    expect(summary()).toBe('Outcome: leading. 0 effects were accepted.')
    expect(summary(effect(1, 10, { times: 3 }), ended(1, 2_000))).toBe(
      'Outcome: completed. It lasted 2 s. 3 effects were accepted.',
    )
  })

  test('says which of its writes came too late', () => {
    const late = effect(1, 17_000, { verdict: 'refused', times: 2 })
    expect(summary(failed(1, 1_000), began(2, 16_000, { replaced: 1 }), late)).toBe(
      'Outcome: failed, then taken over. It lasted 1 s. 0 effects were accepted. 2 of its writes came after another had taken over, and were refused.',
    )
  })

  test('is missing where the tenure is forgotten', () => {
    expect(textOf(storyOf([]))).toBe('')
  })
})

describe('a step', () => {
  test('has its time, what was asked, what came of it and how long that took', () => {
    const step = { atMs: T0 + 7, words: 'Renews the lease', request: { a: 1 }, came: 'done', tookMs: 3.6, answer: {} }
    expect(textOf(storyOf([step]))).toBe(
      '12:00:00.007 Renews the lease → done 4 ms Request { &quot;a&quot;: 1 } Answer {}',
    )
  })

  test('that is not answered yet says so; one that asked nothing has no answer', () => {
    expect(textOf(storyOf([{ atMs: T0, words: 'Renews the lease', request: {} }]))).toContain(
      '→ no answer yet Request {}',
    )
    expect(textOf(storyOf([{ atMs: T0, words: 'Woken' }]))).toBe('12:00:00.000 Woken')
  })

  test('that was done by hand looks so', () => {
    expect(String(storyOf([{ atMs: T0, words: 'killed', isByHand: true }]))).toContain('<li class="hand">')
    expect(String(storyOf([{ atMs: T0, words: 'killed' }]))).toContain('<li>')
  })

  test('has its stack and its log in sight, and requests folded', () => {
    const markup = String(storyOf([{ atMs: T0, words: 'Fails', request: {}, trace: ['at a', 'at b'] }]))
    expect(markup).toMatch(/<details open><summary>Stack and log<\/summary><pre tabindex="0">at a\nat b<\/pre>/)
    expect(markup).toMatch(/<details><summary>Request<\/summary>/)
    expect(String(storyOf([{ atMs: T0, words: 'Fails', trace: [] }]))).not.toContain('Stack')
  })
})

test('where steps were left out, the gap is where they were', () => {
  const steps = [1, 2, 3].map((number) => ({ atMs: T0, words: `step ${number}` }))
  expect(textOf(storyOf(steps, 9, 2))).toMatch(/step 1.*step 2 9 steps in between were too many to keep\. .*step 3$/)
  expect(textOf(storyOf(steps, 0, 2))).not.toContain('too many')
})

test('what comes from outside stays text', () => {
  const evil = '<img src=x onerror=alert(1)>'
  const step = { atMs: T0, words: evil, came: evil, request: { evil }, answer: [evil], trace: [evil] }
  const error = { name: evil, message: evil, trace: [evil] }
  const failure = renderFailure({ atMs: T0, candidate: 1, invocation: evil, tick: evil, error })
  for (const markup of [storyOf([step]), failure.title, failure.body]) expect(String(markup)).not.toContain('<img')
  expect(textOf(storyOf([step]))).toContain('&lt;img src=x onerror=alert(1)&gt;')
})

test('a try that failed without leading says why, and where', () => {
  const { title, body } = renderFailure({ atMs: T0, candidate: 2, invocation: 'i2', tick: TICK, error: KILLED })
  expect(textOf(title)).toBe('Candidate 2 failed without leading')
  expect(textOf(body)).toBe(`Tick ${TICK}. Runtime.ExitError : signal: killed Stack and log at work (index.mjs:1:1)`)
  const noTick = renderFailure({ atMs: T0, candidate: 2, invocation: 'i2', tick: undefined, error: KILLED })
  expect(textOf(noTick.body)).not.toContain('Tick')
})
