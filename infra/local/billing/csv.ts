/**
 * The customers file: CSV (RFC 4180) in UTF-8 with the header line
 *
 *     customer,name,plan,interval,priceMinor,currency,dueDate,timeZone,paymentMethod
 *
 * in any order; further columns are ignored. `paymentMethod` may be left out, or empty, for the sandbox's card that always
 * succeeds. A file is taken whole or not at all.
 */
import { readFile } from 'node:fs/promises'
import { CsvError, parse } from 'csv-parse/sync'
import { dayOf, INTERVALS } from '../../../functions/billing/due-date.ts'
import { isAmountMinor, isCurrency } from '../../../functions/billing/money.ts'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { nearest } from './nearest.ts'
import { type Customer, subscribe } from './subscribe.ts'

const REQUIRED_COLUMNS = [
  'customer',
  'name',
  'plan',
  'interval',
  'priceMinor',
  'currency',
  'dueDate',
  'timeZone',
] as const satisfies readonly (keyof Customer)[]
const COLUMNS = [...REQUIRED_COLUMNS, 'paymentMethod'] as const satisfies readonly (keyof Customer)[]
type Column = (typeof COLUMNS)[number]

/** What is wrong, and where; a problem of the whole line has no column, one of the whole file no line. */
export interface Problem {
  readonly line?: number
  readonly column?: Column
  readonly message: string
}

/** The file cannot be used. Nothing of it was loaded. */
export class CustomersFileError extends Error {
  override readonly name = 'CustomersFileError'
  /** All problems, in the order of the file. */
  readonly problems: readonly Problem[]

  constructor(path: string, problems: readonly Problem[], cause?: unknown) {
    const shown = problems.slice(0, MAX_SHOWN).map((problem) => `\n  ${place(problem)}${problem.message}`)
    const more = problems.length > MAX_SHOWN ? `\n  and ${problems.length - MAX_SHOWN} more` : ''
    super(`Nothing was loaded from ${path}:${shown.join('')}${more}`, { cause })
    this.problems = problems
  }
}

const MAX_SHOWN = 10
// These become key, header and URL: no character there may need a decision about encoding. "#" separates keys of the ledger.
const IDENTIFIER = /^[\w.:@-]{1,64}$/
const TOKEN = /^[!-~]{1,100}$/
const CARD_NUMBER = /^\d{12,19}$/

/** @throws CustomersFileError */
export async function readCustomers(path: string): Promise<Subscription[]> {
  const text = await readText(path)
  const [header, ...records] = parseRecords(path, text)
  if (header === undefined) throw new CustomersFileError(path, [{ message: `the file is empty; ${expectedHeader()}` }])
  if (header.fields.length === 1 && /[;\t]/.test(header.fields[0] ?? '')) {
    throw new CustomersFileError(path, [
      { line: 1, message: 'the columns are separated by semicolons or tabs; separate them by commas' },
    ])
  }
  const positions = columnPositions(header.fields)
  if (Array.isArray(positions)) throw new CustomersFileError(path, positions)
  if (records.length === 0) throw new CustomersFileError(path, [{ message: 'there is no line after the header' }])

  const problems: Problem[] = []
  const subscriptions: Subscription[] = []
  const firstLines = new Map<string, number>()
  for (const { fields, line } of records) {
    if (fields.length !== header.fields.length) {
      const message = `${fields.length} fields where the header has ${header.fields.length}; a comma inside a field needs quotes around it`
      problems.push({ line, message })
      continue
    }
    const customer = readCustomer((column) => fields[positions.get(column) ?? -1]?.trim() ?? '')
    if (Array.isArray(customer)) {
      problems.push(...customer.map((problem) => ({ line, ...problem })))
      continue
    }
    const key = JSON.stringify([customer.customer, customer.plan])
    const firstLine = firstLines.get(key)
    if (firstLine !== undefined) {
      const message = `"${customer.customer}" has the plan "${customer.plan}" already on line ${firstLine}`
      problems.push({ line, column: 'customer', message })
      continue
    }
    firstLines.set(key, line)
    subscriptions.push(subscribe(customer))
  }
  if (problems.length > 0) throw new CustomersFileError(path, problems)
  return subscriptions
}

/** The file that {@link readCustomers} reads back as the same subscriptions, provided that none has been charged yet. */
export function toCsv(subscriptions: readonly Subscription[]): string {
  const lines = subscriptions.map((subscription) => {
    const fields: Required<Customer> = { ...subscription, dueDate: subscription.period }
    return COLUMNS.map((column) => quoted(String(fields[column]))).join(',')
  })
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

async function readText(path: string): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new CustomersFileError(path, [{ message: 'the file cannot be read; is the path right?' }], cause)
  }
  try {
    // Drops a byte order mark, which spreadsheets write.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const message = 'the file is not UTF-8; save it as "CSV UTF-8" from the spreadsheet'
    throw new CustomersFileError(path, [{ message }], cause)
  }
}

interface CsvRecord {
  readonly fields: readonly string[]
  /** Where the record begins, counted from 1. */
  readonly line: number
}

