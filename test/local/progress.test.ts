import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchProgress } from '../../infra/local/display/progress.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a tick is told of once a second from its second second on, while something is left to do', () => {
  let told = 0
  let isDone = false
  const watch = watchProgress(
    () => isDone,
    () => {
      told += 1
    },
  )
  vi.advanceTimersByTime(1_999)
  expect(told).toBe(0)
  vi.advanceTimersByTime(2_001)
  expect(told).toBe(3)
  isDone = true
  vi.advanceTimersByTime(5_000)
  expect(told).toBe(3)
  isDone = false
  watch[Symbol.dispose]()
  vi.advanceTimersByTime(5_000)
  expect(told).toBe(3)
})
