import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchProgress } from '../../../infra/local/cli/progress.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a tick is told of once a second from its second second on', () => {
  let told = 0
  const watch = watchProgress(() => {
    told += 1
  })
  vi.advanceTimersByTime(1_999)
  expect(told).toBe(0)
  vi.advanceTimersByTime(2_001)
  expect(told).toBe(3)
  watch[Symbol.dispose]()
  vi.advanceTimersByTime(5_000)
  expect(told).toBe(3)
})
