/**
 * The customers file: CSV (RFC 4180) in UTF-8 with the header line
 *
 *     customer,name,plan,interval,priceMinor,currency,dueDate,timeZone,paymentMethod
 *
 * in any order; other columns are ignored. Without a `paymentMethod` the sandbox's card that always succeeds is
 * charged. If anything is wrong, nothing is loaded.
 */
import { readFile } from 'node:fs/promises'
import { CsvError, parse } from 'csv-parse/sync'
import * as v from 'valibot'
import { dayOf, dueInstant, INTERVALS } from '../../../functions/billing/due-date.ts'
import { isAmountMinor, isCurrency } from '../../../functions/billing/money.ts'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { show } from '../../../functions/election/show.ts'
import { similar } from '../../../functions/election/similar.ts'
import { TEST_CARDS } from '../../../functions/sandbox/cards.ts'
import { subscribe } from './subscriptions.ts'

/** Any more letters that differ make another name. */
const TYPING_ERROR = { furthest: 2 }

const must = (be: string, isValid: (text: string) => boolean) =>
  v.pipe(
    v.string(),
    v.check(isValid, ({ input }) => `${show(input)} is not ${be}`),
  )
// Used in keys, headers and URLs without encoding; "#" separates the parts of the ledger's keys.
const identifier = must('1 to 64 of the characters A-Z a-z 0-9 _ . : @ -', (text) => /^[\w.:@-]{1,64}$/.test(text))
const isPrice = (text: string) => /^\d+$/.test(text) && isAmountMinor(Number(text))
// Only names: an offset such as +05:45 has no daylight saving time.
const isTimeZone = (name: string) => /^[A-Za-z]/.test(name) && errorOf(() => dueInstant('2024-01-31', name)) === ''

const CUSTOMER = v.object({
  customer: identifier,
  name: must('a name', (name) => name !== ''),
  plan: identifier,
  interval: v.picklist(INTERVALS, ({ input }) => `${show(input)} is not one of ${INTERVALS.join(', ')}`),
  priceMinor: v.pipe(
    must('a positive whole number of minor units, such as 1999 for 19.99 EUR', isPrice),
    v.transform(Number),
  ),
  currency: must('a currency code of ISO 4217, such as EUR', isCurrency),
  dueDate: v.pipe(
    v.string(),
    v.check(
      (date) => errorOf(() => dayOf(date)) === '',
      ({ input }) => errorOf(() => dayOf(input)),
    ),
  ),
  timeZone: v.pipe(
    v.string(),
    v.check(isTimeZone, ({ input }) => {
      const meant = similar(input, Intl.supportedValuesOf('timeZone'), TYPING_ERROR)
      return `${show(input)} is not an IANA time zone${meant === undefined ? '' : `; did you mean ${meant}?`}`
    }),
  ),
  // These two messages never contain the field: it may be a card number, and messages are logged.
  paymentMethod: v.pipe(
    v.optional(v.string(), ''),
    v.check(
      (token) => !/^\d{12,19}$/.test(token.replaceAll(/[^A-Za-z0-9]/g, '')),
      'this looks like a card number; give that only to the gateway, and put here the token that it returns',
    ),
    v.check(
      (token) => token === '' || TEST_CARDS.includes(token),
      `this is no test card of the sandbox; it has ${TEST_CARDS.join(', ')}`,
    ),
  ),
})

export const COLUMNS = v.keyof(CUSTOMER).options
const REQUIRED_COLUMNS = COLUMNS.filter((column) => column !== 'paymentMethod')
const MAX_SHOWN = 10

export class CustomersFileError extends Error {
  override readonly name = 'CustomersFileError'
  /** All problems, in the order of the file, each with its line and column if it has one. */
  readonly problems: readonly string[]

  constructor(path: string, problems: readonly string[], cause?: unknown) {
    const more = problems.length > MAX_SHOWN ? [`and ${problems.length - MAX_SHOWN} more`] : []
    super([`Nothing was loaded from ${path}:`, ...problems.slice(0, MAX_SHOWN), ...more].join('\n  '), { cause })
    this.problems = problems
  }
}

