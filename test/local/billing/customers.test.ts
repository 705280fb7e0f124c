import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  auditLedger,
  CustomersFileError,
  earliestDueAt,
  generateCustomers,
  generateWeeklyCustomers,
  readCustomers,
  seedSubscriptions,
  toCsv,
} from '../../../infra/local/billing/customers.ts'
import { monthly } from '../../billing/scene.ts'
import { createBillingTables } from '../../support/example-tables.ts'
import { localClient } from '../../support/tables.ts'

const HOUR_MS = 3_600_000
const HEADER = 'customer,name,plan,interval,priceMinor,currency,dueDate,timeZone'
const CHARGED = 'card_4242424242424242'
const DECLINED = 'card_4000000000000002'
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

async function problemsOf(content: string | Uint8Array) {
  const error = await read(content).catch((caught: unknown) => caught)
  if (!(error instanceof CustomersFileError)) throw new Error(`Not refused: ${String(error)}`)
  return error
}

describe('Generated customers', () => {
  test('are the same for the same seed and others for another', () => {
    expect(generateCustomers(7)).toEqual(generateCustomers(7))
    expect(generateCustomers(7)).not.toEqual(generateCustomers(8))
  })

  test('of weekly plans give every hour of the week behind the first day at least two due, and again a week later', () => {
    const customers = generateWeeklyCustomers(1)
    const first = Date.parse(earliestDueAt(customers))
    const hours = customers.map(({ dueAt }) => Math.ceil((Date.parse(dueAt) - first) / HOUR_MS))
    for (let hour = 0; hour < 7 * 24; hour += 1) {
      expect(hours.filter((one) => one === hour).length, `hour ${hour}`).toBeGreaterThanOrEqual(2)
    }
    expect(new Set(customers.map(({ interval }) => interval))).toEqual(new Set(['week']))
    expect(new Set([...customers, ...generateCustomers(1)].map(({ customer }) => customer)).size).toBe(
      customers.length + 240,
    )
  })

  test.each([1, 2, 3, -4, 2 ** 40])('of seed %i give each of the first 24 hourly ticks at least four due', (seed) => {
    const customers = generateCustomers(seed)
    const first = Date.parse(earliestDueAt(customers))
    for (let tick = 0; tick < 24; tick++) {
      const due = customers.filter(({ dueAt }) => Math.ceil((Date.parse(dueAt) - first) / HOUR_MS) === tick)
      expect(due.length, `tick ${tick}`).toBeGreaterThanOrEqual(4)
    }
    expect(new Set(customers.map(({ dueAt }) => dueAt)).size).toBeGreaterThan(50)
  })

  test('meet month ends, leap days, left-out midnights, and currencies of no, two and three digits', () => {
    const customers = generateCustomers(1)
    const dates = customers.map(({ interval, period }) => `${interval} ${period}`)
    expect(dates).toEqual(expect.arrayContaining(['year 2024-02-29', 'month 2024-02-29', 'month 2024-01-31']))
    expect(customers.map(({ timeZone }) => timeZone)).toEqual(
      expect.arrayContaining([
        'Pacific/Kiritimati',
        'Asia/Kathmandu',
        'America/St_Johns',
        'Europe/London',
        'Asia/Beirut',
      ]),
    )
    expect(customers.map(({ currency }) => currency)).toEqual(expect.arrayContaining(['JPY', 'EUR', 'KWD']))
  })

  test('pay with a card that succeeds, but for two in a hundred whose card is declined, one of them early', () => {
    const customers = generateCustomers(1)
    const declined = customers.filter(({ paymentMethod }) => paymentMethod === DECLINED)
    expect(declined).toHaveLength(5)
    expect(customers.filter(({ paymentMethod }) => paymentMethod === CHARGED)).toHaveLength(235)
    const firstTicks = Date.parse(earliestDueAt(customers)) + 4 * HOUR_MS
    expect(declined.some(({ dueAt }) => Date.parse(dueAt) <= firstTicks)).toBe(true)
  })

  test('may all be due at the very first tick, each with a card that succeeds', () => {
    const customers = generateCustomers(1, 5000, { dueTogether: true })
    expect(new Set(customers.map(({ customer }) => customer)).size).toBe(5000)
    expect(new Set(customers.map(({ dueAt }) => dueAt))).toEqual(new Set([earliestDueAt(generateCustomers(1))]))
    expect(new Set(customers.map(({ dueShard }) => dueShard)).size).toBe(4)
    expect(new Set(customers.map(({ paymentMethod }) => paymentMethod))).toEqual(new Set([CHARGED]))
    expect(generateCustomers(1, 5000, { dueTogether: true })).toEqual(customers)
  })

  test('survive the way through a CSV file', async () => {
    const customers = [...generateCustomers(5), monthly('cus_quoted', { name: 'O"Dell, "Ada"\nand family' })]
    expect(await read(toCsv(customers))).toEqual(customers)
  })

  test('of seed 1 are the sample file', async () => {
    const sample = new URL('../../../infra/local/billing/customers.csv', import.meta.url)
    expect(await readFile(sample, 'utf8')).toBe(toCsv(generateCustomers(1)))
  })

  test('have no earliest due instant where there are none', () => {
    expect(() => earliestDueAt([])).toThrow(RangeError)
  })
})

