/** Which ticks between the last completed one and this one were not completed. Pure. */
// @ts-nocheck

import type { LeaseRecord } from './rules.ts'
import type { Occurrences } from './schedule.ts'

/**
 * The first `atMost` missed ticks, oldest first: those after the completed tick, or from the first tick on if no tick
 * was completed, and before `tick`; none that lies in the pause of the row.
 * @param firesWithinMs how long after its tick a schedule may fire: the period of a rate, whose ticks are floored
 */
export function missedTicks(
  record: Pick<LeaseRecord, 'firstTick' | 'completedTick' | 'pausedFromMs' | 'pausedUntilMs'>,
  tick: string,
  occurrences: Occurrences,
  atMost: number,
  firesWithinMs = 0,
): readonly string[] {
  const { firstTick = tick, completedTick, pausedFromMs, pausedUntilMs = 0 } = record
  const fromMs = completedTick === undefined ? Date.parse(firstTick) - 1 : Date.parse(completedTick)
  const tickMs = Date.parse(tick)
  const afterMs = Math.max(fromMs, (pausedFromMs ?? 0) - 1, pausedUntilMs - Math.max(1, firesWithinMs))
  const spans =
    pausedFromMs === undefined
      ? [[fromMs, tickMs] as const]
      : [[fromMs, Math.min(pausedFromMs, tickMs)] as const, [afterMs, tickMs] as const]
  return spans
    .flatMap(([sinceMs, beforeMs]) => occurrences.between(sinceMs, beforeMs, atMost))
    .slice(0, atMost)
    .map((ms) => new Date(ms).toISOString())
}
