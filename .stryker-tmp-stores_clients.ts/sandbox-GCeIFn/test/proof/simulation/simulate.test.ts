// @ts-nocheck
import { expect, it } from 'vitest'
import { shrink, simulate } from './simulate.ts'
import type { Order } from './world.ts'

/** Fails with the faults 3 and 17 and at least four ticks; without fault 5 it breaks another claim. */
async function run(order: Order) {
  const { ticks = 9, only } = order
  const injected = Array.from({ length: ticks * 5 }, (_, id) => ({ id })).filter(({ id }) => only?.has(id) ?? true)
  const has = (id: number) => injected.some((fault) => fault.id === id)
  const claim = has(5) || ticks > 4 ? ('S3' as const) : ('S1' as const)
  const violation = ticks >= 4 && has(3) && has(17) ? { claim, what: '' } : undefined
  return { order, setting: { ticks }, faults: { injected }, violation }
}

it('finds nothing in a few histories', async () => {
  const { violations, figures } = await simulate({ from: 1, seeds: 3 })
  expect(violations).toEqual([])
  expect(figures).toMatchObject({ histories: 3 })
})

it('keeps the fewest ticks and faults that break the same claim', async () => {
  const { violation, setting, faults } = await shrink(await run({ seed: 1 }), run)
  expect([violation?.claim, setting.ticks, faults.injected.map(({ id }) => id)]).toEqual(['S3', 4, [3, 5, 17]])
})