/** @throws CustomersFileError */
export async function readCustomers(path: string): Promise<Subscription[]> {
  const [header, ...records] = parseRecords(path, await readText(path))
  const names = header?.fields ?? []
  const problems = problemsOfHeader(names)
  if (problems.length === 0 && records.length === 0) problems.push('there is no line after the header')
  if (problems.length > 0) throw new CustomersFileError(path, problems)

  const subscriptions: Subscription[] = []
  const firstLines = new Map<string, number>()
  for (const { fields, line } of records) {
    if (fields.length !== names.length) {
      const counts = `${fields.length} fields, but the header has ${names.length}`
      problems.push(`line ${line}: the line has ${counts}; a comma inside a field needs quotes around the field`)
      continue
    }
    const read = v.safeParse(CUSTOMER, Object.fromEntries(names.map((name, i) => [name, fields[i]])), {
      abortPipeEarly: true,
    })
    if (!read.success) {
      problems.push(...read.issues.map((one) => `line ${line}, column ${v.getDotPath(one)}: ${one.message}`))
      continue
    }
    const { paymentMethod, ...customer } = read.output
    const key = `"${customer.customer}" has the plan "${customer.plan}"`
    const firstLine = firstLines.get(key)
    if (firstLine === undefined) firstLines.set(key, line)
    else problems.push(`line ${line}, column customer: ${key} already on line ${firstLine}`)
    subscriptions.push(subscribe({ ...customer, ...(paymentMethod && { paymentMethod }) }))
  }
  if (problems.length > 0) throw new CustomersFileError(path, problems)
  return subscriptions
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause) => {
    throw new CustomersFileError(path, ['the file cannot be read; is the path right?'], cause)
  })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes) // drops a byte order mark, which spreadsheets write
  } catch (cause) {
    throw new CustomersFileError(path, ['the file is not UTF-8; save it as "CSV UTF-8" from the spreadsheet'], cause)
  }
}

/** Each record with the line on which it begins, counted from 1. */
function parseRecords(path: string, text: string) {
  const records: { readonly fields: readonly string[]; readonly line: number }[] = []
  try {
    // csv-parse counts CRLF inside quotes as two lines.
    parse(text.replaceAll(/\r\n?/g, '\n'), {
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (fields: string[], { lines }) => {
        const line = lines - (fields.join('').split('\n').length - 1)
        records.push({ fields: fields.map((field) => field.trim()), line })
        return null
      },
    })
    return records
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    // Without the value, which may be a card number, and without `cause`, which contains it too.
    throw new CustomersFileError(path, [`line ${cause['lines']}: ${cause.message.replace(/, value is .*/s, '')}`])
  }
}

function problemsOfHeader(names: readonly string[]): string[] {
  if (names.length === 1 && /[;\t]/.test(names[0] ?? '')) {
    return ['line 1: the columns are separated by semicolons or tabs; separate them by commas']
  }
  const unknown = names.filter((name) => COLUMNS.every((column) => column !== name))
  const problems = REQUIRED_COLUMNS.filter((column) => !names.includes(column)).map((column) => {
    const meant = similar(column, unknown, TYPING_ERROR)
    const hint = meant === undefined ? `it must be ${REQUIRED_COLUMNS.join(',')}` : `rename "${meant}" to it`
    return `line 1: the header has no column "${column}"; ${hint}`
  })
  // Ignoring a misspelt "paymentMethod" would charge the sandbox's card instead of the customer's.
  const misspelt = names.includes('paymentMethod') ? undefined : similar('paymentMethod', unknown, TYPING_ERROR)
  if (misspelt !== undefined) problems.push(`line 1: rename the column "${misspelt}" to "paymentMethod"`)
  const twice = COLUMNS.filter((column) => names.indexOf(column) !== names.lastIndexOf(column))
  return [...problems, ...twice.map((column) => `line 1: the header has the column ${column} twice`)]
}

/** @returns the message of the error, '' without one */
function errorOf(action: () => unknown): string {
  try {
    action()
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
