// @ts-nocheck
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CARD } from '../../../functions/sandbox/cards.ts'
import { CustomersFileError, readCustomers } from '../../../infra/local/billing/csv.ts'
import { generateCustomers, generateWeeklyCustomers } from '../../../infra/local/billing/generate.ts'
import { earliestDueAt, forecastOf } from '../../../infra/local/billing/subscriptions.ts'
import { monthly } from '../../billing/scene.ts'
import { toCsv } from '../../support/customers-csv.ts'

const HOUR_MS = 3_600_000
const HEADER = 'customer,name,plan,interval,priceMinor,currency,dueDate,timeZone'
const LINE = 'cus_1,Ada Sato,plus,month,1999,EUR,2024-01-31,Europe/Berlin'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'customers-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function read(content: string | Uint8Array) {
  const path = join(folder, 'customers.csv')
  await writeFile(path, content)
  return readCustomers(path)
}

async function refused(content: string | Uint8Array): Promise<CustomersFileError> {
  const error = await read(content).catch((caught: unknown) => caught)
  if (!(error instanceof CustomersFileError)) throw new Error(`Not refused: ${String(error)}`)
  return error
}

/** The hourly tick, counted from the first, at which each is due. */
function ticksOf(customers: ReturnType<typeof generateCustomers>): number[] {
  const first = Date.parse(earliestDueAt(customers))
  return customers.map(({ dueAt }) => Math.ceil((Date.parse(dueAt) - first) / HOUR_MS))
}

describe('Generated customers', () => {
  test.each([1, -4, 2 ** 40])('of seed %i: at least six are due at each of the first 24 hourly ticks', (seed) => {
    const ticks = ticksOf(generateCustomers(seed))
    for (let tick = 0; tick < 24; tick++) {
      expect(ticks.filter((one) => one === tick).length, `tick ${tick}`).toBeGreaterThanOrEqual(6)
    }
  })

  test('with weekly plans: at least two are due in every hour of the week after the first day', () => {
    const customers = generateWeeklyCustomers(1)
    const ticks = ticksOf(customers)
    for (let hour = 0; hour < 7 * 24; hour++) {
      expect(ticks.filter((one) => one === hour).length, `hour ${hour}`).toBeGreaterThanOrEqual(2)
    }
    const all = [...customers, ...generateCustomers(1)].map(({ customer }) => customer)
    expect(new Set(all).size).toBe(customers.length + 240)
  })

  test('have plans of every length, currencies of 0, 2 and 3 digits, and declined cards', () => {
    const customers = generateCustomers(1)
    const shown = customers.flatMap((one) => [one.interval, one.currency])
    expect(shown).toEqual(expect.arrayContaining(['week', 'month', 'year', 'JPY', 'EUR', 'KWD']))
    const declined = customers.filter(({ paymentMethod }) => paymentMethod === CARD.declined)
    expect(declined).toHaveLength(5)
    expect(Math.min(...ticksOf(customers).filter((_, i) => customers[i]?.paymentMethod === CARD.declined))).toBe(3)
  })

  test('can all be due at the first tick, each with a card that succeeds', () => {
    const customers = generateCustomers(1, 5000, { dueTogether: true })
    expect(new Set(customers.map(({ customer }) => customer)).size).toBe(5000)
    expect(new Set(customers.map(({ dueAt }) => dueAt))).toEqual(new Set([earliestDueAt(generateCustomers(1))]))
    expect(new Set(customers.map(({ dueShard }) => dueShard)).size).toBe(4)
    expect(new Set(customers.map(({ paymentMethod }) => paymentMethod))).toEqual(new Set([CARD.charged]))
  })

  test('are unchanged by a CSV file', async () => {
    const customers = [...generateCustomers(5), monthly('cus_quoted', { name: 'O"Dell, "Ada"\nand family' })]
    expect(await read(toCsv(customers))).toEqual(customers)
  })
})

