// @ts-nocheck
import { expect, test } from 'vitest'
import { type Step, shortened, TenureLogs } from '../../../infra/local/observe/tenure-logs.ts'

const steps = (from: number, to: number): readonly Step[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ atMs: from + index, description: `step ${from + index}` }))

test('a long log shows its last 300 steps', () => {
  const logs = new TenureLogs()
  logs.add(7, ...steps(1, 1_000))
  expect(logs.get(7)).toEqual(steps(701, 1_000))
})

test('all logs together keep 10,000 steps, and the oldest go first', () => {
  const logs = new TenureLogs()
  for (let tenure = 1; tenure <= 60; tenure += 1) logs.add(tenure, ...steps(1, 200))
  expect([10, 11, 60].map((tenure) => logs.get(tenure).length)).toEqual([0, 200, 200])
})

test('large JSON is shortened to its beginning', () => {
  const small = { Item: { id: { S: 'x' } } }
  expect(shortened(small)).toBe(small)
  const large = { Item: 'x'.repeat(30_000) }
  const text = JSON.stringify(large)
  expect(shortened(large)).toEqual({ beginning: text.slice(0, 4_000), omitted: `${text.length - 4_000} characters` })
})
