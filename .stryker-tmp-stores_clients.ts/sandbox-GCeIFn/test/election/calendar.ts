/** Random crons of Scheduler with what they mean, and calendars to hold them against, minute by minute. */
// @ts-nocheck

import fc from 'fast-check'

/** What the clocks of a zone show. */
export interface Reading {
  readonly ms: number
  readonly minute: number
  readonly hour: number
  readonly day: number
  readonly month: number
  /** 1 is Sunday. */
  readonly weekDay: number
  readonly year: number
  readonly daysInMonth: number
  /** The clocks have shown the same before. */
  readonly isRepeated: boolean
}

export interface RandomCron {
  readonly fields: string
  readonly matches: (reading: Reading) => boolean
}

interface RandomField {
  readonly text: string
  readonly has: (value: number, reading: Reading) => boolean
}

const MINUTE_MS = 60_000
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** Each minute of an interval, as clocks in a zone show it. */
export function minutesOf(timeZone: string, fromMs: number, toMs: number): Reading[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  const shown = new Set<string>()
  return Array.from({ length: (toMs - fromMs) / MINUTE_MS }, (_, index) => {
    const ms = fromMs + index * MINUTE_MS
    const text = format.format(ms)
    const isRepeated = shown.has(text)
    shown.add(text)
    const [date = '', time = ''] = text.split(' ')
    const [hour = 0, minute = 0] = time.split(':').map(Number)
    return { ...dayOf(date), ms, hour, minute, isRepeated }
  })
}

/** @param date such as 2027-03-28; its midnight in UTC */
export function dayOf(date: string): Reading {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
  const midnight = new Date(date)
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const weekDay = midnight.getUTCDay() + 1
  return { ms: midnight.getTime(), minute: 0, hour: 0, day, month, weekDay, year, daysInMonth, isRepeated: false }
}

/** A number, range or steps; or a list of those. Ranges may go over the end. */
function listField(
  from: number,
  to: number,
  names: readonly string[] = [],
  numbers = fc.integer({ min: from, max: to }),
) {
  const text = (value: number) => names[value - from] ?? String(value)
  const walk = (start: number, end: number, step: number) => {
    const values = new Set<number>()
    for (let value = start, steps = 0; ; value = value === to ? from : value + 1, steps++) {
      if (steps % step === 0) values.add(value)
      if (value === end) return values
    }
  }
  const steps = fc.integer({ min: 1, max: Math.min(to, 20) })
  const item = fc.oneof(
    numbers.map((value) => ({ text: text(value), values: new Set([value]) })),
    fc.tuple(numbers, numbers).map(([a, b]) => ({ text: `${text(a)}-${text(b)}`, values: walk(a, b, 1) })),
    fc.tuple(numbers, numbers, steps).map(([a, b, n]) => ({ text: `${a}-${b}/${n}`, values: walk(a, b, n) })),
    fc.tuple(numbers, steps).map(([a, n]) => ({ text: `${text(a)}/${n}`, values: walk(a, to, n) })),
    steps.map((n) => ({ text: `*/${n}`, values: walk(from, to, n) })),
  )
  const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items): RandomField => {
    return { text: items.map((one) => one.text).join(), has: (value) => items.some(({ values }) => values.has(value)) }
  })
  return fc.oneof(fc.constant<RandomField>({ text: '*', has: () => true }), { arbitrary: list, weight: 3 })
}

const days = fc.integer({ min: 1, max: 31 })
const weekDays = fc.integer({ min: 1, max: 7 })
const isWorkday = (weekDay: number) => weekDay >= 2 && weekDay <= 6
const weekDayOf = ({ day, weekDay }: Reading, other: number) => ((((weekDay - 1 + other - day) % 7) + 7) % 7) + 1

/** The workday nearest to a day, in the same month. Two are never equally near, because a weekend has two days. */
function nearestWorkday(reading: Reading, day: number): number | undefined {
  if (day > reading.daysInMonth) return undefined
  const inMonth = [0, -1, 1, -2, 2].map((distance) => day + distance)
  return inMonth.find((d) => d >= 1 && d <= reading.daysInMonth && isWorkday(weekDayOf(reading, d)))
}

const dayOfMonth = fc.oneof(
  { arbitrary: listField(1, 31), weight: 2 },
  fc.constant<RandomField>({ text: 'L', has: (day, { daysInMonth }) => day === daysInMonth }),
  fc.constant<RandomField>({ text: 'LW', has: (day, reading) => day === nearestWorkday(reading, reading.daysInMonth) }),
  days.map((n): RandomField => ({ text: `${n}W`, has: (day, reading) => day === nearestWorkday(reading, n) })),
)

const dayOfWeek = fc.oneof(
  { arbitrary: listField(1, 7, DAYS), weight: 2 },
  fc.constant<RandomField>({ text: 'L', has: (weekDay) => weekDay === 7 }),
  weekDays.map((n): RandomField => {
    return { text: `${n}L`, has: (weekDay, { day, daysInMonth }) => weekDay === n && day + 7 > daysInMonth }
  }),
  fc.tuple(weekDays, fc.integer({ min: 1, max: 5 })).map(([n, k]): RandomField => {
    return { text: `${DAYS[n - 1]}#${k}`, has: (weekDay, { day }) => weekDay === n && Math.ceil(day / 7) === k }
  }),
)

const anyDay = fc.constant<RandomField>({ text: '*', has: () => true })
const open: RandomField = { text: '?', has: () => true }
const zero = fc.constant<RandomField>({ text: '0', has: (value) => value === 0 })
/** Clocks change in these hours. */
const nightHours = fc.constantFrom(0, 1, 2, 3, 4, 22, 23)

const years = fc.constantFrom<RandomField>(
  { text: '*', has: () => true },
  { text: '1970-2199', has: () => true },
  { text: '2011/16', has: (year) => year === 2011 || year === 2027 },
  { text: '2010-2012,2027-2031/2', has: (year) => year < 2013 || year % 2 === 1 },
)

/** Crons for every minute of a few days. */
export const clockCrons = cronOf(
  listField(0, 59),
  listField(0, 23, [], nightHours),
  anyDay,
  listField(1, 7, DAYS),
  anyDay,
)
/** Crons for every midnight of a few years. */
export const dateCrons = cronOf(zero, zero, dayOfMonth, dayOfWeek, listField(1, 12, MONTHS))

type Fields = fc.Arbitrary<RandomField>

function cronOf(
  minutes: Fields,
  hours: Fields,
  ofMonth: Fields,
  ofWeek: Fields,
  month: Fields,
): fc.Arbitrary<RandomCron> {
  const dates = fc.oneof(
    ofMonth.map((field) => [field, open] as const),
    ofWeek.map((field) => [open, field] as const),
  )
  return fc.tuple(minutes, hours, dates, month, years).map(([minute, hour, [day, weekDay], ofMonths, year]) => ({
    fields: [minute, hour, day, ofMonths, weekDay, year].map(({ text }) => text).join(' '),
    matches: (reading) =>
      minute.has(reading.minute, reading) &&
      hour.has(reading.hour, reading) &&
      day.has(reading.day, reading) &&
      ofMonths.has(reading.month, reading) &&
      weekDay.has(reading.weekDay, reading) &&
      year.has(reading.year, reading),
  }))
}