describe('A customers file', () => {
  test('may have a byte order mark, CRLF, quoted commas, blank lines, spaces, and columns in any order', async () => {
    const header = '\uFEFFname,customer,plan,interval,priceMinor,currency,dueDate,timeZone,note\r\n\r\n'
    const line = '"Vasquez, Jr.", cus_1 ,plus,month,1999,EUR,2024-01-31,Asia/Kathmandu,"hi, ""you"""\r\n'
    expect(await read(header + line)).toEqual([monthly('cus_1', { name: 'Vasquez, Jr.', timeZone: 'Asia/Kathmandu' })])
  })

  test.each([
    ['customer', 'cus 1', 'is not 1 to 64 of the characters'],
    ['name', ' ', 'is not a name'],
    ['interval', 'monthly', 'is not one of week, month, year'],
    ['priceMinor', '19.99', 'is not a positive whole number of minor units'],
    ['priceMinor', '9007199254740993', 'is not a positive whole number of minor units'],
    ['currency', 'XYZ', 'is not a currency code of ISO 4217'],
    ['timeZone', '+05:45', 'is not an IANA time zone, such as'],
  ])('with a wrong %s, "%s", is refused by line and column', async (column, value, message) => {
    const fields = LINE.split(',')
    fields[HEADER.split(',').indexOf(column)] = value
    const error = await refused(`${HEADER}\ncus_0,Bo,plus,month,1,EUR,2024-01-31,Etc/UTC\n${fields.join(',')}\n`)
    const problem = expect.stringContaining(`line 3, column ${column}: "${value.trim()}" ${message}`)
    expect(error.problems).toEqual([problem])
  })

  test.each([
    ['2023-02-29,Etc/UTC', 'line 2: "2023-02-29" is not a date: that month has 28 days'],
    ['31/01/2024,Etc/UTC', 'line 2: "31/01/2024" is not a date written YYYY-MM-DD'],
    ['2024-01-31,Europe/Berlni', 'line 2: Invalid time zone specified: EUROPE/BERLNI'],
  ])('with a date or time zone that does not exist, %s, is refused by line', async (due, problem) => {
    const { problems } = await refused(`${HEADER}\ncus_0,Bo,plus,month,1,EUR,${due}\n`)
    expect(problems).toEqual([expect.stringContaining(problem)])
  })

  test('gives each subscription the payment method of its line, or the card that always succeeds', async () => {
    const tokens = [CARD.declined, CARD.lostOnItsWay]
    const lines = ['', ...tokens].map((token, i) => `${LINE.replace('cus_1', `cus_${i}`)},${token}`)
    const customers = await read(`${HEADER},paymentMethod\n${lines.join('\n')}\n`)
    expect(customers.map(({ paymentMethod }) => paymentMethod)).toEqual([CARD.charged, ...tokens])
    expect(await read(`${HEADER}\n${LINE}\n`)).toMatchObject([{ paymentMethod: CARD.charged }])
  })

  test.each([
    ['a card number', 'paymentMethod', '5555555555554444', 'column paymentMethod: this looks like a card number'],
    ['a card number in groups', 'paymentMethod', '5555 5555-5555\u00a04444', 'column paymentMethod: this looks like'],
    ['a short card number in quotes', 'paymentMethod', "'555555555555", 'column paymentMethod: this looks like'],
    ['a card number before a stray quote', 'paymentMethod', '5555555555554444"', 'line 2: Invalid Opening Quote'],
    ['a space', 'paymentMethod', 'card 5555', 'no test card of the sandbox; it has card_4242424242424242, '],
    ['an unknown card', 'paymentMethod', 'card_5555555555554444', 'no test card of the sandbox'],
    ['a token of a real gateway', 'paymentMethod', 'pm_5555', 'no test card of the sandbox'],
    ['a misspelt column', 'payment_method', 'pm_5555', 'rename the column "payment_method" to "paymentMethod"'],
    ['a column with exchanged letters', 'paymentMehtod', 'pm_5555', 'rename the column "paymentMehtod"'],
  ])('with a payment method with %s is refused, and not shown', async (_, column, token, message) => {
    const error = await refused(`${HEADER},${column}\n${LINE},${token}\n`)
    expect(error.problems).toEqual([expect.stringContaining(message)])
    expect(inspect(error, { depth: null })).not.toContain('5555')
  })

  test.each([
    [
      'the same customer and plan twice',
      `${HEADER}\n${LINE}\n${LINE.replace('plus', 'pro')}\n${LINE}\n`,
      'line 4, column customer: "cus_1" has the plan "plus" already on line 2',
    ],
    [
      'an extra field',
      `${HEADER}\n${LINE},more\n`,
      'line 2: Invalid Record Length: columns length is 8, got 9; a comma',
    ],
    ['a missing field', `${HEADER}\n${LINE}\ncus_2,Ada\n`, 'line 3: Invalid Record Length: columns length is 8, got 2'],
    [
      'missing columns',
      `${HEADER.replace('priceMinor', 'Price_Minor').replace('name,', '')}\n`,
      `line 1: the header must have ${HEADER} once, with commas; not so name,priceMinor`,
    ],
    ['a column twice', `${HEADER},name\n${LINE},x\n`, 'once, with commas; not so name'],
    ['nothing', '', `no line follows the header ${HEADER}`],
    ['a header alone', `${HEADER}\n`, 'no line follows the header'],
    ['an open quote', `${HEADER}\n${LINE}\n"${LINE}\n`, 'line 3: Quote Not Closed'],
  ])('with %s is refused', async (_, content, problem) => {
    expect((await refused(content)).problems).toEqual([expect.stringContaining(problem)])
  })

  test('with many problems: all are in the error, and the first ten in its message', async () => {
    const error = await refused(`${HEADER}\n${'c,n,p,day,x,euro,never,+1\n'.repeat(3)}`)
    expect(error.problems).toHaveLength(12)
    expect(error.message.split('\n')).toHaveLength(12)
    expect(error.message).toContain('and 2 more')
  })

  test('has its lines counted as editors do; a record with a line break is named by its first line', async () => {
    const broken = LINE.replace('Ada Sato', '"Ada\r\nSato"')
    const wrong = broken.replace('cus_1', 'cus_2').replace('1999', 'x')
    const { problems } = await refused([HEADER, broken, '', wrong, LINE.replace('plus', '')].join('\r\n'))
    const places = ['line 5, column priceMinor', 'line 7, column plan']
    expect(problems).toEqual(places.map((place) => expect.stringContaining(place)))
  })

  test('that is not UTF-8, or does not exist, is refused', async () => {
    expect((await refused(Buffer.from(`${HEADER}\n${LINE}`, 'utf16le'))).message).toMatch(/UTF-8|header must/)
    expect((await refused(Buffer.from('n\xe4me', 'latin1'))).message).toContain('the file is not UTF-8')
    await expect(readCustomers(join(folder, 'nowhere.csv'))).rejects.toThrow('nowhere.csv:\n  the file cannot be read')
  })
})

test('The forecast of a tick is what is due since the tick before it, every period of it', () => {
  const newlyDueAt = forecastOf([monthly('c-1', { interval: 'week' }), monthly('c-2', { interval: 'week' })])
  const at = (day: string) => newlyDueAt(Date.parse(`${day}T00:00:00.000Z`))
  expect(['2024-01-30', '2024-01-31', '2024-02-06', '2024-02-14'].map(at)).toEqual([0, 2, 0, 4])
})
