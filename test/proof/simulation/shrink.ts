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

/** Thrown by whoever runs a trial, where enough time went into it: what was found so far is the answer. */
export class EnoughError extends Error {
  override readonly name = 'EnoughError'
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

export interface Shrunk<Result> {
  readonly trial: Trial
  readonly result: Result
  /** Whether nothing is left that could be left out; otherwise the time was over before. */
  readonly isMinimal: boolean
}

/** @returns the smallest order found that still breaks the same claim, and its history */
export async function shrink<Result extends Failing>(
  seed: number,
  failing: Result,
  run: (trial: Trial) => Promise<Result>,
): Promise<Shrunk<Result>> {
  const claim = failing.violation?.claim
  let best: { readonly trial: Trial; readonly result: Result } = {
    trial: { seed, ticks: failing.setting.ticks },
    result: failing,
  }
  const fails = async (trial: Trial) => {
    const result = await run(trial)
    if (result.violation === undefined || result.violation.claim !== claim) return false
    best = { trial, result }
    return true
  }
  try {
    for (let ticks = 1; ticks < failing.setting.ticks; ticks++) if (await fails({ seed, ticks })) break
    const { ticks } = best.trial
    const faults = best.result.faults.map(({ id }) => id)
    await minimal(faults, (some) => fails({ seed, ticks, only: new Set(some) }))
    return { ...best, isMinimal: true }
  } catch (error) {
    if (error instanceof EnoughError) return { ...best, isMinimal: false }
    throw error
  }
}
