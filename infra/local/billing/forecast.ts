/** How many charges a tick should bring, from the subscriptions alone. */
import { afterCharge, type Subscription } from '../../../functions/billing/subscription.ts'

export interface Forecast {
  /** Business units that fall due up to this tick and after the one asked for before. */
  newlyDueAt(tickMs: number): number
}

export function forecast(subscriptions: readonly Subscription[]): Forecast {
  const next = [...subscriptions]
  return {
    newlyDueAt: (tickMs) => {
      let due = 0
      next.forEach((subscription, index) => {
        let upcoming = subscription
        for (; Date.parse(upcoming.dueAt) <= tickMs; due += 1) upcoming = { ...upcoming, ...afterCharge(upcoming) }
        next[index] = upcoming
      })
      return due
    },
  }
}
