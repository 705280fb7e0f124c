// @ts-nocheck
import { expect, test } from 'vitest'
import { formatMoney, isCurrency, minorDigits, totalMinor } from '../../functions/billing/money.ts'
import { amountsOf } from '../../infra/local/billing/verdict.ts'

test.each([
  [0, ['JPY', 'CLP', 'ISK', 'UGX']],
  // For HUF to LBP, Intl knows fewer digits, by usage.
  [2, ['EUR', 'USD', 'MRU', 'HUF', 'IDR', 'COP', 'PKR', 'LBP']],
  [3, ['KWD', 'TND', 'IQD']],
])('ISO 4217 has %i decimal digits for %j', (digits, currencies) => {
  for (const currency of currencies) {
    expect(isCurrency(currency)).toBe(true)
    expect(minorDigits(currency), currency).toBe(digits)
  }
})

test.each([
  [123_450, 'EUR', 'EUR 1,234.50'],
  [5, 'EUR', 'EUR 0.05'],
  [1980, 'JPY', 'JPY 1,980'],
  [12_345, 'KWD', 'KWD 12.345'],
  [12_345_678_901_234_567_890n, 'KWD', 'KWD 12,345,678,901,234,567.890'],
])('%d of %s is written %s', (amountMinor, currency, text) => {
  expect(formatMoney({ amountMinor, currency })).toBe(text)
})

test('A total is exact beyond what a number holds', () => {
  const most = { amountMinor: Number.MAX_SAFE_INTEGER, currency: 'EUR' }
  expect(totalMinor([most, most, most])).toBe(27_021_597_764_222_973n)
  expect(amountsOf([most, most, most])).toBe('EUR 270,215,977,642,229.73')
})

test('Totals are per currency, the most frequent first, then by name', () => {
  const charges = ['USD', 'EUR', 'JPY', 'EUR', 'BRL', 'TND'].map((currency) => ({ currency, amountMinor: 1000 }))
  expect(amountsOf(charges)).toBe('EUR 20.00, BRL 10.00, JPY 1,000 and 2 more currencies')
  expect(amountsOf(charges.slice(0, 3))).toBe('EUR 10.00, JPY 1,000, USD 10.00')
})
