/**
 * Customers made from a seed: invented people around the world whose due dates lie where calendars are awkward.
 *
 * The first wave is due on 31 January 2024 and is dealt evenly to zones an hour or less apart, so that midnight falls
 * somewhere in every hour: hourly ticks from the earliest due instant all find customers.
 */
import type { Interval } from '../../../functions/billing/due-date.ts'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { mulberry32, pick } from '../../programs/random.ts'
import { subscribe } from './subscribe.ts'

// biome-ignore format: words read better in lines than one by one
const GIVEN_NAMES = [
  'Ada', 'Amara', 'Bao', 'Björn', 'Chidi', 'Dilnoza', 'Elif', 'Fatima', 'Goran', 'Hana', 'Ines', 'Joaquín',
  'Kalinda', 'Lwazi', 'Malia', 'Nadia', 'Oisín', 'Priya', 'Quynh', 'Rosa', 'Sefo', 'Tomasz', 'Uma', 'Vera',
  'Wanjiru', 'Ximena', 'Yuki', 'Zoë',
]
// biome-ignore format: words read better in lines than one by one
const FAMILY_NAMES = [
  'Achterberg', 'Bajracharya', "D'Souza", 'Eriksson', 'Fakatava', 'García Márquez', 'Haddad', 'Ibrahim', 'Jansen',
  'Kowalczyk', 'Lefebvre', 'Mbeki', 'Nguyễn', "O'Dell", 'Pereira', 'Quispe', 'Rahman', 'Sato', 'Tupou', 'Ueda',
  'Vasquez, Jr.', 'Weiß', 'Yılmaz', 'Zhang',
]

/** From the first midnight on Earth to the last, never more than an hour apart. */
// biome-ignore format: words read better in lines than one by one
const ZONES_WESTWARD = [
  'Pacific/Kiritimati', 'Pacific/Tongatapu', 'Pacific/Fiji', 'Pacific/Guadalcanal', 'Australia/Brisbane',
  'Australia/Darwin', 'Asia/Tokyo', 'Asia/Singapore', 'Asia/Bangkok', 'Asia/Dhaka', 'Asia/Kathmandu', 'Asia/Kolkata',
  'Asia/Tashkent', 'Asia/Kabul', 'Asia/Dubai', 'Africa/Nairobi', 'Africa/Cairo', 'Europe/Berlin', 'Europe/London',
  'Atlantic/Azores', 'America/Noronha', 'America/Sao_Paulo', 'America/St_Johns', 'America/Santo_Domingo',
  'America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles', 'America/Anchorage',
  'Pacific/Honolulu', 'Pacific/Pago_Pago',
]

/** Dates that go wrong easily: the leap day, month ends, and midnights that summer time leaves out. */
const AWKWARD: readonly { dueDate: string; interval: Interval; timeZone: string }[] = [
  { dueDate: '2024-02-29', interval: 'year', timeZone: 'Europe/London' },
  { dueDate: '2024-02-29', interval: 'year', timeZone: 'Pacific/Kiritimati' },
  { dueDate: '2024-02-29', interval: 'month', timeZone: 'America/St_Johns' },
  { dueDate: '2024-02-29', interval: 'week', timeZone: 'Asia/Kathmandu' },
  { dueDate: '2024-03-10', interval: 'week', timeZone: 'America/Havana' },
  { dueDate: '2024-03-31', interval: 'month', timeZone: 'Asia/Beirut' },
  { dueDate: '2024-03-31', interval: 'month', timeZone: 'Atlantic/Azores' },
  { dueDate: '2024-03-31', interval: 'month', timeZone: 'Europe/London' },
  { dueDate: '2024-04-26', interval: 'week', timeZone: 'Africa/Cairo' },
  { dueDate: '2024-04-30', interval: 'month', timeZone: 'Australia/Lord_Howe' },
  { dueDate: '2024-09-08', interval: 'month', timeZone: 'America/Santiago' },
  { dueDate: '2024-12-31', interval: 'year', timeZone: 'Pacific/Apia' },
]
const LATER_DATES = ['2024-02-01', '2024-02-15', '2024-02-28', '2024-02-29', '2024-03-01', '2024-03-30', '2024-03-31']
const FIRST_DATE = '2024-01-31'
const FIRST_ZONE = 'Pacific/Kiritimati'
const FIRST_WAVE = 0.75

