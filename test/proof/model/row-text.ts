import type { LeaseRecord } from '../../../functions/election/rules.ts'
import { START_MS, tickNumber } from './world.ts'

/** The row in a line; times are seconds since the world began. */
export function rowText(row: LeaseRecord | undefined): string {
  if (row === undefined) return 'does not exist'
  const { holder, fencingToken, attempt, expiresAtMs, writtenAtMs, step, tick, completedTick, endedBy } = row
  const seconds = (timeMs: number) => `${(timeMs - START_MS) / 1000} s`
  const led =
    holder === undefined ? `vacant (${endedBy}, attempt ${attempt})` : `held by ${holder} (attempt ${attempt})`
  const done = tickNumber(completedTick) === 0 ? '' : `, tick ${tickNumber(completedTick)} done`
  return `${led}, token ${fencingToken}, tick ${tickNumber(tick)}${done}, expires ${seconds(expiresAtMs)}, written ${seconds(writtenAtMs)}, step ${step}`
}
