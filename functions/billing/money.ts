/**
 * An amount of money in its currency's minor unit: 1999 with EUR is 19.99 €, 1999 with JPY is ¥1999, 1999 with KWD is
 * 1.999 dinars. Amounts are passed on as they are and never divided, so that no code here has to know how many digits a currency has.
 */
export interface Money {
  /** A positive safe integer. */
  readonly amountMinor: number
  /** An ISO 4217 code in capitals, such as EUR. */
  readonly currency: string
}

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** Whether the text is a currency code of ISO 4217 that this runtime knows; case matters. */
export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code)
}

/** Whether the value can be charged: a positive integer that a JavaScript number holds exactly. */
export function isAmountMinor(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}
