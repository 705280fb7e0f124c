// @ts-nocheck
import type { Clock } from '../../../functions/election/index.ts'
import { Random } from './random.ts'

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

/** One operating-system process, with clocks and randomness of its own. It can freeze and die. */
export class SimulatedProcess {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  /** The label of its latest invocation. Requests, and the chance of faults in them, are named by it. */
  invocation = ''
  /** Requests of that invocation. */
  requests = 0
  state: 'running' | 'frozen' | 'dead' = 'running'
  /** Sleeps of lease code that have not ended. */
  sleeping = 0
  diedMs: number | undefined
  readonly #timeline: Timeline
  readonly #startedMs: number
  #deferred: (() => void)[] = []
  #offsetMs: number
  #driftPerMille = 0
  #driftsSinceMs = 0
  #frozenAtMs = 0
  #stoppedMs = 0

  constructor(name: string, timeline: Timeline, seed: number, offsetMs: number) {
    this.name = name
    this.random = new Random(seed, `chance of ${name}`)
    this.#timeline = timeline
    this.#startedMs = timeline.nowMs
    this.#offsetMs = offsetMs
    const sleep: Clock['sleep'] = (ms, signal) => this.#sleep(ms, signal)
    this.clock = { wallMs: () => this.wallMs(), monotonicMs: () => this.monotonicMs(), sleep }
  }

  /** How far the wall clock is ahead of true time. */
  get offsetMs(): number {
    const driftsForMs = this.#timeline.nowMs - this.#driftsSinceMs
    return this.#offsetMs + Math.floor((driftsForMs * this.#driftPerMille) / 1000)
  }

  wallMs(): number {
    return this.#timeline.nowMs + this.offsetMs
  }

  monotonicMs(): number {
    return this.#timeline.nowMs - this.#startedMs - this.#stoppedMs
  }

  setWall(byMs: number): void {
    this.#offsetMs += byMs
  }

  drift(perMille: number): void {
    this.#offsetMs = this.offsetMs
    this.#driftsSinceMs = this.#timeline.nowMs
    this.#driftPerMille = perMille
  }

  freeze(): void {
    if (this.state !== 'running') return
    this.state = 'frozen'
    this.#frozenAtMs = this.#timeline.nowMs
  }

  /** Runs what fell due meanwhile, in its order. */
  thaw({ monotonicStopped }: { readonly monotonicStopped: boolean }): void {
    if (this.state !== 'frozen') return
    this.state = 'running'
    if (monotonicStopped) this.#stoppedMs += this.#timeline.nowMs - this.#frozenAtMs
    for (const act of this.#deferred.splice(0)) this.#timeline.after(0, this, act)
  }

  defer(act: () => void): void {
    this.#deferred.push(act)
  }

  die(): void {
    this.diedMs = this.#timeline.nowMs
    this.state = 'dead'
    this.#deferred = []
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      this.sleeping++
      const done = () => {
        this.sleeping--
        cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#timeline.after(Math.max(0, Math.ceil(ms)), this, done)
      signal?.addEventListener('abort', done)
    })
  }
}
