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
import leven from 'leven'
import * as v from 'valibot'
import { dayOf, dueInstant, INTERVALS } from '../../../functions/billing/due-date.ts'
import { isAmountMinor, isCurrency } from '../../../functions/billing/money.ts'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { show } from '../../../functions/election/show.ts'
import { SUCCEEDING_CARD, subscribe } from './subscribe.ts'

/** A trimmed field. @param problemOf what is wrong with it, if anything */
const field = (problemOf: (text: string) => string | undefined) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.check(
      (text) => problemOf(text) === undefined,
      ({ input }) => problemOf(input) ?? '',
    ),
  )
const must = (be: string, isValid: (text: string) => boolean) =>
  field((text) => (isValid(text) ? undefined : `${show(text)} is not ${be}`))
// Used in keys, headers and URLs without encoding; "#" separates the parts of the ledger's keys.
const identifier = must('1 to 64 of the characters A-Z a-z 0-9 _ . : @ -', (text) => /^[\w.:@-]{1,64}$/.test(text))
const isPrice = (text: string) => /^\d+$/.test(text) && isAmountMinor(Number(text))

const CUSTOMER = v.object({
  customer: identifier,
  name: must('a name', (name) => name !== ''),
  plan: identifier,
  interval: v.pipe(
    v.string(),
    v.trim(),
    v.picklist(INTERVALS, ({ input }) => `${show(input)} is not one of ${INTERVALS.join(', ')}`),
  ),
  priceMinor: v.pipe(
    must('a positive whole number of minor units, such as 1999 for 19.99 EUR', isPrice),
    v.transform(Number),
  ),
  currency: must('a currency code of ISO 4217, such as EUR', isCurrency),
  dueDate: field((date) => errorOf(() => dayOf(date))),
  timeZone: field(problemOfTimeZone),
  paymentMethod: v.pipe(
    v.optional(field(problemOfToken), ''),
    v.transform((token) => (token === '' ? SUCCEEDING_CARD : token)),
  ),
})

const COLUMNS = v.keyof(CUSTOMER).options
type Column = (typeof COLUMNS)[number]
const REQUIRED_COLUMNS = COLUMNS.filter((column) => column !== 'paymentMethod')
const EXPECTED_HEADER = `the first line must be ${REQUIRED_COLUMNS.join(',')}`
const MAX_SHOWN = 10

/** A problem of a whole line has no column, one of the whole file no line. */
export interface Problem {
  readonly line?: number
  readonly column?: Column
  readonly message: string
}

export class CustomersFileError extends Error {
  override readonly name = 'CustomersFileError'
  /** All problems, in the order of the file. */
  readonly problems: readonly Problem[]

  constructor(path: string, problems: readonly Problem[], cause?: unknown) {
    const shown = problems.slice(0, MAX_SHOWN).map(({ line, column, message }) => {
      const place = [line && `line ${line}`, column && `column ${column}`].filter((part) => part !== undefined)
      return `\n  ${[place.join(', '), message].filter((part) => part !== '').join(': ')}`
    })
    const more = problems.length > MAX_SHOWN ? `\n  and ${problems.length - MAX_SHOWN} more` : ''
    super(`Nothing was loaded from ${path}:${shown.join('')}${more}`, { cause })
    this.problems = problems
  }
}

/** @throws CustomersFileError */
export async function readCustomers(path: string): Promise<Subscription[]> {
  const [header, ...records] = parseRecords(path, await readText(path))
  if (header === undefined) throw new CustomersFileError(path, [{ message: `the file is empty; ${EXPECTED_HEADER}` }])
  const names = header.fields.map((name) => name.trim())
  const problems: Problem[] = problemsOfHeader(names)
  if (problems.length > 0) throw new CustomersFileError(path, problems)
  if (records.length === 0) throw new CustomersFileError(path, [{ message: 'there is no line after the header' }])

  const subscriptions: Subscription[] = []
  const firstLines = new Map<string, number>()
  for (const { fields, line } of records) {
    if (fields.length !== names.length) {
      const counts = `${fields.length} fields, but the header has ${names.length}`
      problems.push({ line, message: `the line has ${counts}; a comma inside a field needs quotes around the field` })
      continue
    }
    const read = v.safeParse(CUSTOMER, Object.fromEntries(names.map((name, i) => [name, fields[i]])))
    if (!read.success) {
      const { nested = {} } = v.flatten<typeof CUSTOMER>(read.issues)
      for (const column of COLUMNS) for (const message of nested[column] ?? []) problems.push({ line, column, message })
      continue
    }
    const { customer, plan } = read.output
    const firstLine = firstLines.get(`${customer} ${plan}`)
    const message = `"${customer}" has the plan "${plan}" already on line ${firstLine}`
    if (firstLine !== undefined) problems.push({ line, column: 'customer', message })
    else firstLines.set(`${customer} ${plan}`, line)
    subscriptions.push(subscribe(read.output))
  }
  if (problems.length > 0) throw new CustomersFileError(path, problems)
  return subscriptions
}

