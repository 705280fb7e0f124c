/** What the nemesis does, and in which order: chance from a seed, dealt like cards so that every kind comes up soon. */
import { pick, type Random, shuffled, wholeNumber } from '../../../../infra/programs/random.ts'
import type { Label } from '../history.ts'
import { NETWORK_FAULTS, type NetworkFault } from '../network/faults.ts'
import { WORKLOADS, type WorkloadName } from '../workloads.ts'

export type Target = Label['as']

/** The requests that a workload makes. */
const TARGETS: Readonly<Record<WorkloadName, readonly Target[]>> = {
  unfenced: ['acquire', 'write', 'read', 'effect'],
  unclaimed: ['acquire', 'write', 'read', 'effect'],
  fence: ['acquire', 'write', 'claim', 'effect'],
  guard: ['acquire', 'write', 'read', 'guard'],
  complete: ['acquire', 'write', 'read'],
}

export interface PlannedNetworkFault {
  readonly name: NetworkFault
  readonly target: Target
  /** How many tries of one request it hits: as many as the SDK makes, or just the first. */
  readonly tries: number
  readonly delayMs: number
  /** Until the next one. */
  readonly pauseMs: number
}

/** Some less than the client waits for an answer, some more, some more than a lease. */
const DELAYS_MS = [60, 150, 400, 1_100] as const

export function* planNetwork(random: Random, workload: WorkloadName): Generator<PlannedNetworkFault, never> {
  for (;;) {
    for (const name of shuffled(random, NETWORK_FAULTS)) {
      yield {
        name,
        target: pick(random, targetsOf(name, workload)),
        tries: random() < 0.7 ? 1 : 3,
        delayMs: pick(random, DELAYS_MS) + wholeNumber(random, 0, 9),
        pauseMs: wholeNumber(random, 200, 700),
      }
    }
  }
}

/** A plain read never meets a transaction's conflict. */
function targetsOf(name: NetworkFault, workload: WorkloadName): readonly Target[] {
  return TARGETS[workload].filter((target) => name !== 'transaction conflict' || target !== 'read')
}

export type ProcessFault =
  /** A leader sleeps before its write; the write lands between its successor's read and write. */
  | { readonly name: 'write between read and write' }
  /** A leader sleeps before its write; the write lands behind its successor's. */
  | { readonly name: 'write after successor' }
  /** The network delivers a granted acquire once more, as soon as its tenure has ended. */
  | { readonly name: 'acquire copied after its tenure' }
  /** The network delivers a leader's write once more, behind the next write of the same leader to that row. */
  | { readonly name: 'own write copied behind the next' }
  | { readonly name: 'killed'; readonly target: Target }
  | { readonly name: 'frozen at a request'; readonly target: Target; readonly leases: number }
  | { readonly name: 'frozen'; readonly leases: number }
  | { readonly name: 'clock stepped'; readonly offsetMs: number }
  | { readonly name: 'clock beyond the budget'; readonly offsetMs: number }

export const PROCESS_FAULTS: readonly ProcessFault['name'][] = [
  'write between read and write',
  'write after successor',
  'acquire copied after its tenure',
  'own write copied behind the next',
  'killed',
  'frozen at a request',
  'frozen',
  'clock stepped',
  'clock beyond the budget',
]

export type PlannedProcessFault = ProcessFault & { readonly pauseMs: number }

/** Over the budget, but mostly by less than a `Date` header of whole seconds can show; and so far that it always does. */
const BEYOND: readonly ProcessFault[] = [700, -600, 3_000, -3_000].map((offsetMs) => ({
  name: 'clock beyond the budget',
  offsetMs,
}))

/** `clocksLeft` tells whether clocks may leave the budget by now: from then on they do. */
export function* planProcesses(
  random: Random,
  workload: WorkloadName,
  maxClockSkewMs: number,
  clocksLeft: () => boolean,
): Generator<PlannedProcessFault, never> {
  for (;;) {
    const haveLeft = clocksLeft()
    for (const fault of shuffled(random, haveLeft ? [...deck(), ...BEYOND] : deck())) {
      yield { ...fault, pauseMs: wholeNumber(random, 300, 900) }
      if (!haveLeft && clocksLeft()) break // other cards from now on
    }
  }

  function deck(): readonly ProcessFault[] {
    const targets = TARGETS[workload]
    // Two clocks that keep this much apart from the true time differ by less than the budget.
    const stepMs = maxClockSkewMs / 2 - 10
    return [
      { name: 'write between read and write' },
      { name: 'write after successor' },
      { name: 'acquire copied after its tenure' },
      ...(WORKLOADS[workload].writesTwice ? [{ name: 'own write copied behind the next' } as const] : []),
      { name: 'killed', target: pick(random, targets) },
      { name: 'frozen at a request', target: pick(random, targets), leases: 0.5 + random() },
      { name: 'frozen', leases: 0.5 + random() },
      { name: 'clock stepped', offsetMs: wholeNumber(random, -stepMs, stepMs) },
      { name: 'clock stepped', offsetMs: wholeNumber(random, -stepMs, stepMs) },
    ]
  }
}
