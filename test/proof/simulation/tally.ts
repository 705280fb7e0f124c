import type { Fault } from './faults.ts'
import type { Situation } from './findings.ts'
import { SITUATIONS } from './findings.ts'
import type { Setting } from './setting.ts'

/** As much of a history as counts. */
export interface Counted {
  readonly setting: Setting
  readonly faults: readonly Fault[]
  readonly faultedTicks: number
  readonly requests: number
  readonly situations: ReadonlyMap<Situation, number>
}

/** What many histories come to. */
export class Tally {
  histories = 0
  ticks = 0
  faultedTicks = 0
  requests = 0
  readonly faults = new Map<string, number>()
  readonly situations = new Map<Situation, number>(SITUATIONS.map((situation) => [situation, 0]))
  /** Histories by what their leaders do, and by how the library is called. */
  readonly kinds = new Map<string, number>()

  add({ setting, faults, faultedTicks, requests, situations }: Counted): void {
    this.histories++
    this.ticks += setting.ticks
    this.faultedTicks += faultedTicks
    this.requests += requests
    for (const { kind } of faults) count(this.faults, kind, 1)
    for (const [situation, times] of situations) count(this.situations, situation, times)
    count(this.kinds, `${setting.work}, ${setting.entry}`, 1)
  }

  get neverReached(): readonly Situation[] {
    return SITUATIONS.filter((situation) => this.situations.get(situation) === 0)
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
