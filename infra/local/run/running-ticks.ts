/** The ticks of a run: those that are not over, to which an invocation may belong, and what all came to so far. */
import { plus, type Tally, tallyOf } from './tally.ts'
import type { RunningTick } from './tick.ts'

export interface Roll {
  add(tick: RunningTick): void
  tally(): Tally
  /** Ticks that are over, and that nobody completed. */
  overdue(): number
  /** See {@link RunningTick.deliverAgain}; does nothing for an invocation of a tick that is over. */
  deliverAgain(requestId: string): Promise<void>
  /** Settles when every tick is over that was begun so far. */
  over(): Promise<unknown>
}

export function createRoll(): Roll {
  const open = new Set<RunningTick>()
  let over = tallyOf([])
  return {
    add: (tick) => {
      open.add(tick)
      void tick.over.then(() => {
        open.delete(tick)
        over = plus(over, tallyOf([tick.record()]))
      })
    },
    tally: () => plus(over, tallyOf([...open].map((tick) => tick.record()))),
    over: () => Promise.all([...open].map((tick) => tick.over)),
    overdue: () => over.ticks - over.completed,
    deliverAgain: async (requestId) => {
      for (const tick of open) if (tick.has(requestId)) await tick.deliverAgain(requestId)
    },
  }
}
