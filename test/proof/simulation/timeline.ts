import type { SimulatedProcess } from './process.ts'

interface Due {
  readonly atMs: number
  readonly order: number
  readonly process: SimulatedProcess | undefined
  readonly act: () => void
  cancelled: boolean
}

/**
 * Virtual time: what is to happen, in the order of (time, when it was asked for). One thing happens, everything that
 * follows from it without time passing happens too, then comes the next. Whatever runs meanwhile runs in the process that
 * the thing belongs to.
 */
export class Timeline {
  #nowMs: number
  #order = 0
  readonly #heap: Due[] = []
  #current: SimulatedProcess | undefined

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  /** True time, epoch milliseconds: that of DynamoDB and of nobody else. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** In whom the code that runs now is running. */
  get current(): SimulatedProcess | undefined {
    return this.#current
  }

  /** @returns what takes it back */
  at(atMs: number, process: SimulatedProcess | undefined, act: () => void): () => void {
    const due: Due = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, process, act, cancelled: false }
    this.#push(due)
    return () => {
      due.cancelled = true
    }
  }

  after(ms: number, process: SimulatedProcess | undefined, act: () => void): () => void {
    return this.at(this.#nowMs + ms, process, act)
  }

  /** Runs until nothing is left to happen, or `untilMs`. `afterEach` sees the world after each thing that happened. */
  async run(untilMs: number, afterEach: () => boolean): Promise<void> {
    for (;;) {
      const due = this.#heap[0]
      if (due === undefined || due.atMs > untilMs) break
      this.#pop()
      if (due.cancelled) continue
      this.#nowMs = due.atMs
      const { process, act } = due
      if (process === undefined) act()
      else {
        if (process.state === 'dead') continue
        if (process.state === 'frozen') {
          process.defer(() => {
            if (!due.cancelled) act()
          })
          continue
        }
        this.#current = process
        act()
        await everythingSettled()
        this.#current = undefined
      }
      if (!afterEach()) return
    }
  }

  #push(due: Due): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(due)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(due, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = due
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const child = right !== undefined && left !== undefined && isBefore(right, left) ? right : left
      if (child === undefined || !isBefore(child, last)) break
      heap[at] = child
      at = child === left ? 2 * at + 1 : 2 * at + 2
    }
    heap[at] = last
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/**
 * No file and no socket is used in here, so that everything has gone on that can once no promise is left to settle: Node
 * takes up what is asked for its next tick when that is so.
 */
const { nextTick } = process
function everythingSettled(): Promise<void> {
  return new Promise((resolve) => nextTick(resolve))
}
