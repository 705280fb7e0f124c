// @ts-nocheck
import { beforeEach, expect, it } from 'vitest'
import { Deadline, instantOf } from '../../functions/election/deadline.ts'
import { ManualClock } from '../../functions/election/testing/manual-clock.ts'

const LENGTH_MS = 15_000

let clock: ManualClock
let deadline: Deadline
beforeEach(() => {
  clock = new ManualClock()
  deadline = new Deadline(clock, instantOf(clock), clock.wallMs() + LENGTH_MS)
})

it('is not stretched on the monotonic clock by a renewal under a wall clock that was set back', () => {
  clock.freeze(5_000)
  clock.setWall(-3_000)
  deadline.extend(instantOf(clock), deadline.expiresAtMs)
  clock.freeze(10_000)
  expect(deadline.remainingMs()).toBe(0)
})

it('is not stretched on the monotonic clock by a renewal after that clock stood still', () => {
  clock.freeze(5_000, { monotonic: false })
  deadline.extend(instantOf(clock), clock.wallMs() + LENGTH_MS)
  clock.setWall(-5_000) // the wall clock is corrected, only the monotonic one counts
  clock.freeze(LENGTH_MS)
  expect(deadline.remainingMs()).toBe(0)
})

it.each([
  [0, 0],
  [30, 30],
  [1_000, 100],
])('a monotonic clock that gained 100 ms is corrected by at most %i ms: %i ms', (atMostMs, correctedMs) => {
  let wallMs = 6_000
  const clock = { wallMs: () => wallMs, monotonicMs: () => 5_600, sleep: async () => undefined }
  const deadline = new Deadline(clock, { wallMs: 1_000, monotonicMs: 500 }, 16_000)
  deadline.recover({ wallMs, monotonicMs: 5_600 }, atMostMs)
  wallMs = 0 // only the monotonic clock counts
  expect(deadline.remainingMs()).toBe(9_900 + correctedMs)
})

it('a monotonic clock that gains 50 ppm for a month does not shorten a leader’s lease', () => {
  let [wallMs, monotonicMs] = [0, 0]
  const clock = { wallMs: () => wallMs, monotonicMs: () => monotonicMs, sleep: async () => undefined }
  const deadline = new Deadline(clock, { wallMs, monotonicMs }, 15_000)
  for (let renewals = 0; renewals < (30 * 86_400) / 5; renewals++) {
    const askedAt = { wallMs, monotonicMs }
    wallMs += 5_000
    monotonicMs += 5_000.25
    deadline.extend({ wallMs, monotonicMs }, wallMs + 15_000)
    deadline.recover({ wallMs, monotonicMs }, (monotonicMs - askedAt.monotonicMs) / 1_000)
  }
  expect(deadline.remainingMs()).toBeGreaterThan(14_990)
})
