import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CallFault, describeCallFault, isPlannedAt } from '../../../infra/local/faults/fault.ts'
import { chaosPlan, freezeAtWorst, killAtWorst, MIN_CHAOS_TICKS } from '../../../infra/local/faults/plan.ts'

const seed = fc.integer({ min: 0, max: 0xffff_ffff })
const ticks = fc.integer({ min: MIN_CHAOS_TICKS, max: 20 })
const holdsForAll = (property: (plan: readonly CallFault[], ticks: number) => void) =>
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

  test('kills a leader, and freezes another one before a write to a row', () => {
    holdsForAll((plan) => {
      expect(plan.some((fault) => fault.do === 'killLeader')).toBe(true)
      const freezes = plan.filter((fault) => fault.do === 'freezeLeader')
      expect(freezes.some(({ at, when }) => when === 'before' && ROWS.includes(at))).toBe(true)
    })
  })

  test('hits every tick, and at most one leader a tick', () => {
    holdsForAll((plan, number) => {
      for (let tick = 1; tick <= number; tick += 1) {
        const faults = plan.filter((fault) => fault.tick === tick)
        expect(faults.length).toBeGreaterThan(0)
        expect(
          faults.filter(({ do: name }) => name === 'killLeader' || name === 'freezeLeader').length,
        ).toBeLessThanOrEqual(1)
      }
      expect(Math.max(...plan.map(({ tick }) => tick))).toBe(number)
    })
  })

  test('has at most one fault at a call', () => {
    holdsForAll((plan) => {
      for (const one of plan) {
        for (let nth = 1; nth <= 12; nth += 1) {
          const there = plan.filter((fault) => fault.tick === one.tick && isPlannedAt(fault, one.at, nth))
          expect(there.length).toBeLessThanOrEqual(1)
        }
      }
    })
  })

  test('has the gateway refuse or delay, and DynamoDB throttle or drop a request, not the other way round', () => {
    holdsForAll((plan) => {
      for (const { do: name, at } of plan) {
        if (name === 'refuse' || name === 'delayReply') expect(at).toBe('charge')
        if (name === 'throttle' || name === 'dropRequest') expect(at).not.toBe('charge')
      }
    })
  })

  test('uses every fault', () => {
    const known = new Set(Array.from({ length: 50 }, (_, index) => chaosPlan(index, 8).map((fault) => fault.do)).flat())
    const all = ['delayReply', 'dropReply', 'dropRequest', 'freezeLeader', 'killLeader', 'refuse', 'throttle']
    expect([...known].sort()).toEqual(all)
  })
})

test('throttling hits several calls in a row, any other fault one call', () => {
  const at = { tick: 1, at: 'claim', nth: 2 } as const
  const hits = (fault: CallFault) => [1, 2, 3, 4, 5].filter((nth) => isPlannedAt(fault, 'claim', nth))
  expect(hits({ ...at, do: 'throttle', times: 3 })).toEqual([2, 3, 4])
  expect(hits({ ...at, do: 'dropRequest' })).toEqual([2])
  expect(isPlannedAt({ ...at, do: 'dropRequest' }, 'intent', 2)).toBe(false)
})

test.each([
  [6, 3],
  [5, 2],
  [1, 1],
  [0, 1],
])('of %i charges, the leader is hit at number %i', (expected, nth) => {
  expect(killAtWorst(2, expected)).toMatchObject([{ tick: 2, at: 'charge', nth, do: 'killLeader' }])
  expect(freezeAtWorst(2, expected)[0]).toMatchObject({ tick: 2, at: 'charge', nth, do: 'dropReply' })
})

test.each<[CallFault, string]>([
  [{ tick: 1, at: 'charge', nth: 3, do: 'killLeader', when: 'after' }, 'leader killed after the 3rd charge'],
  [{ tick: 1, at: 'claim', nth: 12, do: 'dropReply' }, 'reply to the 12th claim dropped'],
  [{ tick: 1, at: 'charge', nth: 21, do: 'dropReply' }, 'reply to the 21st charge dropped, after the gateway charged'],
  [{ tick: 1, at: 'lease', nth: 2, do: 'throttle', times: 3 }, 'the 2nd lease write and the next 2 throttled'],
])('%j is described', (fault, words) => {
  expect(describeCallFault(fault)).toBe(words)
})
