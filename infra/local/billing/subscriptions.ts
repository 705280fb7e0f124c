/**
 * The demo's subscriptions: of given customers or of invented ones, put into the table, and when they are due. Invented
 * people around the world are due on 31 January 2024 in time zones at most an hour apart. It is midnight somewhere in
 * every hour, so hourly ticks from the earliest due instant all find customers.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { dayOf, dueInstant, INTERVALS } from '../../../functions/billing/due-date.ts'
import { afterCharge, dueShardOf, type Subscription } from '../../../functions/billing/subscription.ts'
import { CARD } from '../../../functions/sandbox/cards.ts'
import { mulberry32, pick } from '../../programs/random.ts'

export type Customer = Pick<
  Subscription,
  'customer' | 'name' | 'plan' | 'interval' | 'priceMinor' | 'currency' | 'timeZone'
> & {
  /** The first period to charge, a local date `YYYY-MM-DD`; its day becomes the anchor day. */
  readonly dueDate: string
  /** The gateway's token of what to charge. @default the sandbox's card that always succeeds */
  readonly paymentMethod?: string
}

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

// biome-ignore format: names are easier to read in lines
const GIVEN_NAMES = [
  'Ada', 'Björn', 'Chidi', 'Elif', 'Joaquín', 'Lwazi', 'Malia', 'Oisín', 'Priya', 'Quynh', 'Yuki', 'Zoë',
]
// biome-ignore format: names are easier to read in lines
const FAMILY_NAMES = [
  "D'Souza", 'Fakatava', 'García Márquez', 'Haddad', 'Nguyễn', 'Sato', 'Tupou', 'Vasquez, Jr.', 'Yılmaz',
]

/** From the first midnight on Earth to the last, at most an hour apart. */
// biome-ignore format: names are easier to read in lines
const ZONES_WESTWARD = [
  'Pacific/Kiritimati', 'Pacific/Tongatapu', 'Pacific/Fiji', 'Pacific/Guadalcanal', 'Australia/Brisbane',
  'Australia/Darwin', 'Asia/Tokyo', 'Asia/Singapore', 'Asia/Bangkok', 'Asia/Dhaka', 'Asia/Kathmandu', 'Asia/Kolkata',
  'Asia/Tashkent', 'Asia/Kabul', 'Asia/Dubai', 'Africa/Nairobi', 'Africa/Cairo', 'Europe/Berlin', 'Europe/London',
  'Atlantic/Azores', 'America/Noronha', 'America/Sao_Paulo', 'America/St_Johns', 'America/Santo_Domingo',
  'America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles', 'America/Anchorage',
  'Pacific/Honolulu', 'Pacific/Pago_Pago',
]

/** By plan. JPY has no minor unit, KWD and TND have three decimal digits. */
const PRICES: Readonly<Record<string, readonly number[]>> = {
  EUR: [999, 1999, 4999],
  GBP: [899, 1799, 4499],
  USD: [1099, 2099, 5499],
  INR: [49_900, 99_900, 249_900],
  BRL: [3990, 7990, 19_990],
  JPY: [1200, 2400, 6000],
  KWD: [3250, 6500, 15_750],
  TND: [29_900, 59_900, 149_900],
}
const PLANS = { week: 'basic-weekly', month: 'plus-monthly', year: 'pro-yearly' } as const

/**
 * The same seed gives the same customers. With 240 at least six are due at each of the first 24 hourly ticks.
 * @param dueTogether all are due at the first tick, with a card that succeeds: one tick under load
 */
export function generateCustomers(seed: number, count = 240, { dueTogether = false } = {}): Subscription[] {
  const random = mulberry32(seed)
  return Array.from({ length: count }, (_, i) => {
    const interval = pick(random, INTERVALS)
    const timeZone = ZONES_WESTWARD[dueTogether ? 0 : i % ZONES_WESTWARD.length] ?? 'UTC'
    // The sandbox declines one in fifty, so that runs show dunning from the fourth tick on.
    const paymentMethod = !dueTogether && i % 50 === 3 ? CARD.declined : CARD.charged
    const customer = `cus_${String(i + 1).padStart(4, '0')}`
    return invent(random, customer, { dueDate: '2024-01-31', interval, timeZone, paymentMethod })
  })
}

/** Customers with weekly plans, two for every hour of the week: a run without end has charges at every hourly tick. */
export function generateWeeklyCustomers(seed: number): Subscription[] {
  const random = mulberry32(seed)
  const nextWeek = Array.from({ length: 7 }, (_, day) => `2024-02-0${day + 1}`)
  const hours = nextWeek.flatMap((dueDate) => ZONES_WESTWARD.map((timeZone) => ({ dueDate, timeZone })))
  return [...hours, ...hours].map((due, i) =>
    invent(random, `cus_w${String(i + 1).padStart(4, '0')}`, { interval: 'week', ...due }),
  )
}

type Due = Pick<Customer, 'interval' | 'dueDate' | 'timeZone' | 'paymentMethod'>

function invent(random: () => number, customer: string, due: Due): Subscription {
  const [currency, prices] = pick(random, Object.entries(PRICES))
  const priceMinor = prices[INTERVALS.indexOf(due.interval)] ?? 1000
  const name = `${pick(random, GIVEN_NAMES)} ${pick(random, FAMILY_NAMES)}`
  return subscribe({ customer, name, plan: PLANS[due.interval], priceMinor, currency, ...due })
}