/** Cents of several sizes, a currency without minor units (JPY) and two with three digits of them (KWD, TND). */
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
const PLANS: readonly { plan: string; interval: Interval; price: number }[] = [
  { plan: 'basic-weekly', interval: 'week', price: 0 },
  { plan: 'plus-monthly', interval: 'month', price: 1 },
  { plan: 'pro-yearly', interval: 'year', price: 2 },
]

/** One customer in fifty, so that dunning is seen; the first of them at the fourth tick. The sandbox always declines this card. */
const DECLINED_EVERY = 50
const FIRST_DECLINED = 3
const DECLINED_CARD = 'card_4000000000000002'

interface GenerateOptions {
  /** All of them at the instant of the first tick, and with a card that succeeds: to see one tick under load. @default false */
  readonly dueTogether?: boolean
}

/**
 * The same seed gives the same customers. With 240 of them every one of the first 24 hourly ticks has at least four.
 *
 * @param seed any integer
 */
export function generateCustomers(
  seed: number,
  count = 240,
  { dueTogether = false }: GenerateOptions = {},
): Subscription[] {
  const random = mulberry32(seed)
  const zones = dueTogether ? [FIRST_ZONE] : ZONES_WESTWARD
  const firstWave = dueTogether ? count : Math.floor(count * FIRST_WAVE)
  return Array.from({ length: count }, (_, i) => {
    const interval = pick(random, PLANS).interval
    const zone = zones[i % zones.length] ?? 'Etc/UTC'
    const later = AWKWARD[i - firstWave] ?? { dueDate: pick(random, LATER_DATES), interval, timeZone: zone }
    const due = i < firstWave ? { dueDate: FIRST_DATE, interval, timeZone: zone } : later
    const offer = PLANS.find((plan) => plan.interval === due.interval) ?? pick(random, PLANS)
    const [currency, prices] = pick(random, Object.entries(PRICES))
    return subscribe({
      customer: `cus_${String(i + 1).padStart(4, '0')}`,
      name: `${pick(random, GIVEN_NAMES)} ${pick(random, FAMILY_NAMES)}`,
      plan: offer.plan,
      interval: offer.interval,
      priceMinor: prices[offer.price] ?? 1000,
      currency,
      dueDate: due.dueDate,
      timeZone: due.timeZone,
      ...(!dueTogether && i % DECLINED_EVERY === FIRST_DECLINED ? { paymentMethod: DECLINED_CARD } : {}),
    })
  })
}

/** The seven days behind the first. */
const NEXT_WEEK = Array.from({ length: 7 }, (_, day) => `2024-02-0${day + 1}`)
const AN_HOUR = 2

/**
 * Customers of weekly plans, some for every hour of the week: hourly ticks that go on and on always find one who is due.
 *
 * @param seed any integer
 */
export function generateWeeklyCustomers(seed: number): Subscription[] {
  const random = mulberry32(seed)
  const hours = NEXT_WEEK.flatMap((dueDate) => ZONES_WESTWARD.map((timeZone) => ({ dueDate, timeZone })))
  return Array.from({ length: AN_HOUR }, () => hours)
    .flat()
    .map((due, i) => {
      const [currency, prices] = pick(random, Object.entries(PRICES))
      return subscribe({
        customer: `cus_w${String(i + 1).padStart(4, '0')}`,
        name: `${pick(random, GIVEN_NAMES)} ${pick(random, FAMILY_NAMES)}`,
        plan: 'basic-weekly',
        interval: 'week',
        priceMinor: prices[0] ?? 1000,
        currency,
        ...due,
      })
    })
}
