/** What the candidates did, counted from their outcomes, tick by tick: a run may go on for days. */
import { completionOf, completionsOf, type TickRecord, type Try, wasTakenOver } from './tick.ts'

export interface Tally {
  /** Ticks fired. */
  readonly ticks: number
  /** Ticks completed. */
  readonly completed: number
  /** Ticks completed by more than one invocation. */
  readonly completedTwice: number
  /** Invocations that stood by, and those that failed; retries count. */
  readonly standby: number
  readonly failed: number
  /** Ticks completed by another invocation than the one that led them first. */
  readonly tookOver: number
  /** Writes of replaced leaders that were refused. */
  readonly staleWritesRefused: number
}

export function tallyOf(records: readonly TickRecord[]): Tally {
  const tries = records.flatMap((record) => record.tries)
  const ended = (status: Try['outcome']['status']) => tries.filter(({ outcome }) => outcome.status === status).length
  return {
    ticks: records.length,
    completed: records.filter((record) => completionOf(record) !== undefined).length,
    completedTwice: records.filter((record) => completionsOf(record).length > 1).length,
    standby: ended('standby'),
    failed: ended('failed'),
    tookOver: records.filter(wasTakenOver).length,
    staleWritesRefused: tries.reduce((sum, { outcome }) => sum + staleWritesOf(outcome), 0),
  }
}

const staleWritesOf = (outcome: Try['outcome']) => ('work' in outcome ? outcome.work.staleWritesRefused : 0)

export function plus(one: Tally, other: Tally): Tally {
  return {
    ticks: one.ticks + other.ticks,
    completed: one.completed + other.completed,
    completedTwice: one.completedTwice + other.completedTwice,
    standby: one.standby + other.standby,
    failed: one.failed + other.failed,
    tookOver: one.tookOver + other.tookOver,
    staleWritesRefused: one.staleWritesRefused + other.staleWritesRefused,
  }
}
