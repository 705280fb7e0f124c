// @ts-nocheck
import { LEASE_KEY, LEASES } from './records.ts'
import type { World } from './world.ts'

interface Pause {
  readonly fromMs: number
  readonly untilMs: number
}

/** Pauses the lease now and then, and may end a pause early. */
export class Operator {
  readonly #world: World
  readonly #pauses: Pause[] = []

  constructor(world: World) {
    this.#world = world
  }

  mayPause(tick: number, tickMs: number): void {
    const { faults, setting, timeline } = this.#world
    const random = faults.draw('operator pauses', `t${tick}`)
    if (random === undefined) return
    const fromMs = tickMs + random.between(0, setting.periodMs)
    const endMs = () => fromMs + random.between(1, 2 * setting.periodMs)
    const [untilMs, endsMs] = [endMs(), endMs()]
    timeline.at(fromMs, undefined, () => this.#pause({ fromMs, untilMs }))
    if (endsMs >= untilMs) return
    timeline.at(endsMs, undefined, () => {
      if (this.#pauses.at(-1)?.fromMs === fromMs && this.#pauses.pop()) this.#pause({ fromMs, untilMs: endsMs })
    })
  }

  #pause(pause: Pause): void {
    const { database, leases, timeline } = this.#world
    const row = database.row(LEASES, LEASE_KEY)
    if (row === undefined) return
    this.#pauses.push(pause)
    const [pausedFromMs, pausedUntilMs] = [{ N: String(pause.fromMs) }, { N: String(pause.untilMs) }]
    database.put(LEASES, { ...row, pausedFromMs, pausedUntilMs })
    leases.read()
    this.#world.log(`an operator pauses the lease for ${pause.untilMs - timeline.nowMs} ms from now`)
  }

  /** Whether the tick of this period is not to be worked. */
  isPaused(period: number): boolean {
    const tickMs = period * this.#world.setting.periodMs
    return this.#pauses.some(({ fromMs, untilMs }) => fromMs <= tickMs && tickMs < untilMs)
  }
}
