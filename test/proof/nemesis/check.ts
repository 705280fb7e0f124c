/** All checks over one history, and the figures that go with the verdict. */
import type { Failure } from '../part.ts'
import { acceptedAdditions, acquisitionsOf, additionOf } from './checks/accepted.ts'
import { checkBeliefs } from './checks/beliefs.ts'
import { checkLeaseRow } from './checks/lease-row.ts'
import { checkFence, checkGuard } from './checks/stale-effects.ts'
import type { Figures } from './checks/substance.ts'
import { checkTicks } from './checks/ticks.ts'
import { checkTokens } from './checks/tokens.ts'
import { checkUpdates, lostUpdates } from './checks/updates.ts'
import { type History, NETWORK, said } from './history.ts'
import type { Workload } from './workloads.ts'

export interface Verdict {
  readonly figures: Figures
  /** What a control lost is no failure. */
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
  ]
  const figures = figuresOf(history, lost.length)
  return { figures, failures }
}

function undecided(operations: number, open: number): Failure {
  return {
    what: `Undecided: the search for an order of ${operations} requests on the lease row, ${open} of them without an answer, took too many steps. This is no violation, and no proof either: run again with another seed.`,
    trace: [],
  }
}

function figuresOf(history: History, lost: number): Figures {
  const { tries, reports, strikes } = history
  const grants = acquisitionsOf(history)
  const accepted = new Set(acceptedAdditions(history).map(({ op }) => op))
  const staleRefused = tries.flatMap((tried) => {
    const op = additionOf(tried)?.op
    const isRefused = said(tried)?.outcome === 'refused'
    // A completion asked for again is refused too, since the first one was accepted.
    return op !== undefined && isRefused && (tried.who === NETWORK || !accepted.has(op)) ? [op] : []
  })
  const ofNetwork = new Map(tries.map(({ request, fault }) => [`${request} ${fault}`, fault])) // for all its tries once
  const struck = [...strikes.map(({ fault }) => fault), ...[...ofNetwork.values()].flatMap((fault) => fault ?? [])]
  return {
    operations: new Set(tries.flatMap((tried) => additionOf(tried)?.op ?? [])).size,
    acknowledged: reports.filter(({ kind }) => kind === 'acknowledged').length,
    tenures: grants.length,
    candidates: new Set(grants.map(({ who }) => who)).size,
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
