/** Reads the six fields of Scheduler's cron and writes them in numbers, as Croner understands them. */
// @ts-nocheck

import { quoted } from './show.ts'

interface Field {
  readonly name: string
  readonly from: number
  readonly to: number
  /** Names of the values, from the first. */
  readonly names?: readonly string[]
  /** What stands alone. The group is a value. */
  readonly alone?: RegExp
  /** The end of the message that says what to write. */
  readonly forms?: string
}

const FIELDS: readonly Field[] = [
  { name: 'minutes', from: 0, to: 59 },
  { name: 'hours', from: 0, to: 23 },
  {
    ...{ name: 'day-of-month', from: 1, to: 31, forms: '; or L, LW or 3W, alone' },
    alone: /^(?:\?|L|LW|(\d+)W)$/,
  },
  {
    ...{ name: 'month', from: 1, to: 12, forms: '; or JAN to DEC for the numbers' },
    names: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '),
  },
  {
    ...{ name: 'day-of-week', from: 1, to: 7, forms: '; or SUN to SAT for the numbers; or L, 6L or 3#2, alone' },
    names: 'SUN MON TUE WED THU FRI SAT'.split(' '),
    alone: /^(?:\?|(\d+|[A-Z]{3})(?:L|#[1-5]))$/,
  },
  { name: 'year', from: 1970, to: 2199 },
]

/**
 * A pattern of seven fields; in its sixth, 1 is Sunday. Ranges, steps and names become lists, because Croner refuses
 * `20-2`, and accepts what Scheduler does not.
 * @param content what is between the parentheses of `cron(…)`
 * @param refuse makes the error from the end of a message that begins with the schedule
 */
export function cronerPattern(content: string, refuse: (why: string) => Error): string {
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
  const patterns = FIELDS.map((field, index) => {
    const text = texts[index] ?? ''
    const pattern = alone(field, text) ?? list(field, text)
    if (pattern !== undefined) return pattern
    const { name, from, to, forms = '' } = field
    throw refuse(
      `has ${quoted(text)} for ${name}; write a number from ${from} to ${to}, a list like ${from},${to}, ` +
        `a range like ${from}-${to}, steps like ${from}/2, or *${forms}`,
    )
  })
  return ['0', ...patterns].join(' ')
}

function alone(field: Field, text: string): string | undefined {
  if (field.name === 'day-of-week' && text === 'L') return '7' // the last day of the week
  const [whole, day] = field.alone?.exec(text) ?? []
  if (day === undefined) return whole // Croner reads `?` as `*`
  const number = value(field, day)
  return number === undefined ? undefined : text.replace(day, String(number))
}

function list(field: Field, text: string): string | undefined {
  const values = text.split(',').flatMap((item) => valuesOf(field, item) ?? Number.NaN)
  return values.some(Number.isNaN) ? undefined : values.join(',')
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
