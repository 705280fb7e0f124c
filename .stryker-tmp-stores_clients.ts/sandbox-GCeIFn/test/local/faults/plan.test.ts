// @ts-nocheck
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CallFault, describeCallFault } from '../../../infra/local/faults/fault.ts'
import { chaosPlan, freezeAtWorst, killAtWorst, MIN_CHAOS_TICKS, planOf } from '../../../infra/local/faults/plan.ts'

const seed = fc.integer({ min: 0, max: 0xffff_ffff })
const ticks = fc.integer({ min: MIN_CHAOS_TICKS, max: 20 })
const ROWS = ['claim', 'intent', 'answer', 'move']
const hitsLeader = (fault: CallFault) => fault.do === 'killLeader' || fault.do === 'freezeLeader'

test('a plan of chaos kills a leader, freezes another one before a write to a row, and hits every tick once', () => {
  const property = fc.property(seed, ticks, (ofSeed, number) => {
    const plan = chaosPlan(ofSeed, number)
    expect(chaosPlan(ofSeed, number)).toEqual(plan)
    expect(plan.some((fault) => fault.do === 'killLeader')).toBe(true)
    const isFenced = (fault: CallFault) =>
      fault.do === 'freezeLeader' && fault.when === 'before' && ROWS.includes(fault.at)
    expect(plan.some(isFenced)).toBe(true)
    for (let tick = 1; tick <= number; tick += 1) {
      const ofTick = plan.filter((fault) => fault.tick === tick)
      expect(ofTick.length).toBeGreaterThan(0)
      expect(ofTick.slice(1).filter(hitsLeader)).toEqual([]) // of faults at the same call, the first is injected
    }
    for (const { at, do: name } of plan) {
      if (name === 'refuse') expect(at).toBe('charge')
      if (name === 'throttle' || name === 'dropRequest') expect(at).not.toBe('charge')
    }
  })
  fc.assert(property)
  const known = new Set(Array.from({ length: 50 }, (_, index) => chaosPlan(index, 8).map((fault) => fault.do)).flat())
  const all = ['dropReply', 'dropRequest', 'freezeLeader', 'killLeader', 'refuse', 'throttle']
  expect([...known].sort()).toEqual(all)
})

test.each([
  [6, 3],
  [5, 2],
  [0, 1],
])('of %i charges, the leader is hit at number %i', (expected, nth) => {
  expect(killAtWorst(2, expected)).toMatchObject([{ tick: 2, at: 'charge', nth, do: 'killLeader' }])
  expect(freezeAtWorst(2, expected)[0]).toMatchObject({ tick: 2, at: 'charge', nth, do: 'dropReply' })
})

test('a plan has the faults of each tick, and the size of its chaos', () => {
  const [chaos, ticks] = [7, 2]
  const { size, faultsOf } = planOf({ killLeader: 2, freezeLeader: 3, chaos, ticks })
  const all = chaosPlan(chaos, ticks)
  const [first, second] = [1, 2].map((number) => all.filter(({ tick }) => tick === number))
  expect(size).toBe(all.length)
  expect([1, 2, 3].map((tick) => faultsOf(tick, 6))).toEqual([
    first,
    [...(second ?? []), ...killAtWorst(2, 6)],
    freezeAtWorst(3, 6),
  ])
})

test.each<[CallFault, string]>([
  [{ tick: 1, at: 'charge', nth: 3, do: 'killLeader', when: 'after' }, 'leader killed after charge 3'],
  [{ tick: 1, at: 'unknown', nth: 1, do: 'freezeLeader', when: 'before' }, 'leader frozen before unknown outcome 1'],
  [{ tick: 1, at: 'claim', nth: 12, do: 'dropReply' }, 'reply dropped at claim 12'],
  [{ tick: 1, at: 'lease', nth: 2, do: 'throttle', times: 3 }, 'throttled at lease write 2 and the next 2'],
])('%j is described', (fault, words) => {
  expect(describeCallFault(fault)).toBe(words)
})
