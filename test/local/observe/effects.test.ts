import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createEffects } from '../../../infra/local/observe/effects.ts'
import type { Entry } from '../../../infra/local/observe/entries.ts'

const CHARGE = { tenure: 1, token: 7, candidate: 1, verdict: 'accepted', what: 'charge' } as const

beforeEach(() => void vi.useFakeTimers({ now: 1_000 }))
afterEach(() => void vi.useRealTimers())

function scene() {
  const told: Entry[] = []
  return { told, ...createEffects((entry) => told.push(entry), Date.now) }
}

test('effects that come within a tenth of a second are told together, with the time of the first', () => {
  const { add, told } = scene()
  add(CHARGE)
  vi.advanceTimersByTime(60)
  add(CHARGE)
  expect(told).toEqual([])
  vi.advanceTimersByTime(40)
  expect(told).toEqual([{ kind: 'effect', ...CHARGE, atMs: 1_000, times: 2 }])
})

test('what comes later is told by itself', () => {
  const { add, told } = scene()
  add(CHARGE)
  vi.advanceTimersByTime(100)
  add(CHARGE)
  vi.advanceTimersByTime(100)
  expect(told).toMatchObject([
    { atMs: 1_000, times: 1 },
    { atMs: 1_100, times: 1 },
  ])
})

test.each([
  { ...CHARGE, token: 8 },
  { ...CHARGE, candidate: 2 },
  { ...CHARGE, verdict: 'refused' as const },
  { ...CHARGE, what: 'UpdateItem of charges' },
])('another is not counted with it: %j', (other) => {
  const { add, flush, told } = scene()
  add(CHARGE)
  add(other)
  flush()
  expect(told).toEqual([
    { kind: 'effect', ...CHARGE, atMs: 1_000, times: 1 },
    { kind: 'effect', ...other, atMs: 1_000, times: 1 },
  ])
})

test('all can be told at once, and none of them again', () => {
  const { add, flush, told } = scene()
  add(CHARGE)
  flush()
  expect(told).toHaveLength(1)
  flush()
  vi.advanceTimersByTime(1_000)
  expect(told).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('after all were told at once, the next ones have their whole time again', () => {
  const { add, flush, told } = scene()
  add(CHARGE)
  vi.advanceTimersByTime(90)
  flush()
  add(CHARGE)
  vi.advanceTimersByTime(99)
  expect(told).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(told).toHaveLength(2)
})
