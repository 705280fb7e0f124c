/** Reads the six fields of Scheduler's cron. */
import { quoted } from './show.ts'

/** The local times at which a cron fires. Values are ascending. */
export interface CronFields {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly isDay: DayRule
  /** From 1. */
  readonly months: readonly number[]
  readonly years: readonly number[]
}

interface Day {
  readonly day: number
  /** 1 is Sunday. */
  readonly weekDay: number
  readonly lastOfMonth: number
}

type DayRule = (day: Day) => boolean

interface Field {
  readonly name: string
  readonly from: number
  readonly to: number
  /** Names of the values, from the first. */
  readonly names?: readonly string[]
  /** The end of the message that says what to write. */
  readonly forms?: string
}

const MINUTES: Field = { name: 'minutes', from: 0, to: 59 }
const HOURS: Field = { name: 'hours', from: 0, to: 23 }
const DAY_OF_MONTH: Field = { name: 'day-of-month', from: 1, to: 31, forms: '; or L, LW or 3W, alone' }
const MONTH: Field = {
  ...{ name: 'month', from: 1, to: 12, forms: '; or JAN to DEC for the numbers' },
  names: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '),
}
const DAY_OF_WEEK: Field = {
  ...{ name: 'day-of-week', from: 1, to: 7, forms: '; or SUN to SAT for the numbers; or L, 6L or 3#2, alone' },
  names: 'SUN MON TUE WED THU FRI SAT'.split(' '),
}
const YEAR: Field = { name: 'year', from: 1970, to: 2199 }
const FIELDS = [MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR]

/**
 * @param content what is between the parentheses of `cron(…)`
 * @param refuse makes the error from the end of a message that begins with the schedule
 */
export function cronFields(content: string, refuse: (why: string) => Error): CronFields {
  const texts = content.toUpperCase().split(/\s/).filter(Boolean)
  if (texts.length === 5) texts.push('*') // the year is optional
  if (texts.length !== FIELDS.length) {
    const names = FIELDS.map(({ name }) => name).join(' ')
    throw refuse(`has ${texts.length} fields instead of 5 or 6; write cron(${names}), such as cron(0 6 ? * MON-FRI *)`)
  }
  if ((texts[2] === '?') === (texts[4] === '?')) {
    throw refuse(
      `has ${texts[2] === '?' ? 'two "?"' : 'no "?"'}; write it in day-of-month or day-of-week, and in one only, ` +
        'such as cron(0 6 * * ? *) or cron(0 6 ? * MON *)',
    )
  }
  const read = <T>(field: Field, readText: (text: string) => T | undefined): T => {
    const text = texts[FIELDS.indexOf(field)] ?? ''
    const found = readText(text)
    if (found !== undefined) return found
    const { name, from, to, forms = '' } = field
    throw refuse(
      `has ${quoted(text)} for ${name}; write a number from ${from} to ${to}, a list like ${from},${to}, ` +
        `a range like ${from}-${to}, steps like ${from}/2, or *${forms}`,
    )
  }
  const valuesOf = (field: Field) => read(field, (text) => list(field, text))
  const [minutes, hours] = [valuesOf(MINUTES), valuesOf(HOURS)]
  const isDayOfMonth = read(DAY_OF_MONTH, dayOfMonth)
  const months = valuesOf(MONTH)
  const isDayOfWeek = read(DAY_OF_WEEK, dayOfWeek)
  return { minutes, hours, isDay: (day) => isDayOfMonth(day) && isDayOfWeek(day), months, years: valuesOf(YEAR) }
}

function dayOfMonth(text: string): DayRule | undefined {
  if (text === '?') return () => true
  if (text === 'L') return ({ day, lastOfMonth }) => day === lastOfMonth
  if (text === 'LW') return (on) => on.day === workdayNear(on.lastOfMonth, on)
  const [, digits] = /^(\d+)W$/.exec(text) ?? []
  const near = digits === undefined ? undefined : value(DAY_OF_MONTH, digits)
  if (near !== undefined) return (on) => on.day === workdayNear(near, on)
  const days = list(DAY_OF_MONTH, text)
  return days && (({ day }) => days.includes(day))
}

/** The workday nearest to a day of the month of `on`, in that month. */
function workdayNear(near: number, { day, weekDay, lastOfMonth }: Day): number | undefined {
  if (near > lastOfMonth) return undefined
  switch ((weekDay + near - day + 35) % 7) {
    case 0: // Saturday
      return near > 1 ? near - 1 : near + 2
    case 1:
      return near < lastOfMonth ? near + 1 : near - 2
    default:
      return near
  }
}

function dayOfWeek(text: string): DayRule | undefined {
  if (text === '?') return () => true
  if (text === 'L') return ({ weekDay }) => weekDay === 7 // the last day of the week
  const [, name, week] = /^(\d+|[A-Z]{3})(?:L|#([1-5]))$/.exec(text) ?? []
  const of = name === undefined ? undefined : value(DAY_OF_WEEK, name)
  if (of !== undefined && week === undefined) {
    return ({ day, weekDay, lastOfMonth }) => weekDay === of && day + 7 > lastOfMonth
  }
  if (of !== undefined) return ({ day, weekDay }) => weekDay === of && Math.ceil(day / 7) === Number(week)
  const days = list(DAY_OF_WEEK, text)
  return days && (({ weekDay }) => days.includes(weekDay))
}

function list(field: Field, text: string): number[] | undefined {
  const values = new Set(text.split(',').flatMap((item) => valuesOf(field, item) ?? Number.NaN))
  return values.has(Number.NaN) ? undefined : [...values].toSorted((a, b) => a - b)
}

function valuesOf(field: Field, item: string): number[] | undefined {
  const { from, to } = field
  const [whole, first, last, stepText] = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item) ?? []
  const start = first === undefined ? from : value(field, first)
  const openEnd = first === undefined || stepText !== undefined ? to : start
  const end = last === undefined ? openEnd : value(field, last)
  const step = Number(stepText ?? 1)
  if (whole === undefined || start === undefined || end === undefined || step < 1 || step > to) return undefined
  if (field.name === 'year' && end < start) return undefined
  // The hours 20-2, in an example of AWS, are 20 to 23 and 0 to 2.
  const size = to - from + 1
  const length = Math.floor(((end - start + size) % size) / step) + 1
  return Array.from({ length }, (_, index) => from + ((start - from + index * step) % size))
}

function value({ from, to, names }: Field, text: string): number | undefined {
  const index = names?.indexOf(text) ?? -1
  const number = index >= 0 ? from + index : /^\d+$/.test(text) ? Number(text) : Number.NaN
  return number >= from && number <= to ? number : undefined
}
