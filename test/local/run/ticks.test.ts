import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { everySecond } from '../../../infra/local/run/ticks.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('progress is reported once a second, from the second second on', () => {
  const report = vi.fn()
  const timer = everySecond(report)
  vi.advanceTimersByTime(1_999)
  expect(report).toHaveBeenCalledTimes(0)
  vi.advanceTimersByTime(2_001)
  expect(report).toHaveBeenCalledTimes(3)
  timer[Symbol.dispose]()
  vi.advanceTimersByTime(5_000)
  expect(report).toHaveBeenCalledTimes(3)
})
