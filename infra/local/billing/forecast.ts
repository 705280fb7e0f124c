/** When and how much is due, computed from the subscriptions alone. */
import { afterCharge, type Subscription } from '../../../functions/billing/subscription.ts'

/** The first instant at which anything is due: a local run starts there. @throws RangeError for an empty list */
export function earliestDueAt(subscriptions: readonly Subscription[]): string {
  const [earliest] = subscriptions.map(({ dueAt }) => dueAt).sort()
  if (earliest === undefined) throw new RangeError('There are no subscriptions, so nothing is ever due')
  return earliest
}

/** How many business units are due at each tick of a run that were not due at the tick before. */
export class Forecast {
  #subscriptions: readonly Subscription[]

  constructor(subscriptions: readonly Subscription[]) {
    this.#subscriptions = subscriptions
  }

  /** @param tickMs later than that of the last call */
  newlyDueAt(tickMs: number): number {
    let due = 0
    this.#subscriptions = this.#subscriptions.map((subscription) => {
      let next = subscription
      for (; Date.parse(next.dueAt) <= tickMs; due++) next = { ...next, ...afterCharge(next) }
      return next
    })
    return due
  }
}
