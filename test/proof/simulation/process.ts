import type { Clock } from '../../../functions/election/index.ts'
import { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

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
