import { expect, test } from 'vitest'
import { createStories, type Step, shownJson } from '../../../infra/local/observe/stories.ts'

const step = (number: number): Step => ({ atMs: number, words: `step ${number}` })
const numbersOf = (steps: readonly Step[] | undefined) => steps?.map(({ atMs }) => atMs)

test('a story has the steps from before it was known to be one, and those that follow', () => {
  const stories = createStories()
  const before = [step(1), step(2)]
  stories.begin(7, before)
  stories.note(7, step(3))
  expect(stories.get(7)).toMatchObject({ steps: [step(1), step(2), step(3)], leftOut: 0 })
  expect(before).toHaveLength(2)
})

test('stories do not mix, and what belongs to none is not kept', () => {
  const stories = createStories()
  stories.begin(7, [])
  stories.begin(8, [])
  stories.note(8, step(1))
  stories.note(9, step(2))
  expect(numbersOf(stories.get(7)?.steps)).toEqual([])
  expect(numbersOf(stories.get(8)?.steps)).toEqual([1])
  expect(stories.get(9)).toBeUndefined()
})

test('what becomes of a step is seen later, for it is told when it comes', () => {
  const stories = createStories()
  const asked = step(1)
  stories.begin(7, [asked])
  asked.came = 'done'
  expect(stories.get(7)?.steps[0]).toMatchObject({ came: 'done' })
})

test('of a long one the first 200 steps and the last 100 are kept, and how many lay between, and where, is said', () => {
  const stories = createStories()
  stories.begin(7, [])
  for (let number = 1; number <= 300; number += 1) stories.note(7, step(number))
  expect(stories.get(7)).toMatchObject({ leftOut: 0, steps: { length: 300 } })
  for (let number = 301; number <= 1_000; number += 1) stories.note(7, step(number))
  const story = stories.get(7)
  expect(story).toMatchObject({ leftOut: 700, gapAt: 200 })
  expect(numbersOf(story?.steps)).toEqual([
    ...Array.from({ length: 200 }, (_, index) => index + 1),
    ...Array.from({ length: 100 }, (_, index) => index + 901),
  ])
})

test('the last 200 stories are kept', () => {
  const stories = createStories()
  for (let token = 1; token <= 250; token += 1) stories.begin(token, [step(token)])
  expect(stories.get(50)).toBeUndefined()
  expect(numbersOf(stories.get(51)?.steps)).toEqual([51])
  expect(numbersOf(stories.get(250)?.steps)).toEqual([250])
  stories.note(50, step(1))
  expect(stories.get(50)).toBeUndefined()
})

test('of all stories together 10,000 steps are kept, the oldest stories go first', () => {
  const stories = createStories()
  for (let tenure = 1; tenure <= 60; tenure += 1) {
    stories.begin(tenure, [])
    for (let number = 1; number <= 200; number += 1) stories.note(tenure, step(number))
  }
  expect(stories.get(10)).toBeUndefined()
  expect(stories.get(11)?.steps).toHaveLength(200)
  expect(stories.get(60)?.steps).toHaveLength(200)
})

test('a request of megabytes is shown by its beginning, and how much is left out is said', () => {
  const small = { Item: { id: { S: 'x' } } }
  expect(shownJson(small)).toBe(small)
  const large = { Item: 'x'.repeat(30_000) }
  const text = JSON.stringify(large)
  expect(shownJson(large)).toEqual({ beginning: text.slice(0, 4_000), leftOut: `${text.length - 4_000} letters` })
})