/** A file from which {@link readCustomers} reads the same subscriptions, if none of them has been charged yet. */
export function toCsv(subscriptions: readonly Subscription[]): string {
  const escaped = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
  const lines = subscriptions.map((subscription) => {
    const fields = { ...subscription, dueDate: subscription.period }
    return COLUMNS.map((column) => escaped(String(fields[column]))).join(',')
  })
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause) => {
    throw new CustomersFileError(path, [{ message: 'the file cannot be read; is the path right?' }], cause)
  })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes) // drops a byte order mark, which spreadsheets write
  } catch (cause) {
    const message = 'the file is not UTF-8; save it as "CSV UTF-8" from the spreadsheet'
    throw new CustomersFileError(path, [{ message }], cause)
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
        records.push({ fields, line: lines - (fields.join('').split('\n').length - 1) })
        return null
      },
    })
    return records
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    const line = typeof cause['lines'] === 'number' ? { line: cause['lines'] } : {}
    // Without the value, which may be a card number, and without `cause`, which contains it too.
    throw new CustomersFileError(path, [{ ...line, message: cause.message.replace(/, value is .*/s, '') }])
  }
}

function problemsOfHeader(names: readonly string[]): Problem[] {
  if (names.length === 1 && /[;\t]/.test(names[0] ?? '')) {
    return [{ line: 1, message: 'the columns are separated by semicolons or tabs; separate them by commas' }]
  }
  const unknown = names.filter((name) => COLUMNS.every((column) => column !== name))
  const missing = REQUIRED_COLUMNS.filter((column) => !names.includes(column)).map((column) => {
    const similar = nearest(column, unknown)
    const hint = similar === undefined ? EXPECTED_HEADER : `rename "${similar}" to it`
    return { line: 1, message: `the header has no column "${column}"; ${hint}` }
  })
  // Ignoring a misspelt "paymentMethod" would charge the sandbox's card instead of the customer's.
  const misspelt = names.includes('paymentMethod') ? undefined : nearest('paymentMethod', unknown, 2)
  const ignored = `the column "${misspelt}" would be ignored; rename it to "paymentMethod"`
  const twice = COLUMNS.filter((column) => names.indexOf(column) !== names.lastIndexOf(column))
  return [
    ...missing,
    ...(misspelt === undefined ? [] : [{ line: 1, message: ignored }]),
    ...twice.map((column) => ({ line: 1, column, message: 'the header has this column twice' })),
  ]
}

/** Never contains the field: it may be a card number, and messages are logged. */
function problemOfToken(token: string): string | undefined {
  if (/^\d{12,19}$/.test(token.replaceAll(/[^A-Za-z0-9]/g, ''))) {
    return 'this looks like a card number; give that only to the gateway, and put here the token that it returns'
  }
  if (token === '' || /^[!-~]{1,100}$/.test(token)) return undefined
  return "this is not a gateway's token: 1 to 100 visible ASCII characters, such as card_4242424242424242"
}

function problemOfTimeZone(name: string): string | undefined {
  // Only names: an offset such as +05:45 has no daylight saving time.
  if (/^[A-Za-z]/.test(name) && errorOf(() => dueInstant('2024-01-31', name)) === undefined) return undefined
  const similar = nearest(name, Intl.supportedValuesOf('timeZone'))
  return `${show(name)} is not an IANA time zone${similar === undefined ? '' : `; did you mean ${similar}?`}`
}

function errorOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The candidate most like the name, unless more than `maxDistance` characters differ. */
function nearest(
  name: string,
  candidates: readonly string[],
  maxDistance = Math.max(2, Math.floor(name.length / 3)),
): string | undefined {
  if (name.length > 100) return undefined // computing the distance would take long
  const letters = (one: string) => one.toLowerCase().replaceAll(/[\s_-]/g, '')
  const distance = (candidate: string) => leven(letters(name), letters(candidate))
  const [best] = candidates.toSorted((a, b) => distance(a) - distance(b))
  return best !== undefined && distance(best) <= maxDistance ? best : undefined
}
