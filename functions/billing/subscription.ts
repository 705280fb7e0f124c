/**
 * One subscription: its row, and how a charge or a decline changes it. Pure.
 *
 * | attribute | | meaning |
 * |---|---|---|
 * | `customer`, `plan` | S | partition and sort key |
 * | `name` | S | the subscriber's; never logged, never sent |
 * | `interval`, `anchorDay` | S, N | see due-date.ts |
 * | `priceMinor`, `currency` | N, S | see money.ts |
 * | `timeZone` | S | IANA name; a period begins at local midnight |
 * | `paymentMethod` | S | the gateway's token of what to charge; never a card number |
 * | `period` | S | the local due date to be charged, `YYYY-MM-DD`; with customer and plan it is the business unit, paid once |
 * | `dueAt`, `dueShard` | S | when to charge (ISO, UTC, ms); keys of the index `due`, absent where nothing is to be charged |
 * | `dunned` | N | declines of this period so far |
 * | `status` | S | active, or suspended after too many declines |
 *
 * `customer` and `paymentMethod` are the gateway's own ids. How to resume a suspended subscription, and how to change one
 * by hand at all, says docs/operations.md.
 */
import { dueInstant, INTERVALS, type Interval, InvalidDateError, nextPeriod } from './due-date.ts'
import { isAmountMinor, isCurrency } from './money.ts'

export interface SubscriptionKey {
  readonly customer: string
  readonly plan: string
}

/** What is paid for exactly once. */
export interface BusinessUnit extends SubscriptionKey {
  readonly period: string
}

export interface Subscription extends BusinessUnit {
  readonly name: string
  readonly interval: Interval
  readonly anchorDay: number
  readonly priceMinor: number
  readonly currency: string
  readonly timeZone: string
  readonly paymentMethod: string
  readonly dueAt: string
  readonly dueShard: string
  readonly dunned: number
  readonly status: 'active' | 'suspended'
}

/** What the task reads of a due row. */
export type DueSubscription = Omit<Subscription, 'name' | 'dueAt' | 'dueShard' | 'status'>

export type AfterCharge = Pick<Subscription, 'period' | 'dueAt' | 'dueShard' | 'dunned'>
export type AfterDecline =
  | (Pick<Subscription, 'dunned' | 'dueAt'> & { readonly status: 'active' })
  | { readonly dunned: number; readonly status: 'suspended' }

const DAY_MS = 86_400_000
/** Beyond this a row is more probably wrong than late: it would be charged for every period since. */
const LONGEST_CATCH_UP_DAYS = 100
/** How many days after each decline the card is tried again: three tries in all, then the subscription is suspended. */
const DUNNING_DAYS: readonly number[] = [1, 3]
const SHARDS = 4

/**
 * All partitions of the index `due`. One partition would be simpler to read but takes at most 1000 writes a second
 * (DynamoDB Developer Guide, "Best practices for designing partition keys").
 */
export const DUE_SHARDS: readonly string[] = Array.from({ length: SHARDS }, (_, shard) => String(shard))

/** The partition of the index `due` that a customer's subscriptions are in: FNV-1a over the UTF-16 units. */
export function dueShardOf(customer: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < customer.length; i++) hash = Math.imul(hash ^ customer.charCodeAt(i), 0x01000193)
  return String((hash >>> 0) % SHARDS)
}

/** Paid: the next period, due at its own local midnight however late this one was paid. */
export function afterCharge(
  subscription: Pick<Subscription, 'customer' | 'period' | 'interval' | 'anchorDay' | 'timeZone'>,
): AfterCharge {
  const { customer, period, interval, anchorDay, timeZone } = subscription
  const next = nextPeriod(period, interval, anchorDay)
  return { period: next, dueAt: dueInstant(next, timeZone), dueShard: dueShardOf(customer), dunned: 0 }
}

/** Declined: the same period again some days after the tick, and after three declines not at all. */
export function afterDecline(subscription: Pick<DueSubscription, 'dunned'>, tick: string): AfterDecline {
  const days = DUNNING_DAYS[subscription.dunned]
  const dunned = subscription.dunned + 1
  if (days === undefined) return { dunned, status: 'suspended' }
  return { dunned, status: 'active', dueAt: new Date(Date.parse(tick) + days * DAY_MS).toISOString() }
}

/** A row that cannot be charged as it stands: an attribute is missing, of the wrong type or out of range. */
export class CorruptSubscriptionError extends Error {
  override readonly name = 'CorruptSubscriptionError'
  readonly attribute: string

  constructor(attribute: string, expected: string) {
    super(`A due subscription's attribute "${attribute}" is not ${expected}; nothing was charged for it`)
    this.attribute = attribute
  }
}

/**
 * @param tick when it is due, at the latest
 * @throws CorruptSubscriptionError, so that a row edited by hand does not become a wrong charge
 */
export function readDueSubscription(row: Readonly<Record<string, unknown>>, tick: string): DueSubscription {
  const timeZone = text(row, 'timeZone')
  const period = text(row, 'period')
  try {
    const lateMs = Date.parse(tick) - Date.parse(dueInstant(period, timeZone))
    // Rules of time zones change: what was due by those of yesterday may be some hours early by those of today.
    if (lateMs > LONGEST_CATCH_UP_DAYS * DAY_MS || lateMs < -DAY_MS) {
      throw new CorruptSubscriptionError('period', `within ${LONGEST_CATCH_UP_DAYS} days before the tick`)
    }
  } catch (error) {
    if (error instanceof CorruptSubscriptionError) throw error
    if (error instanceof InvalidDateError) throw new CorruptSubscriptionError('period', 'a date YYYY-MM-DD')
    throw new CorruptSubscriptionError('timeZone', 'an IANA time zone')
  }
  const interval = INTERVALS.find((known) => known === row['interval'])
  if (interval === undefined) throw new CorruptSubscriptionError('interval', `one of ${INTERVALS.join(', ')}`)
  const priceMinor = row['priceMinor']
  if (!isAmountMinor(priceMinor)) throw new CorruptSubscriptionError('priceMinor', 'a positive safe integer')
  const currency = text(row, 'currency')
  if (!isCurrency(currency)) throw new CorruptSubscriptionError('currency', 'a code of ISO 4217')
  return {
    customer: text(row, 'customer'),
    plan: text(row, 'plan'),
    period,
    interval,
    timeZone,
    priceMinor,
    currency,
    paymentMethod: text(row, 'paymentMethod'),
    anchorDay: integer(row, 'anchorDay', 1, 31),
    dunned: integer(row, 'dunned', 0, Number.MAX_SAFE_INTEGER),
  }
}

function text(row: Readonly<Record<string, unknown>>, attribute: string): string {
  const value = row[attribute]
  if (typeof value !== 'string' || value === '') throw new CorruptSubscriptionError(attribute, 'a text')
  return value
}

function integer(row: Readonly<Record<string, unknown>>, attribute: string, least: number, most: number): number {
  const value = row[attribute]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
    throw new CorruptSubscriptionError(attribute, `an integer from ${least} to ${most}`)
  }
  return value
}
