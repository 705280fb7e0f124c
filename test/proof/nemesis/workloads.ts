/**
 * The workloads: a list in one protected row, which every leader reads and writes back with one addition of its own. What
 * differs is how it is protected. Two of them are controls: they must lose updates, or the faults would prove nothing.
 */
export interface Workload {
  readonly name: WorkloadName
  readonly title: string
  readonly isControl: boolean
  /** Its writes carry the token to the row. */
  readonly fenced: boolean
  readonly ticks: boolean
  /** Some leaders add a second item under the same token. */
  readonly writesTwice: boolean
  /** Towards the end clocks differ by more than the budget. Effects must stay right then too. */
  readonly clocksLeaveBudget: boolean
}

export const WORKLOADS = {
  unfenced: {
    name: 'unfenced',
    title: 'control: lease, no fence',
    isControl: true,
    fenced: false,
    ticks: false,
    writesTwice: false,
    clocksLeaveBudget: false,
  },
  unclaimed: {
    name: 'unclaimed',
    title: 'control: fence, plain read',
    isControl: true,
    fenced: true,
    ticks: false,
    writesTwice: false,
    clocksLeaveBudget: false,
  },
  fence: {
    name: 'fence',
    title: 'claim and fence',
    isControl: false,
    fenced: true,
    ticks: false,
    writesTwice: true,
    clocksLeaveBudget: true,
  },
  guard: {
    name: 'guard',
    title: 'guard',
    isControl: false,
    fenced: false,
    ticks: false,
    writesTwice: true,
    clocksLeaveBudget: true,
  },
  complete: {
    name: 'complete',
    title: 'completion with effects',
    isControl: false,
    fenced: false,
    ticks: true,
    writesTwice: false,
    clocksLeaveBudget: true,
  },
} as const satisfies Record<string, Workload>

export type WorkloadName = 'unfenced' | 'unclaimed' | 'fence' | 'guard' | 'complete'

export const WORKLOAD_NAMES: readonly WorkloadName[] = ['unfenced', 'unclaimed', 'fence', 'guard', 'complete']
