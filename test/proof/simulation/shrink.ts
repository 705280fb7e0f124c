import type { Order } from './world.ts'

interface Failing {
  readonly order: Order
  readonly setting: { readonly ticks: number }
  readonly violation: { readonly claim?: string; readonly what: string } | undefined
  readonly faults: readonly { readonly id: number }[]
}

/**
 * Makes a failing history short: as few ticks, and then as few faults, as still break the same claim.
 *
 * @param run returns undefined once enough time was spent
 * @returns the smallest history found that breaks the same claim
 */
export async function shrink<Result extends Failing>(
  failing: Result,
  run: (order: Order) => Promise<Result | undefined>,
): Promise<{ readonly result: Result; readonly isMinimal: boolean }> {
  const { seed } = failing.order
  let best = failing
  let isMinimal = true
  const fails = async (order: Order) => {
    const result = await run(order)
    if (result === undefined) isMinimal = false
    if (result?.violation === undefined || result.violation.claim !== failing.violation?.claim) return false
    best = result
    return true
  }
  for (let ticks = 1; ticks < failing.setting.ticks; ticks++) if (await fails({ seed, ticks })) break
  const { ticks } = best.setting
  // Delta debugging (Zeller and Hildebrandt, 2002): leaves out ever smaller groups of faults.
  for (let size = best.faults.length; size >= 1; size = Math.floor(size / 2)) {
    const ids = best.faults.map(({ id }) => id)
    for (let from = 0; from < ids.length; from += size) {
      const group = ids.slice(from, from + size)
      const only = new Set(best.faults.map(({ id }) => id).filter((id) => !group.includes(id)))
      await fails({ seed, ticks, only })
    }
  }
  return { result: best, isMinimal }
}
