import { expect, test } from 'vitest'
import { type Step, shortened, TenureLogs } from '../../../infra/local/observe/tenure-logs.ts'

const step = (number: number): Step => ({ atMs: number, description: `step ${number}` })
const steps = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => step(from + index))

test('a log has the steps before the grant, and those after it', () => {
  const logs = new TenureLogs()
  const before = [step(1), step(2)]
  logs.begin(7, before)
  logs.add(7, step(3))
  expect(logs.get(7)).toMatchObject({ steps: steps(1, 3), dropped: 0 })
  expect(before).toHaveLength(2)
})

test('a long log keeps its last 300 steps, and the number of the others', () => {
  const logs = new TenureLogs()
  logs.begin(7, [])
  for (const one of steps(1, 1_000)) logs.add(7, one)
  expect(logs.get(7)).toEqual({ dropped: 700, steps: steps(701, 1_000) })
})

test('all logs together keep 10,000 steps, and the oldest logs go first', () => {
  const logs = new TenureLogs()
  for (let tenure = 1; tenure <= 60; tenure += 1) logs.begin(tenure, steps(1, 200))
  expect([10, 11, 60].map((tenure) => logs.get(tenure)?.steps.length)).toEqual([undefined, 200, 200])
})

test('large JSON is shortened to its beginning', () => {
  const small = { Item: { id: { S: 'x' } } }
  expect(shortened(small)).toBe(small)
  const large = { Item: 'x'.repeat(30_000) }
  const text = JSON.stringify(large)
  expect(shortened(large)).toEqual({ beginning: text.slice(0, 4_000), omitted: `${text.length - 4_000} characters` })
})
