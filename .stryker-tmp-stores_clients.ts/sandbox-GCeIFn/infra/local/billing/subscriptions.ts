/** The demo's subscriptions: made from customers, put into the table, and when they are due. */
// @ts-nocheck

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { dayOf, dueInstant } from '../../../functions/billing/due-date.ts'
import { afterCharge, dueShardOf, type Subscription } from '../../../functions/billing/subscription.ts'
import { CARD } from '../../../functions/sandbox/cards.ts'

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
export function subscribe({ dueDate, paymentMethod = CARD.charged, ...customer }: Customer): Subscription {
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

/** Requests on their way at the same time; the SDK opens 50 connections. */
const AT_ONCE = 50

/** Puts the subscriptions into the table; a row with the same customer and plan is replaced. @throws `signal.reason` */
export async function seedSubscriptions(
  client: DynamoDBClient,
  TableName: string,
  subscriptions: readonly Subscription[],
  signal?: AbortSignal,
): Promise<void> {
  const documents = DynamoDBDocumentClient.from(client)
  for (let start = 0; start < subscriptions.length; start += AT_ONCE) {
    signal?.throwIfAborted()
    const puts = subscriptions.slice(start, start + AT_ONCE).map((Item) => new PutCommand({ TableName, Item }))
    await Promise.all(puts.map((put) => documents.send(put)))
  }
}

/** The first instant at which anything is due: a local run starts there. @throws RangeError for an empty list */
export function earliestDueAt(subscriptions: readonly Subscription[]): string {
  const [earliest] = subscriptions.map(({ dueAt }) => dueAt).sort()
  if (earliest === undefined) throw new RangeError('There are no subscriptions, so nothing is ever due')
  return earliest
}

/** How many business units are due at each tick of a run that were not due at the tick before. */
export function forecastOf(seeded: readonly Subscription[]): (tickMs: number) => number {
  let subscriptions = seeded
  return (tickMs) => {
    let due = 0
    subscriptions = subscriptions.map((subscription) => {
      let next = subscription
      for (; Date.parse(next.dueAt) <= tickMs; due++) next = { ...next, ...afterCharge(next) }
      return next
    })
    return due
  }
}
