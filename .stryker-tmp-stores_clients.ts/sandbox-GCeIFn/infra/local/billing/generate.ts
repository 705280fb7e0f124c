/**
 * Generates customers from a seed: invented people around the world, due on 31 January 2024 in time zones at most an
 * hour apart. It is midnight somewhere in every hour, so hourly ticks from the earliest due instant all find customers.
 */
// @ts-nocheck

import { INTERVALS } from '../../../functions/billing/due-date.ts'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { CARD } from '../../../functions/sandbox/cards.ts'
import { mulberry32, pick } from '../../programs/random.ts'
import { type Customer, subscribe } from './subscriptions.ts'

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

const FIRST_DATE = '2024-01-31'
const FIRST_ZONE = 'Pacific/Kiritimati'

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

/** One customer in fifty has a card that the sandbox declines, so that runs show dunning from the fourth tick on. */
const DECLINED_EVERY = 50
const FIRST_DECLINED = 3

/**
 * The same seed gives the same customers. With 240 customers at least six are due at each of the first 24
 * hourly ticks.
 *
 * @param seed any integer
 * @param dueTogether all are due at the first tick, with a card that succeeds: one tick under load
 */
export function generateCustomers(seed: number, count = 240, { dueTogether = false } = {}): Subscription[] {
  const random = mulberry32(seed)
  const zones = dueTogether ? [FIRST_ZONE] : ZONES_WESTWARD
  return Array.from({ length: count }, (_, i) => {
    const [interval, timeZone] = [pick(random, INTERVALS), zones[i % zones.length] ?? FIRST_ZONE]
    const isDeclined = !dueTogether && i % DECLINED_EVERY === FIRST_DECLINED
    const card = isDeclined ? { paymentMethod: CARD.declined } : {}
    const customer = `cus_${String(i + 1).padStart(4, '0')}`
    return invent(random, customer, { dueDate: FIRST_DATE, interval, timeZone, ...card })
  })
}

/**
 * Customers with weekly plans, two for every hour of the week: a run without end has charges at every hourly tick.
 *
 * @param seed any integer
 */
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
