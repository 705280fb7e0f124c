/** The ticks of a run that are not over, and the totals of all ticks; bounded, because a run may last for days. */
import { completionsOf, type RunningTick, type TickRecord, type Try, wasTakenOver } from './tick.ts'

export interface Tally {
  readonly ticks: number
  readonly completed: number
  /** Ticks that more than one invocation completed. */
  readonly completedTwice: number
  /** Invocations that stood by, and those that failed; retries count. */
  readonly standby: number
  readonly failed: number
  /** Ticks that another invocation completed than the one that led them first. */
  readonly tookOver: number
  /** Refused writes of replaced leaders. */
  readonly staleWritesRefused: number
}

export class RunningTicks {
  readonly #open = new Set<RunningTick>()
  #over = tallyOf([])

  add(tick: RunningTick): void {
    this.#open.add(tick)
    void tick.over.then(() => {
      this.#open.delete(tick)
      this.#over = plus(this.#over, tallyOf([tick.record()]))
    })
  }

  tally(): Tally {
    return plus(this.#over, tallyOf([...this.#open].map((tick) => tick.record())))
  }

  /** How many ticks are over and not completed. */
  overdue(): number {
    return this.#over.ticks - this.#over.completed
  }

  /** Settles when all ticks are over that were started so far. */
  async over(): Promise<void> {
    await Promise.all([...this.#open].map((tick) => tick.over))
  }

  /** See `RunningTick.deliverAgain`. Does nothing for a request of a tick that is over. */
  async deliverAgain(requestId: string): Promise<void> {
    for (const tick of this.#open) if (tick.has(requestId)) await tick.deliverAgain(requestId)
  }
}

export function tallyOf(records: readonly TickRecord[]): Tally {
  const tries = records.flatMap((record) => record.tries)
  const ended = (status: Try['outcome']['status']) => tries.filter(({ outcome }) => outcome.status === status).length
  const completions = records.map((record) => completionsOf(record).length)
  return {
    ticks: records.length,
    completed: completions.filter((times) => times > 0).length,
    completedTwice: completions.filter((times) => times > 1).length,
    standby: ended('standby'),
    failed: ended('failed'),
    tookOver: records.filter(wasTakenOver).length,
    staleWritesRefused: tries.reduce((sum, { outcome }) => sum + staleWritesOf(outcome), 0),
  }
}

const staleWritesOf = (outcome: Try['outcome']) => ('work' in outcome ? outcome.work.staleWritesRefused : 0)

function plus(one: Tally, other: Tally): Tally {
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