function parseRecords(path: string, text: string): CsvRecord[] {
  const records: CsvRecord[] = []
  try {
    // csv-parse counts CRLF inside quotes as two lines.
    parse(text.replaceAll(/\r\n?/g, '\n'), {
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (fields: string[], { lines }) => {
        const breaks = fields.join('').split('\n').length - 1
        records.push({ fields, line: lines - breaks })
        return null
      },
    })
    return records
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    const line = typeof cause['lines'] === 'number' ? cause['lines'] : undefined
    // The value may be a card number; without `cause`, which has it too, nobody prints it.
    const message = cause.message.replace(/, value is .*/s, '')
    throw new CustomersFileError(path, [{ ...(line === undefined ? {} : { line }), message }])
  }
}

/** Where each column is, or what is wrong with the header. */
function columnPositions(header: readonly string[]): ReadonlyMap<Column, number> | Problem[] {
  const names = header.map((name) => name.trim())
  const spare = names.filter((name) => COLUMNS.every((column) => column !== name))
  const problems: Problem[] = []
  const positions = new Map<Column, number>()
  for (const column of REQUIRED_COLUMNS.filter((required) => !names.includes(required))) {
    const similar = nearest(column, spare)
    const hint = similar === undefined ? expectedHeader() : `rename "${similar}" to it`
    problems.push({ line: 1, message: `the header has no column "${column}"; ${hint}` })
  }
  // To ignore a misspelt one would be to charge the sandbox's card in place of the customer's.
  const misspelt = names.includes('paymentMethod') ? undefined : nearest('paymentMethod', spare, 2)
  if (misspelt !== undefined) {
    problems.push({ line: 1, message: `the column "${misspelt}" would be ignored; rename it to "paymentMethod"` })
  }
  for (const column of COLUMNS.filter((known) => names.includes(known))) {
    const position = names.indexOf(column)
    if (names.lastIndexOf(column) === position) positions.set(column, position)
    else problems.push({ line: 1, column, message: 'the header has this column twice' })
  }
  return problems.length > 0 ? problems : positions
}

function expectedHeader(): string {
  return `the first line must be ${REQUIRED_COLUMNS.join(',')}`
}

function readCustomer(field: (column: Column) => string): Customer | Omit<Problem, 'line'>[] {
  const problems: Omit<Problem, 'line'>[] = []
  const check = (column: Column, right: boolean, expected: string) => {
    if (!right) problems.push({ column, message: `"${field(column)}" is not ${expected}` })
  }
  const interval = INTERVALS.find((known) => known === field('interval'))
  const priceMinor = /^\d+$/.test(field('priceMinor')) ? Number(field('priceMinor')) : Number.NaN
  check('customer', IDENTIFIER.test(field('customer')), '1 to 64 of the characters A-Z a-z 0-9 _ . : @ -')
  check('name', field('name') !== '', 'a name')
  check('plan', IDENTIFIER.test(field('plan')), '1 to 64 of the characters A-Z a-z 0-9 _ . : @ -')
  check('interval', interval !== undefined, `one of ${INTERVALS.join(', ')}`)
  check('priceMinor', isAmountMinor(priceMinor), 'a positive whole number of minor units, such as 1999 for 19.99 EUR')
  check('currency', isCurrency(field('currency')), 'a currency code of ISO 4217, such as EUR')
  check('timeZone', isTimeZone(field('timeZone')), `an IANA time zone${similarZone(field('timeZone'))}`)
  const dateProblem = problemOfDate(field('dueDate'))
  if (dateProblem !== undefined) problems.push({ column: 'dueDate', message: dateProblem })
  const paymentMethod = field('paymentMethod')
  const tokenProblem = paymentMethod === '' ? undefined : problemOfToken(paymentMethod)
  if (tokenProblem !== undefined) problems.push({ column: 'paymentMethod', message: tokenProblem })
  if (problems.length > 0 || interval === undefined) return problems
  return {
    customer: field('customer'),
    name: field('name'),
    plan: field('plan'),
    interval,
    priceMinor,
    currency: field('currency'),
    dueDate: field('dueDate'),
    timeZone: field('timeZone'),
    ...(paymentMethod === '' ? {} : { paymentMethod }),
  }
}

/** Never repeats what the file says there: it may be a card number, and messages end up in logs. */
function problemOfToken(paymentMethod: string): string | undefined {
  const bare = paymentMethod.replaceAll(/[^A-Za-z0-9]/g, '')
  if (CARD_NUMBER.test(bare)) {
    return 'this looks like a card number; never give those to anybody but the gateway: put here the token that it made of it'
  }
  if (TOKEN.test(paymentMethod)) return undefined
  return "this is not a gateway's token: 1 to 100 visible ASCII characters, such as card_4242424242424242"
}

function problemOfDate(dueDate: string): string | undefined {
  try {
    dayOf(dueDate)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

// Building a formatter is slow, and a file names few zones.
const knownZones = new Map<string, boolean>()

/** Names only: Intl also takes offsets such as +05:45, which know no summer time. */
function isTimeZone(name: string): boolean {
  const known = knownZones.get(name) ?? buildsAFormatter(name)
  knownZones.set(name, known)
  return known
}

function buildsAFormatter(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function similarZone(name: string): string {
  const similar = isTimeZone(name) ? undefined : nearest(name, Intl.supportedValuesOf('timeZone'))
  return similar === undefined ? '' : `; did you mean ${similar}?`
}

function place({ line, column }: Problem): string {
  const where = [line === undefined ? '' : `line ${line}`, column === undefined ? '' : `column ${column}`]
  const text = where.filter((part) => part !== '').join(', ')
  return text === '' ? '' : `${text}: `
}
