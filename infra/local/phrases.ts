/** Numbers, times and money as a person reads them. */
import type { Charge } from './gateway.ts'

const SHOWN_CURRENCIES = 3

/** `1 charge`, `2 charges`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

/** `0.84 s`, `6.0 s`. */
export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(ms < 1_000 ? 2 : 1)} s`

/** `2024-02-28 22:00Z` for a canonical instant. */
export const timeOf = (instant: string): string => `${instant.slice(0, 10)} ${instant.slice(11, 16)}Z`

/** The total in each currency, the largest shares first: `EUR 79.96, JPY 1,980 and 2 more currencies`. */
export function amountsOf(charges: readonly Pick<Charge, 'currency' | 'amountMinor'>[]): string {
  const byCurrency = Object.entries(Object.groupBy(charges, ({ currency }) => currency))
  const totals = byCurrency
    .map(([currency, those = []]) => ({ currency, those, minor: those.reduce((sum, one) => sum + one.amountMinor, 0) }))
    .sort((a, b) => b.those.length - a.those.length || a.currency.localeCompare(b.currency))
  const shown = totals.slice(0, SHOWN_CURRENCIES).map(({ currency, minor }) => amountOf(currency, minor))
  const more = totals.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more ${more === 1 ? 'currency' : 'currencies'}` : '')
}

function amountOf(currency: string, minor: number): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0
  return format.format(minor / 10 ** digits).replace('\u00a0', ' ')
}
