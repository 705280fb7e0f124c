import { expect, it } from 'vitest'
import { shrink, simulate } from './simulate.ts'
import type { Order } from './world.ts'

/** Fails with the faults 3 and 17 and at least four ticks; without fault 5 it breaks another claim. */
async function run(order: Order) {
  const { ticks = 9, only } = order
  const faults = Array.from({ length: ticks * 5 }, (_, id) => ({ id })).filter(({ id }) => only?.has(id) ?? true)
  const has = (id: number) => faults.some((fault) => fault.id === id)
  const claim = has(5) || ticks > 4 ? 'S3' : 'S1'
  return {
    order,
    setting: { ticks },
    faults,
    violation: ticks >= 4 && has(3) && has(17) ? { claim, what: '' } : undefined,
  }
}

it('finds nothing in a few histories', async () => {
  const { violations, figures } = await simulate({ from: 1, seeds: 3 })
  expect(violations).toEqual([])
  expect(figures).toMatchObject({ histories: 3 })
})

it('keeps the fewest ticks and faults that break the same claim', async () => {
  const { result, isMinimal } = await shrink(await run({ seed: 1 }), run)
  expect(isMinimal).toBe(true)
  expect(result.violation?.claim).toBe('S3')
  expect(result.setting.ticks).toBe(4)
  expect(result.faults.map(({ id }) => id)).toEqual([3, 5, 17])
})

it('returns the best history found when its time is over', async () => {
  const { result, isMinimal } = await shrink(await run({ seed: 1 }), async (order) =>
    order.only === undefined ? await run(order) : undefined,
  )
  expect(isMinimal).toBe(false)
  expect(result.setting.ticks).toBe(4)
})
