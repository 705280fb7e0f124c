/** All checks over one history, and the figures that go with the verdict. */
import type { Failure } from '../proof/part.ts'
import { acceptedAdditions, acquisitionsOf, additionOf } from './checks/accepted.ts'
import { checkBeliefs } from './checks/beliefs.ts'
import { checkLeaseRow } from './checks/lease-row.ts'
import { checkFence, checkGuard } from './checks/stale-effects.ts'
import { checkTicks } from './checks/ticks.ts'
import { checkTokens } from './checks/tokens.ts'
import { checkUpdates, lostUpdates } from './checks/updates.ts'
import { type History, NETWORK } from './history.ts'
import type { Workload } from './workloads.ts'

export interface Figures {
  /** Additions that were sent at least once. */
  readonly operations: number
  readonly acknowledged: number
  readonly tenures: number
  /** Tenures that began where another's had expired, not ended. */
  readonly takeovers: number
  readonly staleRefused: number
  readonly lost: number
  /** How often two workers believed at once that they lead, when clocks had left the budget. */
  readonly overlapsBeyondBudget: number
  readonly requests: number
  readonly unanswered: number
  /** How often each fault struck. */
  readonly faults: ReadonlyMap<string, number>
}

export interface Verdict {
  readonly figures: Figures
  /** Of a control, what it lost is no failure: that it lost nothing is one. */
  readonly failures: readonly Failure[]
}

export function check(history: History, workload: Workload): Verdict {
  const leaseRow = checkLeaseRow(history)
  const lost = lostUpdates(history)
  const failures = [
    ...checkTokens(history),
    ...checkBeliefs(history),
    ...checkTicks(history),
    ...leaseRow.failures,
    ...(workload.fenced ? checkFence(history) : []),
    ...checkGuard(history),
    ...(workload.isControl ? [] : checkUpdates(history)),
    ...(leaseRow.gaveUp ? [undecided(leaseRow.operations, leaseRow.open)] : []),
    ...(workload.isControl && lost.length === 0 ? [lostNothing(workload)] : []),
  ]
  return { figures: figuresOf(history, lost.length), failures }
}

function undecided(operations: number, open: number): Failure {
  return {
    what: `Undecided: the search for an order of ${operations} requests on the lease row, ${open} of them without an answer, took too many steps. This is no violation, and no proof either: run again with another seed.`,
    trace: [],
  }
}

function lostNothing({ title }: Workload): Failure {
  return { what: `The control "${title}" lost no update: the faults of this run show nothing.`, trace: [] }
}

function figuresOf(history: History, lost: number): Figures {
  const { tries, reports, strikes } = history
  const grants = acquisitionsOf(history)
  const accepted = new Set(acceptedAdditions(history).map(({ op }) => op))
  const staleRefused = tries.flatMap((tried) => {
    const op = additionOf(tried)?.op
    const isRefused = (tried.answer ?? tried.withheld)?.outcome === 'refused'
    // A completion asked for again is refused too, since the first one was accepted.
    return op !== undefined && isRefused && (tried.who === NETWORK || !accepted.has(op)) ? [op] : []
  })
  const struck = [...strikes.map(({ fault }) => fault), ...tries.flatMap(({ fault }) => fault ?? [])]
  return {
    operations: new Set(tries.flatMap((tried) => additionOf(tried)?.op ?? [])).size,
    acknowledged: reports.filter(({ kind }) => kind === 'acknowledged').length,
    tenures: grants.length,
    takeovers: grants.filter(({ isTakeover }) => isTakeover).length,
    staleRefused: new Set(staleRefused).size,
    lost,
    overlapsBeyondBudget:
      checkBeliefs({ ...history, clocksLeftAtMs: Number.POSITIVE_INFINITY }).length - checkBeliefs(history).length,
    requests: tries.length,
    unanswered: tries.filter(({ outcome }) => outcome === 'open').length,
    faults: new Map([...Map.groupBy(struck, (fault) => fault)].map(([fault, all]) => [fault, all.length])),
  }
}
