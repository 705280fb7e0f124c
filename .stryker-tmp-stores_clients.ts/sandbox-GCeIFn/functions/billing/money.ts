/**
 * Money in the minor unit of its currency: 1999 with EUR is 19.99 €, with JPY ¥1999, with KWD 1.999 dinars. Amounts
 * are only passed on and added up, which integers do exactly. Proration and conversion would need a money library.
 */
// @ts-nocheck

export interface Money {
  /** A positive safe integer. */
  readonly amountMinor: number
  /** An ISO 4217 code in capitals, such as EUR. */
  readonly currency: string
}

const CURRENCIES: ReadonlySet<unknown> = new Set(Intl.supportedValuesOf('currency'))

/**
 * ISO 4217, list one, for all currencies without 2 digits. `Intl` knows usage instead (CLDR): it has no digits for HUF,
 * IDR, COP and 13 more that have 2 or 3, so that amounts would be displayed a hundred times too large.
 */
const MINOR_DIGITS: ReadonlyMap<string, number> = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3] as const),
])

/** Whether the value is an ISO 4217 code that this runtime knows; case matters. */
export function isCurrency(value: unknown): value is string {
  return CURRENCIES.has(value)
}

/** Whether the value can be charged: a positive integer that a JavaScript number holds exactly. */
export function isAmountMinor(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

/** How many decimal digits the minor unit is: 2 for EUR, 0 for JPY, 3 for KWD. */
export function minorDigits(currency: string): number {
  return MINOR_DIGITS.get(currency) ?? 2
}

/** The sum of amounts of one currency; exact beyond 2^53 too, where numbers would lose cents. */
export function totalMinor(amounts: readonly Pick<Money, 'amountMinor'>[]): bigint {
  return amounts.reduce((total, { amountMinor }) => total + BigInt(amountMinor), 0n)
}

/** `EUR 1,234.50`, `JPY 1,980`, `KWD 12.345`: exact at any size, as no floating-point number is involved. */
export function formatMoney({ amountMinor, currency }: { amountMinor: number | bigint; currency: string }): string {
  const digits = minorDigits(currency)
  const unit = 10n ** BigInt(digits)
  const minor = BigInt(amountMinor)
  const whole = `${currency} ${(minor / unit).toLocaleString('en')}`
  return digits === 0 ? whole : `${whole}.${String(minor % unit).padStart(digits, '0')}`
}