describe('A customers file', () => {
  test('may have a byte order mark, CRLF, quoted commas, blank lines, spaces, and its columns in any order', async () => {
    const content = `\uFEFFname,customer,plan,interval,priceMinor,currency,dueDate,timeZone,note\r\n\r\n"Vasquez, Jr.", cus_1 ,plus,month,1999,EUR,2024-01-31,Asia/Kathmandu,"hi, ""you"""\r\n`
    expect(await read(content)).toEqual([monthly('cus_1', { name: 'Vasquez, Jr.', timeZone: 'Asia/Kathmandu' })])
  })

  test('gives each subscription its anchor day, its due instant and its shard', async () => {
    const [subscription] = await read(`${HEADER}\n${LINE}\n`)
    expect(subscription).toMatchObject({
      anchorDay: 31,
      period: '2024-01-31',
      dueAt: '2024-01-30T23:00:00.000Z',
      dueShard: expect.stringMatching(/^[0-3]$/),
      dunned: 0,
      status: 'active',
    })
  })

  test.each([
    ['customer', 'cus 1', 'is not 1 to 64 of the characters'],
    ['customer', '', 'is not 1 to 64 of the characters'],
    ['name', ' ', 'is not a name'],
    ['plan', 'a#b', 'is not 1 to 64 of the characters'],
    ['interval', 'monthly', 'is not one of week, month, year'],
    ['priceMinor', '19.99', 'is not a positive whole number of minor units'],
    ['priceMinor', '0', 'is not a positive whole number of minor units'],
    ['priceMinor', '-5', 'is not a positive whole number of minor units'],
    ['priceMinor', '9007199254740993', 'is not a positive whole number of minor units'],
    ['currency', 'eur', 'is not a currency code of ISO 4217'],
    ['currency', 'XYZ', 'is not a currency code of ISO 4217'],
    ['dueDate', '2023-02-29', 'is not a date: that month has 28 days'],
    ['dueDate', '31/01/2024', 'is not a date written YYYY-MM-DD'],
    ['timeZone', 'Europe/Berlni', 'is not an IANA time zone; did you mean Europe/Berlin?'],
    ['timeZone', '+05:45', 'is not an IANA time zone'],
  ])('with a wrong %s, "%s", is refused by line and column', async (column, value, message) => {
    const fields = LINE.split(',')
    fields[HEADER.split(',').indexOf(column)] = value
    const error = await problemsOf(`${HEADER}\ncus_0,Bo,plus,month,1,EUR,2024-01-31,Etc/UTC\n${fields.join(',')}\n`)
    expect(error.problems).toEqual([{ line: 3, column, message: expect.stringContaining(message) }])
    expect(error.message).toContain(`line 3, column ${column}: "${value.trim()}" ${message}`)
  })

  test('gives each subscription the payment method of its line, and else the card that always succeeds', async () => {
    const lines = ['', DECLINED, 'pm_1MqLiJLkdIwHu7ixUEgbFdYF', `~${'!'.repeat(99)}`].map((token, i) => {
      return `${LINE.replace('cus_1', `cus_${i}`)},${token}`
    })
    const customers = await read(`${HEADER},paymentMethod\n${lines.join('\n')}\n`)
    expect(customers.map(({ paymentMethod }) => paymentMethod)).toEqual([
      CHARGED,
      DECLINED,
      'pm_1MqLiJLkdIwHu7ixUEgbFdYF',
      `~${'!'.repeat(99)}`,
    ])
    expect((await read(`${HEADER}\n${LINE}\n`)).map(({ paymentMethod }) => paymentMethod)).toEqual([CHARGED])
  })

  test.each([
    '4242424242424242',
    '4242 4242 4242 4242',
    '4242-4242-4242-4242',
    "'4242424242424242",
    '4242\u00a04242\u00a04242\u00a04242',
    '424242424242',
    '4242424242424242424',
  ])('with a card number, %s, is refused, and the number is told to nobody', async (number) => {
    const error = await problemsOf(`${HEADER},paymentMethod\n${LINE},${number}\n`)
    expect(error.problems).toEqual([
      { line: 2, column: 'paymentMethod', message: expect.stringContaining('never give those to anybody') },
    ])
    expect(inspect(error, { depth: null })).not.toContain('4242')
  })

  test('with a card number behind a stray quote is refused, and the number is told to nobody', async () => {
    const error = await problemsOf(`${HEADER},paymentMethod\n${LINE},4242424242424242"\n`)
    expect(error.problems).toMatchObject([{ line: 2, message: expect.stringMatching(/quote/i) }])
    expect(inspect(error, { depth: null })).not.toContain('4242')
  })

  test.each(['card 1', 'cärd_1', 'x'.repeat(101)])(
    'with the payment method %j is refused without it',
    async (token) => {
      const error = await problemsOf(`${HEADER},paymentMethod\n${LINE},${token}\n`)
      expect(error.problems).toEqual([
        { line: 2, column: 'paymentMethod', message: expect.stringContaining('1 to 100 visible ASCII characters') },
      ])
      expect(error.message).not.toContain(token)
    },
  )

  test.each(['payment_method', 'PaymentMethod', 'paymentMehtod'])(
    'with the column %s is refused, for that would be ignored and the wrong card be charged',
    async (column) => {
      const error = await problemsOf(`${HEADER},${column}\n${LINE},pm_1\n`)
      expect(error.problems).toMatchObject([
        { line: 1, message: `the column "${column}" would be ignored; rename it to "paymentMethod"` },
      ])
    },
  )

  test('with many problems names all of them and shows the first ten', async () => {
    const error = await problemsOf(`${HEADER}\n${'c,n,p,day,x,euro,never,Mars\n'.repeat(3)}`)
    expect(error.problems).toHaveLength(15)
    expect(error.message.split('\n')).toHaveLength(12)
    expect(error.message).toContain('and 5 more')
  })

  test('with the same customer and plan twice is refused', async () => {
    const error = await problemsOf(`${HEADER}\n${LINE}\n${LINE.replace('plus', 'pro')}\n${LINE}\n`)
    expect(error.problems).toEqual([
      { line: 4, column: 'customer', message: expect.stringContaining('already on line 2') },
    ])
  })

  test('counts lines as an editor does, and names the first line of one with a line break in it', async () => {
    const broken = LINE.replace('Ada Sato', '"Ada\r\nSato"')
    const wrong = broken.replace('cus_1', 'cus_2').replace('1999', 'x')
    const error = await problemsOf([HEADER, broken, '', wrong, LINE.replace('plus', '')].join('\r\n'))
    expect(error.problems).toMatchObject([
      { line: 5, column: 'priceMinor' },
      { line: 7, column: 'plan' },
    ])
  })

  test('with a missing or an extra field is refused with its line', async () => {
    const error = await problemsOf(`${HEADER}\n${LINE},more\ncus_2,Ada\n`)
    expect(error.problems).toMatchObject([
      { line: 2, message: expect.stringContaining('9 fields where the header has 8') },
      { line: 3, message: expect.stringContaining('2 fields where the header has 8') },
    ])
  })

  test('with a missing column is refused with the name that was probably meant', async () => {
    const error = await problemsOf(`${HEADER.replace('priceMinor', 'Price_Minor').replace('name,', '')}\n`)
    expect(error.message).toContain(`line 1: the header has no column "priceMinor"; rename "Price_Minor" to it`)
    expect(error.message).toContain(`the header has no column "name"; the first line must be ${HEADER}`)
  })

  test('with a column twice is refused', async () => {
    for (const again of ['name', 'paymentMethod,paymentMethod']) {
      const { message } = await problemsOf(`${HEADER},${again}\n${LINE},x,x\n`)
      expect(message).toContain('the header has this column twice')
    }
  })

  test('whose columns are separated by semicolons or tabs is refused in one line', async () => {
    for (const separator of [';', '\t']) {
      const { message } = await problemsOf(`${HEADER}\n${LINE}\n`.replaceAll(',', separator))
      expect(message).toContain('line 1: the columns are separated by semicolons or tabs')
      expect(message.trim().split('\n').length).toBeLessThanOrEqual(2)
    }
  })

  test('that is empty, or a header alone, is refused', async () => {
    expect((await problemsOf('')).message).toContain(`the file is empty; the first line must be ${HEADER}`)
    expect((await problemsOf('\uFEFF\r\n')).message).toContain('the file is empty')
    expect((await problemsOf(`${HEADER}\n`)).message).toContain('there is no line after the header')
  })

  test('with an open quote is refused with the line', async () => {
    const error = await problemsOf(`${HEADER}\n${LINE}\n"${LINE}\n`)
    expect(error.problems).toMatchObject([{ line: 3, message: expect.stringMatching(/quote/i) }])
  })

  test('that is not UTF-8, or not there, is refused', async () => {
    expect((await problemsOf(Buffer.from(`${HEADER}\n${LINE}`, 'utf16le'))).message).toMatch(/UTF-8|no column/)
    expect((await problemsOf(Buffer.from('n\xe4me', 'latin1'))).message).toContain('the file is not UTF-8')
    await expect(readCustomers(join(folder, 'nowhere.csv'))).rejects.toThrow('nowhere.csv:\n  the file cannot be read')
  })
})

describe('Seeding', () => {
  test('puts every subscription into the table, those too that DynamoDB left unprocessed', async () => {
    const client = localClient(inject('dynamodbEndpoint'))
    const tables = await createBillingTables(client)
    const customers = generateCustomers(1, 60)
    let throttled = 0
    client.middlewareStack.add(
      (next) => async (args) => {
        if (!('RequestItems' in args.input) || throttled === 2) return next(args)
        throttled++
        return { output: { UnprocessedItems: args.input.RequestItems, $metadata: {} }, response: {} }
      },
      { step: 'initialize', priority: 'high' },
    )
    await seedSubscriptions(client, tables.subscriptionsTable, customers)
    expect(throttled).toBe(2)
    const before = new Date(Date.parse(earliestDueAt(customers)) - 1).toISOString()
    expect(await auditLedger(client, tables, before)).toEqual({ charges: 0, duplicateCharges: 0, dueNotCharged: 0 })
    expect((await auditLedger(client, tables, '2030-01-01T00:00:00.000Z')).dueNotCharged).toBe(60)
  })
})
