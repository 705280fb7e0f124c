import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatMoney, isCurrency, minorDigits, totalMinor } from '../../functions/billing/money.ts'
import { amountsOf } from '../../infra/local/cli/display.ts'

const currencies = fc.constantFrom('EUR', 'JPY', 'KWD', 'HUF')

describe('The minor unit', () => {
  test.each([
    ['EUR', 2],
    ['USD', 2],
    ['MRU', 2],
    ['JPY', 0],
    ['CLP', 0],
    ['ISK', 0],
    ['UGX', 0],
    ['KWD', 3],
    ['TND', 3],
    ['IQD', 3],
  ])('of %s is that of ISO 4217, %i digits', (currency, digits) => {
    expect(isCurrency(currency)).toBe(true)
    expect(minorDigits(currency)).toBe(digits)
  })

  test.each(['HUF', 'IDR', 'COP', 'PKR', 'LBP'])('of %s has 2 digits, though nobody uses them', (currency) => {
    expect(minorDigits(currency)).toBe(2)
  })
})

describe('Money is written', () => {
  test.each([
    [123_450, 'EUR', 'EUR 1,234.50'],
    [5, 'EUR', 'EUR 0.05'],
    [100, 'EUR', 'EUR 1.00'],
    [1980, 'JPY', 'JPY 1,980'],
    [12_345, 'KWD', 'KWD 12.345'],
    [199_900, 'HUF', 'HUF 1,999.00'],
    [9_007_199_254_740_991, 'USD', 'USD 90,071,992,547,409.91'],
    [12_345_678_901_234_567_890n, 'KWD', 'KWD 12,345,678,901,234,567.890'],
  ])('%d of %s as %s', (amountMinor, currency, text) => {
    expect(formatMoney({ amountMinor, currency })).toBe(text)
  })

  test('with every digit of it and no other, at any size', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), currencies, (amountMinor, currency) => {
        const text = formatMoney({ amountMinor, currency })
        const [whole = '', fraction = ''] = text.slice('EUR '.length).split('.')
        expect(fraction).toHaveLength(minorDigits(currency))
        expect(BigInt(whole.replaceAll(',', '') + fraction)).toBe(amountMinor)
        expect(text).toMatch(/^[A-Z]{3} \d{1,3}(,\d{3})*(\.\d+)?$/)
      }),
    )
  })
})

describe('A total', () => {
  test('is exact beyond what a number holds', () => {
    const most = { amountMinor: Number.MAX_SAFE_INTEGER, currency: 'EUR' }
    expect(totalMinor([most, most, most])).toBe(27_021_597_764_222_973n)
    expect(amountsOf([most, most, most])).toBe('EUR 270,215,977,642,229.73')
  })

  test('of many amounts is the same in any order, and nothing of none', () => {
    const amounts = fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { maxLength: 50 })
    fc.assert(
      fc.property(amounts, (list) => {
        const charges = list.map((amountMinor) => ({ amountMinor }))
        const total = totalMinor(charges)
        expect(totalMinor(charges.toReversed())).toBe(total)
        expect(list.reduce((rest, amountMinor) => rest - BigInt(amountMinor), total)).toBe(0n)
      }),
    )
  })

  test('is given for each currency, the most frequent first, and by name among equals', () => {
    const charges = ['USD', 'EUR', 'JPY', 'EUR', 'BRL', 'TND'].map((currency) => ({ currency, amountMinor: 1000 }))
    expect(amountsOf(charges)).toBe('EUR 20.00, BRL 10.00, JPY 1,000 and 2 more currencies')
    expect(amountsOf(charges.slice(0, 3))).toBe('EUR 10.00, JPY 1,000, USD 10.00')
  })
})
