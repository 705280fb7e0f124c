import type { SimulatedProcess } from './process.ts'

interface Event {
  readonly atMs: number
  readonly process: SimulatedProcess | undefined
  readonly act: () => void
  isCancelled: boolean
}

/**
 * Virtual time. Events run one at a time, in the order of their times and then of their scheduling; each runs until all
 * promises that follow from it have settled. Code that runs meanwhile belongs to the event's process.
 */
export class Timeline {
  /** True time in epoch milliseconds. DynamoDB's clock is right. */
  nowMs: number
  /** The process whose code is running. */
  current: SimulatedProcess | undefined
  /** The next event is the last. */
  readonly #events: Event[] = []

  constructor(startMs: number) {
    this.nowMs = startMs
  }

  /** @returns a function that cancels the event */
  at(atMs: number, process: SimulatedProcess | undefined, act: () => void): () => void {
    const event: Event = { atMs: Math.max(atMs, this.nowMs), process, act, isCancelled: false }
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#events[middle]?.atMs ?? 0) > event.atMs) low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, event)
    return () => {
      event.isCancelled = true
    }
  }

  after(ms: number, process: SimulatedProcess | undefined, act: () => void): () => void {
    return this.at(this.nowMs + ms, process, act)
  }

  /** Runs until no event is left, or until `goesOn`, which is called after each event, returns false. */
  async run(goesOn: () => boolean): Promise<void> {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      if (event.isCancelled) continue
      this.nowMs = event.atMs
      if (event.process?.state === 'dead') continue
      if (event.process?.state === 'frozen') {
        event.process.defer(() => {
          if (!event.isCancelled) event.act()
        })
        continue
      }
      this.current = event.process
      event.act()
      if (event.process !== undefined) await everythingSettled()
      this.current = undefined
      if (!goesOn()) return
    }
  }
}

/** Simulated code uses no file and no socket, so Node calls its next tick only when no promise is left to settle. */
const { nextTick } = process
function everythingSettled(): Promise<void> {
  return new Promise((resolve) => nextTick(resolve))
}
