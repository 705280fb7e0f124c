/**
 * The customers file: CSV (RFC 4180) in UTF-8 with the header line
 *
 *     customer,name,plan,interval,priceMinor,currency,dueDate,timeZone,paymentMethod
 *
 * in any order; other columns are ignored. Without a `paymentMethod` the sandbox's card that always succeeds is
 * charged. If anything is wrong, nothing is loaded.
 */
// @ts-nocheck

import { readFile } from 'node:fs/promises'
import { CsvError, parse } from 'csv-parse/sync'
import * as v from 'valibot'
import { INTERVALS } from '../../../functions/billing/due-date.ts'
import { isAmountMinor, isCurrency } from '../../../functions/billing/money.ts'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { show } from '../../../functions/election/show.ts'
import { similar } from '../../../functions/election/similar.ts'
import { TEST_CARDS } from '../../../functions/sandbox/cards.ts'
import { subscribe } from './subscriptions.ts'

const must = (be: string, isValid: (text: string) => boolean) =>
  v.pipe(
    v.string(),
    v.check(isValid, ({ input }) => `${show(input)} is not ${be}`),
  )
// Used in keys, headers and URLs without encoding; "#" separates the parts of the ledger's keys.
const identifier = must('1 to 64 of the characters A-Z a-z 0-9 _ . : @ -', (text) => /^[\w.:@-]{1,64}$/.test(text))
const isPrice = (text: string) => /^\d+$/.test(text) && isAmountMinor(Number(text))
const isCardNumber = (token: string) => /^\d{12,19}$/.test(token.replaceAll(/[^A-Za-z0-9]/g, ''))

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
  dueDate: v.string(), // `subscribe` refuses what is not a date, and unknown time zones
  // Only names: an offset such as +05:45 has no daylight saving time.
  timeZone: must('an IANA time zone, such as Europe/Berlin', (name) => /^[A-Za-z]/.test(name)),
  // These two messages never contain the field: it may be a card number, and messages are logged.
  paymentMethod: v.pipe(
    v.optional(v.string(), ''),
    v.check(
      (token) => !isCardNumber(token),
      'this looks like a card number; give that only to the gateway, and put here the token that it returns',
    ),
    v.check(
      (token) => token === '' || TEST_CARDS.includes(token),
      `this is no test card of the sandbox; it has ${TEST_CARDS.join(', ')}`,
    ),
  ),
})

export const COLUMNS = v.keyof(CUSTOMER).options
const HEADER = COLUMNS.filter((column) => column !== 'paymentMethod').join()
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
  const problems: string[] = []
  const firstLines = new Map<string, number>()
  const subscriptions = (await recordsOf(path)).flatMap(({ record, line }) => {
    const read = v.safeParse(CUSTOMER, record, { abortPipeEarly: true })
    if (!read.success) {
      problems.push(...read.issues.map((one) => `line ${line}, column ${v.getDotPath(one)}: ${one.message}`))
      return []
    }
    const { paymentMethod, ...customer } = read.output
    const key = `"${customer.customer}" has the plan "${customer.plan}"`
    const firstLine = firstLines.get(key)
    if (firstLine === undefined) firstLines.set(key, line)
    else problems.push(`line ${line}, column customer: ${key} already on line ${firstLine}`)
    try {
      return [subscribe({ ...customer, ...(paymentMethod && { paymentMethod }) })]
    } catch (error) {
      problems.push(`line ${line}: ${error instanceof Error ? error.message : String(error)}`)
      return []
    }
  })
  if (problems.length > 0) throw new CustomersFileError(path, problems)
  if (subscriptions.length === 0) throw new CustomersFileError(path, [`no line follows the header ${HEADER}`])
  return subscriptions
}

type Row = { readonly record: Readonly<Record<string, string>>; readonly info: { readonly lines: number } }

/** Each record with the line on which it begins, counted from 1. */
async function recordsOf(path: string) {
  try {
    // It drops a byte order mark, which spreadsheets write. csv-parse counts CRLF inside quotes as two lines.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)).replaceAll(/\r\n?/g, '\n')
    const columns = (names: string[]) => {
      const problems = problemsOfHeader(names)
      if (problems.length > 0) throw new CustomersFileError(path, problems)
      return names
    }
    const rows: Row[] = parse(text, { columns, info: true, skip_empty_lines: true, trim: true })
    return rows.map(({ record, info }) => {
      return { record, line: info.lines - (Object.values(record).join('').split('\n').length - 1) }
    })
  } catch (cause) {
    if (cause instanceof CustomersFileError) throw cause
    if (cause instanceof CsvError) {
      // Without the value, which may be a card number, and without `cause`, which contains it too.
      const why = cause.message.replace(/(, value is| on line) .*/s, '')
      const advice = cause.code.includes('COLUMNS') ? '; a comma inside a field needs quotes around the field' : ''
      throw new CustomersFileError(path, [`line ${cause['lines']}: ${why}${advice}`])
    }
    const isText = !(cause instanceof TypeError)
    const why = isText
      ? 'cannot be read; is the path right?'
      : 'is not UTF-8; save it as "CSV UTF-8" from the spreadsheet'
    throw new CustomersFileError(path, [`the file ${why}`], cause)
  }
}

function problemsOfHeader(names: readonly string[]): string[] {
  const times = (column: string) => names.filter((name) => name === column).length
  const wrong = COLUMNS.filter((column) => times(column) > 1 || (times(column) === 0 && column !== 'paymentMethod'))
  // Ignoring a misspelt "paymentMethod" would charge the sandbox's card instead of the customer's.
  const misspelt = names.filter((name) => name !== 'paymentMethod' && similar(name, ['paymentMethod'], { furthest: 2 }))
  return [
    ...(wrong.length > 0 ? [`line 1: the header must have ${HEADER} once, with commas; not so ${wrong.join()}`] : []),
    ...misspelt.map((name) => `line 1: rename the column "${name}" to "paymentMethod"`),
  ]
}
