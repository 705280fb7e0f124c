/** Makes a failing history short: fewer ticks, then as few faults as still break the same claim. */

/**
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002): leaves out ever
 * smaller parts as long as what is left still fails. In the end no single item can be left out.
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

/** What is run again while shrinking. */
export interface Trial {
  readonly seed: number
  readonly ticks: number
  readonly only?: ReadonlySet<number> | undefined
}

export interface Failing {
  readonly setting: { readonly ticks: number }
  readonly violation: { readonly claim?: string; readonly what: string } | undefined
  readonly faults: readonly { readonly id: number }[]
}

/** @returns the smallest order that still breaks the same claim, and its history */
export async function shrink<Result extends Failing>(
  seed: number,
  failing: Result,
  run: (trial: Trial) => Promise<Result>,
): Promise<{ readonly trial: Trial; readonly result: Result }> {
  const claim = failing.violation?.claim
  const isSame = ({ violation }: Result) => violation !== undefined && violation.claim === claim
  let best: { readonly trial: Trial; readonly result: Result } = {
    trial: { seed, ticks: failing.setting.ticks },
    result: failing,
  }
  for (let ticks = 1; ticks < failing.setting.ticks; ticks++) {
    const trial = { seed, ticks }
    const result = await run(trial)
    if (!isSame(result)) continue
    best = { trial, result }
    break
  }
  const { ticks } = best.trial
  await minimal(
    best.result.faults.map(({ id }) => id),
    async (some) => {
      const trial = { seed, ticks, only: new Set(some) }
      const result = await run(trial)
      if (isSame(result)) best = { trial, result }
      return isSame(result)
    },
  )
  return best
}
