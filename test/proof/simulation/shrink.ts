/** Makes a failing history short: as few ticks, and then as few faults, as still break the same claim. */
import type { Order } from './world.ts'

/**
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002): leaves out ever
 * smaller parts as long as the rest still fails. At the end no single item can be left out.
 */
export async function minimal<Item>(
  items: readonly Item[],
  fails: (some: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> {
  if (await fails([])) return []
  let left = items
  for (let parts = 2; left.length > 1; ) {
    const size = Math.ceil(left.length / parts)
    let smaller: readonly Item[] | undefined
    for (let from = 0; from < left.length && smaller === undefined; from += size) {
      const rest = [...left.slice(0, from), ...left.slice(from + size)]
      if (await fails(rest)) smaller = rest
    }
    if (smaller !== undefined) {
      left = smaller
      parts = Math.max(2, parts - 1)
    } else if (size === 1) break
    else parts = Math.min(left.length, parts * 2)
  }
  return left
}

export interface Failing {
  readonly order: Order
  readonly setting: { readonly ticks: number }
  readonly violation: { readonly claim?: string; readonly what: string } | undefined
  readonly faults: readonly { readonly id: number }[]
}

/**
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
  await minimal(
    best.faults.map(({ id }) => id),
    (some) => fails({ seed, ticks, only: new Set(some) }),
  )
  return { result: best, isMinimal }
}
