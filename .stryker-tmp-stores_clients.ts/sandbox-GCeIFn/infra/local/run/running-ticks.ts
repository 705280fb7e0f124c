/** The ticks of a run that are not over, and the totals of all ticks; bounded, because a run may last for days. */
// @ts-nocheck

import { completionsOf, type RunningTick, type TickRecord, type Try, wasTakenOver } from './tick.ts'

/**
 * `standby` and `failed` count invocations, retries too; `tookOver` counts ticks that another invocation completed than
 * the one that led them first.
 */
export type Tally = Readonly<typeof NOTHING>

const NOTHING = { ticks: 0, completed: 0, completedTwice: 0, standby: 0, failed: 0, tookOver: 0 }

export class RunningTicks {
  readonly #open = new Set<RunningTick>()
  #over: Tally = NOTHING

  add(tick: RunningTick): void {
    this.#open.add(tick)
    void tick.over.then(() => {
      this.#open.delete(tick)
      this.#over = tallyOf([tick.record()], this.#over)
    })
  }

  tally(): Tally {
    const open = [...this.#open].map((tick) => tick.record())
    return tallyOf(open, this.#over)
  }

  overdue(): number {
    return this.#over.ticks - this.#over.completed
  }

  async over(): Promise<void> {
    await Promise.all([...this.#open].map((tick) => tick.over))
  }

  /** See `RunningTick.continueSelf`. */
  readonly continueSelf: RunningTick['continueSelf'] = (...invoke) =>
    [...this.#open].some((tick) => tick.continueSelf(...invoke))

  /** See `RunningTick.deliverAgain`. Does nothing for a request of a tick that is over. */
  async deliverAgain(requestId: string): Promise<void> {
    for (const tick of this.#open) if (tick.has(requestId)) await tick.deliverAgain(requestId)
  }
}

export function tallyOf(records: readonly TickRecord[], before: Tally = NOTHING): Tally {
  const tries = records.flatMap((record) => record.tries)
  const ended = (status: Try['outcome']['status']) => tries.filter(({ outcome }) => outcome.status === status).length
  const completions = records.map((record) => completionsOf(record).length)
  return {
    ticks: before.ticks + records.length,
    completed: before.completed + completions.filter((times) => times > 0).length,
    completedTwice: before.completedTwice + completions.filter((times) => times > 1).length,
    standby: before.standby + ended('standby'),
    failed: before.failed + ended('failed'),
    tookOver: before.tookOver + records.filter(wasTakenOver).length,
  }
}
