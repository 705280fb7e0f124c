/** Which ticks between the last completed one and this one were not completed. Pure. */
import type { LeaseRecord } from './rules.ts'
import type { Occurrences } from './schedule.ts'

/**
 * The first `atMost` missed ticks, oldest first: those after the completed tick, or from the first tick on if no tick
 * was completed, and before `tick`; none that lies in the pause of the row.
 */
export function missedTicks(
  record: Pick<LeaseRecord, 'firstTick' | 'completedTick' | 'pausedFromMs' | 'pausedUntilMs'>,
  tick: string,
  occurrences: Occurrences,
  atMost: number,
): readonly string[] {
  const { firstTick = tick, completedTick, pausedFromMs, pausedUntilMs = 0 } = record
  const fromMs = completedTick === undefined ? Date.parse(firstTick) - 1 : Date.parse(completedTick)
  const tickMs = Date.parse(tick)
  const spans =
    pausedFromMs === undefined || pausedFromMs >= pausedUntilMs
      ? [[fromMs, tickMs] as const]
      : [[fromMs, Math.min(pausedFromMs, tickMs)] as const, [Math.max(fromMs, pausedUntilMs - 1), tickMs] as const]
  return spans
    .flatMap(([afterMs, beforeMs]) => occurrences.between(afterMs, beforeMs, atMost))
    .slice(0, atMost)
    .map((ms) => new Date(ms).toISOString())
}
