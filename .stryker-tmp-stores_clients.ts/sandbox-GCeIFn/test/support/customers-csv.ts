// @ts-nocheck
import type { Subscription } from '../../functions/billing/subscription.ts'
import { COLUMNS } from '../../infra/local/billing/csv.ts'

/** A customers file from which the same subscriptions are read, if none of them has been charged yet. */
export function toCsv(subscriptions: readonly Subscription[]): string {
  const escaped = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
  const lines = subscriptions.map((subscription) => {
    const fields = { ...subscription, dueDate: subscription.period }
    return COLUMNS.map((column) => escaped(String(fields[column]))).join(',')
  })
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`
}
