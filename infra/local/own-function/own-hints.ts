/** What tells somebody who tries their own function why it does not do here what they expect. */

import { secondsOf } from '../cli/phrases.ts'
import type { ObservedLease } from '../observe/observations.ts'

/** Leases end with the invocation, and timers are not exact. */
const LONGER = 1.1

/** Why a lease was asked for in a way that does not go well together with this run; empty where it does. */
export function hintsOn({ lease, leaseMs: askedMs, tick }: ObservedLease, leaseMs: number): readonly string[] {
  return [
    ...(askedMs > leaseMs * LONGER
      ? [
          `It asks for the lease for ${secondsOf(askedMs)}, but LEASE_MS is ${leaseMs}: here, where time is shortened, Lambda's retries may come before a dead leader's lease is over. Leave out the option leaseMs, which is LEASE_MS then, or run with --time-scale 1.`,
        ]
      : []),
    ...(tick === undefined
      ? [
          `It asks for the lease "${lease}" without a tick, so that its candidates may do the same tick's work one after the other. Pass withLease the event's tick: { …, tick: event.tick }.`,
        ]
      : []),
  ]
}
