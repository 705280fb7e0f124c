import { dayOf, dueInstant } from '../../../functions/billing/due-date.ts'
import { dueShardOf, type Subscription } from '../../../functions/billing/subscription.ts'

export const SUCCEEDING_CARD = 'card_4242424242424242'

export type Customer = Pick<
  Subscription,
  'customer' | 'name' | 'plan' | 'interval' | 'priceMinor' | 'currency' | 'timeZone'
> & {
  /** The first period to charge, a local date `YYYY-MM-DD`; its day becomes the anchor day. */
  readonly dueDate: string
  /** The gateway's token of what to charge. @default the sandbox's card that always succeeds */
  readonly paymentMethod?: string
}

/** The row of a new subscription. @throws InvalidDateError */
export function subscribe({ dueDate, paymentMethod = SUCCEEDING_CARD, ...customer }: Customer): Subscription {
  return {
    ...customer,
    paymentMethod,
    anchorDay: dayOf(dueDate),
    period: dueDate,
    dueAt: dueInstant(dueDate, customer.timeZone),
    dueShard: dueShardOf(customer.customer),
    dunned: 0,
    status: 'active',
  }
}
