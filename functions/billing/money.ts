/**
 * An amount of money in its currency's minor unit: 1999 with EUR is 19.99 €, 1999 with JPY is ¥1999, 1999 with KWD is
 * 1.999 dinars. Amounts are passed on as they are, and at most added up: integers do that exactly, so there is no money
 * library here. Proration and conversion, which divide and therefore must round, would need one; nothing here does either.
 */
export interface Money {
  /** A positive safe integer. */
  readonly amountMinor: number
  /** An ISO 4217 code in capitals, such as EUR. */
  readonly currency: string
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/**
 * ISO 4217, list one, where it is not 2. Intl does not say it: what it knows is usage, by the CLDR of its release. Node 24's
 * has no digits for HUF, IDR, COP and 13 more that have 2 or 3, so that amounts would be shown a hundred times too large.
 */
const MINOR_DIGITS: ReadonlyMap<string, number> = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3] as const),
])

/** Whether the text is a currency code of ISO 4217 that this runtime knows; case matters. */
export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code)
}

/** Whether the value can be charged: a positive integer that a JavaScript number holds exactly. */
export function isAmountMinor(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

/** How many decimal digits of the currency its minor unit is: 2 for EUR, 0 for JPY, 3 for KWD. */
export function minorDigits(currency: string): number {
  return MINOR_DIGITS.get(currency) ?? 2
}

/** The sum, of amounts of one currency. Beyond 2^53, where numbers lose cents in silence, it is exact too. */
export function totalMinor(amounts: readonly Pick<Money, 'amountMinor'>[]): bigint {
  return amounts.reduce((total, { amountMinor }) => total + BigInt(amountMinor), 0n)
}

/** `EUR 1,234.50`, `JPY 1,980`, `KWD 12.345`: every digit, at any size, for no floating-point number is made of it. */
export function formatMoney({ amountMinor, currency }: { amountMinor: number | bigint; currency: string }): string {
  const digits = minorDigits(currency)
  const unit = 10n ** BigInt(digits)
  const minor = BigInt(amountMinor)
  const whole = `${currency} ${(minor / unit).toLocaleString('en')}`
  return digits === 0 ? whole : `${whole}.${String(minor % unit).padStart(digits, '0')}`
}
