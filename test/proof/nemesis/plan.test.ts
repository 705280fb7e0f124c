import { expect, it } from 'vitest'
import { mulberry32 } from '../../../infra/programs/random.ts'
import { NETWORK_FAULTS } from './network/faults.ts'
import { planNetwork, planProcesses } from './strikes/plan.ts'

const take = <T>(plan: Generator<T, never>, count: number) => Array.from({ length: count }, () => plan.next().value)

it('the same seed gives the same plan, another seed another one', () => {
  const plan = (seed: number) => take(planNetwork(mulberry32(seed), 'fence'), 30)
  expect(plan(1)).toEqual(plan(1))
  expect(plan(1)).not.toEqual(plan(2))
})

it('every fault of the network comes up before any comes up again', () => {
  const names = take(planNetwork(mulberry32(3), 'guard'), NETWORK_FAULTS.length).map(({ name }) => name)
  expect(new Set(names)).toEqual(new Set(NETWORK_FAULTS))
})

it('a plain read never meets the conflict of a transaction', () => {
  const conflicts = take(planNetwork(mulberry32(4), 'guard'), 2_000).filter(
    ({ name }) => name === 'transaction conflict',
  )
  expect(conflicts.length).toBeGreaterThan(100)
  expect(conflicts.map(({ target }) => target)).not.toContain('read')
})

it('clocks that keep the budget differ by less than it', () => {
  const steps = take(
    planProcesses(mulberry32(5), 'fence', 120, () => false),
    500,
  ).flatMap((fault) => ('offsetMs' in fault ? fault.offsetMs : []))
  expect(Math.max(...steps) - Math.min(...steps)).toBeLessThan(120)
  expect(steps.length).toBeGreaterThan(100)
})

it('clocks leave the budget as soon as they may, and not before', () => {
  let mayLeave = false
  const plan = planProcesses(mulberry32(6), 'fence', 120, () => mayLeave)
  const names = (count: number) => take(plan, count).map(({ name }) => name)
  expect(names(50)).not.toContain('clock beyond the budget')
  mayLeave = true
  expect(names(12)).toContain('clock beyond the budget')
})
