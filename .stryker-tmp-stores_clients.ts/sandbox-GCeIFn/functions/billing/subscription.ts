/**
 * A subscription's row, and how a charge or a decline changes it. Pure.
 *
 * | attribute | type | meaning |
 * |---|---|---|
 * | `customer`, `plan` | S | partition and sort key |
 * | `name` | S | the subscriber's name; never logged, never sent |
 * | `interval`, `anchorDay` | S, N | see due-date.ts |
 * | `priceMinor`, `currency` | N, S | see money.ts |
 * | `timeZone` | S | IANA name; a period begins at local midnight |
 * | `paymentMethod` | S | the gateway's token of what to charge; never a card number |
 * | `period` | S | the local due date to charge, `YYYY-MM-DD`; with customer and plan it is the business unit |
 * | `dueAt`, `dueShard` | S | when to charge (ISO, UTC, ms); keys of the index `due`, absent while suspended |
 * | `dunned` | N | declines of this period so far |
 * | `status` | S | active, or suspended after too many declines |
 *
 * While several periods are due, `dueAt` stays that of the first until all are charged. `customer` and `paymentMethod`
 * are the gateway's ids. docs/operations.md describes how to change a subscription by
 * hand and how to resume a suspended one.
 */
// @ts-nocheck

import * as v from 'valibot'
import { dueInstant, INTERVALS, InvalidDateError, nextPeriod } from './due-date.ts'
import { isAmountMinor, isCurrency } from './money.ts'

export interface SubscriptionKey {
  readonly customer: string
  readonly plan: string
}

/** As the index `due` lists it. */
export interface DueEntry extends SubscriptionKey {
  readonly dueAt: string
}

/** What is charged exactly once. */
export interface BusinessUnit extends SubscriptionKey {
  readonly period: string
}

const text = v.pipe(v.string(), v.nonEmpty())
const dueSchema = v.object({
  ...{ customer: text, plan: text, period: text, timeZone: text, paymentMethod: text },
  interval: v.picklist(INTERVALS),
  anchorDay: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(31)),
  priceMinor: v.custom<number>(isAmountMinor),
  currency: v.custom<string>(isCurrency),
  dunned: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
})

export type DueSubscription = Readonly<v.InferOutput<typeof dueSchema>>

export interface Subscription extends DueSubscription {
  readonly name: string
  readonly dueAt: string
  readonly dueShard: string
  readonly status: 'active' | 'suspended'
}

export type AfterCharge = Pick<Subscription, 'period' | 'dueAt' | 'dueShard' | 'dunned'>
export type AfterDecline =
  | (Pick<Subscription, 'dunned' | 'dueAt'> & { readonly status: 'active' })
  | { readonly dunned: number; readonly status: 'suspended' }

const DAY_MS = 86_400_000
/** A row that is due for longer is probably wrong, and would be charged for every period since. */
const LONGEST_CATCH_UP_DAYS = 100
/** Days from each decline to the next try: three tries in all, then the subscription is suspended. */
const DUNNING_DAYS: readonly number[] = [1, 3]
const SHARDS = 4

/**
 * All partitions of the index `due`. Several, as one takes at most 1000 writes a second (DynamoDB Developer Guide,
 * "Best practices for designing partition keys").
 */
export const DUE_SHARDS: readonly string[] = Array.from({ length: SHARDS }, (_, shard) => String(shard))

/** The partition of a customer's subscriptions in the index `due`: FNV-1a over the UTF-16 units. */
export function dueShardOf(customer: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < customer.length; i++) hash = Math.imul(hash ^ customer.charCodeAt(i), 0x01000193)
  return String((hash >>> 0) % SHARDS)
}

/** The next period, due at its local midnight, however late this one was charged. */
export function afterCharge({ customer, period, interval, anchorDay, timeZone }: DueSubscription): AfterCharge {
  const next = nextPeriod(period, interval, anchorDay)
  return { period: next, dueAt: dueInstant(next, timeZone), dueShard: dueShardOf(customer), dunned: 0 }
}

/** The same period again some days after the tick, or suspended after the third decline. */
export function afterDecline({ dunned: before }: DueSubscription, tick: string): AfterDecline {
  const days = DUNNING_DAYS[before]
  const dunned = before + 1
  if (days === undefined) return { dunned, status: 'suspended' }
  return { dunned, status: 'active', dueAt: new Date(Date.parse(tick) + days * DAY_MS).toISOString() }
}

/** A row cannot be charged: an attribute is missing, of the wrong type, or out of range. */
export class CorruptSubscriptionError extends Error {
  override readonly name = 'CorruptSubscriptionError'
  readonly attribute: string

  constructor(attribute: string, problem = 'not what billing writes') {
    super(`A due subscription's attribute "${attribute}" is ${problem}; nothing was charged for it`)
    this.attribute = attribute
  }
}

/**
 * Validates the row: a wrong manual edit must not become a wrong charge.
 *
 * @param tick the row is due at this tick
 * @throws CorruptSubscriptionError
 */
export function readDueSubscription(row: Readonly<Record<string, unknown>>, tick: string): DueSubscription {
  const { success, output, issues } = v.safeParse(dueSchema, row)
  if (!success) throw new CorruptSubscriptionError(String(v.getDotPath(issues[0])))
  const lateMs = Date.parse(tick) - dueMs(output)
  // Early is possible: time zone rules may have changed since `dueAt` was computed.
  if (lateMs > LONGEST_CATCH_UP_DAYS * DAY_MS || lateMs < -DAY_MS) {
    throw new CorruptSubscriptionError('period', `not within ${LONGEST_CATCH_UP_DAYS} days before the tick`)
  }
  return output
}

/** @throws CorruptSubscriptionError */
function dueMs({ period, timeZone }: DueSubscription): number {
  try {
    return Date.parse(dueInstant(period, timeZone))
  } catch (error) {
    if (error instanceof InvalidDateError) throw new CorruptSubscriptionError('period', 'not a date YYYY-MM-DD')
    throw new CorruptSubscriptionError('timeZone', 'not an IANA time zone')
  }
}
