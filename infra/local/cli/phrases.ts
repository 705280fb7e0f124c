/** Numbers, times and money as a person reads them. */
import { formatMoney, type Money, totalMinor } from '../../../functions/billing/money.ts'

const SHOWN_CURRENCIES = 3

/** `1 charge`, `2 charges`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

/** `0.84 s`, `6.0 s`. */
export const secondsOf = (ms: number): string => `${(ms / 1000).toFixed(ms < 1_000 ? 2 : 1)} s`

/** `2024-02-28 22:00Z` for a canonical instant. */
export const timeOf = (instant: string): string => `${instant.slice(0, 10)} ${instant.slice(11, 16)}Z`

/** The total in each currency, the most frequent first: `EUR 79.96, JPY 1,980 and 2 more currencies`. */
export function amountsOf(charges: readonly Money[]): string {
  const byCurrency = [...Map.groupBy(charges, ({ currency }) => currency)]
  const shown = byCurrency
    .sort(([a, ofA], [b, ofB]) => ofB.length - ofA.length || a.localeCompare(b))
    .slice(0, SHOWN_CURRENCIES)
    .map(([currency, those]) => formatMoney({ amountMinor: totalMinor(those), currency }))
  const more = byCurrency.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more ${more === 1 ? 'currency' : 'currencies'}` : '')
}
