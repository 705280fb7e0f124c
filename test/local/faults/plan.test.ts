import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Fault, strikesAt, wordsFor } from '../../../infra/local/faults/fault.ts'
import { chaosPlan, LEAST_CHAOS_TICKS } from '../../../infra/local/faults/plan.ts'
import { freezeLeader, killLeader } from '../../../infra/local/faults/worst-moments.ts'

const seed = fc.integer({ min: 0, max: 0xffff_ffff })
const ticks = fc.integer({ min: LEAST_CHAOS_TICKS, max: 20 })
const holdsForAll = (property: (plan: readonly Fault[], ticks: number) => void) =>
  fc.assert(fc.property(seed, ticks, (ofSeed, number) => property(chaosPlan(ofSeed, number), number)))

const ROWS = ['claim', 'intent', 'answer', 'move']

describe('a plan of chaos', () => {
  test('is the same for the same seed, and another for another', () => {
    const repeats = fc.property(seed, ticks, (one, number) => {
      expect(chaosPlan(one, number)).toEqual(chaosPlan(one, number))
    })
    fc.assert(repeats)
    expect(chaosPlan(1, 8)).not.toEqual(chaosPlan(2, 8))
  })

  test('kills a leader, and freezes one before a write that comes too late', () => {
    holdsForAll((plan) => {
      expect(plan.some(({ what }) => what === 'kill')).toBe(true)
      const freezes = plan.filter((fault) => fault.what === 'freeze')
      expect(freezes.some(({ at, when }) => when === 'before' && ROWS.includes(at))).toBe(true)
    })
  })

  test('hits every tick, and at most one leader a tick', () => {
    holdsForAll((plan, number) => {
      for (let tick = 1; tick <= number; tick += 1) {
        const faults = plan.filter((fault) => fault.tick === tick)
        expect(faults.length).toBeGreaterThan(0)
        expect(faults.filter(({ what }) => what === 'kill' || what === 'freeze').length).toBeLessThanOrEqual(1)
      }
      expect(Math.max(...plan.map(({ tick }) => tick))).toBe(number)
    })
  })

  test('has one fault at most at a call', () => {
    holdsForAll((plan) => {
      for (const one of plan) {
        for (let nth = 1; nth <= 12; nth += 1) {
          const there = plan.filter((fault) => fault.tick === one.tick && strikesAt(fault, one.at, nth))
          expect(there.length).toBeLessThanOrEqual(1)
        }
      }
    })
  })

  test('lets only the gateway refuse or be late, and only DynamoDB throttle or lose a request', () => {
    holdsForAll((plan) => {
      for (const { what, at } of plan) {
        if (what === 'refuse' || what === 'delay') expect(at).toBe('charge')
        if (what === 'throttle' || what === 'drop') expect(at).not.toBe('charge')
      }
    })
  })

  test('knows every fault that there is', () => {
    const known = new Set(Array.from({ length: 50 }, (_, index) => chaosPlan(index, 8).map(({ what }) => what)).flat())
    expect([...known].sort()).toEqual(['delay', 'drop', 'freeze', 'kill', 'loseReply', 'refuse', 'throttle'])
  })
})

test('throttling strikes at several calls in a row, everything else at one', () => {
  const at = { tick: 1, at: 'claim', nth: 2 } as const
  const struckAt = (fault: Fault) => [1, 2, 3, 4, 5].filter((nth) => strikesAt(fault, 'claim', nth))
  expect(struckAt({ ...at, what: 'throttle', times: 3 })).toEqual([2, 3, 4])
  expect(struckAt({ ...at, what: 'drop' })).toEqual([2])
  expect(strikesAt({ ...at, what: 'drop' }, 'intent', 2)).toBe(false)
})

test.each([
  [6, 3],
  [5, 2],
  [1, 1],
  [0, 1],
])('of %i charges the leader is hit at number %i', (expected, nth) => {
  expect(killLeader(2, expected)).toMatchObject([{ tick: 2, at: 'charge', nth, what: 'kill' }])
  expect(freezeLeader(2, expected)[0]).toMatchObject({ tick: 2, at: 'charge', nth, what: 'loseReply' })
})

test.each<[Fault, string]>([
  [{ tick: 1, at: 'charge', nth: 3, what: 'kill', when: 'after' }, 'leader killed after the 3rd charge'],
  [{ tick: 1, at: 'claim', nth: 12, what: 'loseReply' }, 'reply to the 12th claim lost'],
  [{ tick: 1, at: 'charge', nth: 21, what: 'loseReply' }, "gateway's reply to the 21st charge lost, after it charged"],
  [{ tick: 1, at: 'lease', nth: 2, what: 'throttle', times: 3 }, 'the 2nd lease write and the next 2 throttled'],
])('%j in words', (fault, words) => {
  expect(wordsFor(fault)).toBe(words)
})
