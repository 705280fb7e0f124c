import './globals.ts' // before modules that keep a clock
import type { Result, Violation } from '../result.ts'
import { SITUATIONS, type Situation } from './findings.ts'
import { type History, runHistory } from './history.ts'
import type { Order } from './world.ts'

export interface Simulated extends Result {
  readonly unreached: readonly Situation[]
}

/** Of one core. A shorter history is not worth a longer wait. */
const SHRINK_SECONDS = 30

/**
 * Runs one history for each seed from `from` on, and stops at the first that breaks a claim.
 *
 * @param shrinks whether that history is made as short as possible. @default true
 */
export async function simulate({
  from,
  seeds,
  shrinks = true,
}: {
  readonly from: number
  readonly seeds: number
  readonly shrinks?: boolean
}): Promise<Simulated> {
  const reached = new Map<Situation, number>()
  const totals = { histories: 0, ticks: 0, 'ticks with faults': 0, faults: 0, requests: 0 }
  let broken: History | undefined
  for (let seed = from; seed < from + seeds && broken === undefined; seed++) {
    const history = await runHistory({ seed })
    totals.histories++
    totals.ticks += history.setting.ticks
    totals['ticks with faults'] += history.faultedTicks
    totals.faults += history.faults.length
    totals.requests += history.requests
    for (const [situation, times] of history.situations) reached.set(situation, (reached.get(situation) ?? 0) + times)
    if (history.violation !== undefined) broken = history
  }
  return {
    violations: broken === undefined ? [] : [await violationOf(broken, shrinks)],
    figures: { ...totals, 'rare situations reached': `${reached.size} of ${SITUATIONS.length}` },
    seenToBreak: [],
    unreached: SITUATIONS.filter((situation) => !reached.has(situation)),
  }
}

async function violationOf(history: History, shrinks: boolean): Promise<Violation> {
  const { seed } = history.order
  const { isMinimal, result } = shrinks
    ? await shrink(history, runWithin(SHRINK_SECONDS))
    : { isMinimal: false, result: history }
  const { violation = { what: 'nothing' }, order, lines } = result
  const faults = order.only === undefined ? 'all its faults' : `the faults ${[...order.only].join(', ')}`
  return {
    ...violation,
    trace: [
      `Repeat: npm run proof simulation -- --seed ${seed} --seeds 1`,
      `${isMinimal ? 'A shrunk history' : 'A history'} that breaks it: ${result.setting.ticks} ticks, ${faults}`,
      ...lines,
    ],
  }
}

/** Runs histories until that much CPU time is used up. */
function runWithin(seconds: number): (order: Order) => Promise<History | undefined> {
  const startedAt = process.cpuUsage()
  return async (order) => {
    const { user, system } = process.cpuUsage(startedAt)
    return (user + system) / 1e6 > seconds ? undefined : await runHistory(order)
  }
}

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
