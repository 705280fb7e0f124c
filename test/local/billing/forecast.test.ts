import { expect, test } from 'vitest'
import { generateCustomers } from '../../../infra/local/billing/customers.ts'
import { forecast } from '../../../infra/local/billing/forecast.ts'
import { subscribe } from '../../../infra/local/billing/subscribe.ts'

const weekly = subscribe({
  ...{ customer: 'c-1', name: 'Ada', plan: 'basic', interval: 'week', priceMinor: 999, currency: 'EUR' },
  ...{ timeZone: 'Etc/UTC', dueDate: '2024-01-31' },
})
const at = (day: string) => Date.parse(`${day}T00:00:00.000Z`)

test('a tick brings what fell due since the one before it, every period of it', () => {
  const { newlyDueAt } = forecast([weekly, { ...weekly, customer: 'c-2' }])
  expect(newlyDueAt(at('2024-01-30'))).toBe(0)
  expect(newlyDueAt(at('2024-01-31'))).toBe(2)
  expect(newlyDueAt(at('2024-02-06'))).toBe(0)
  expect(newlyDueAt(at('2024-02-14'))).toBe(4)
})

test('the generated customers bring at least as many charges at each of the first ticks as chaos counts on', () => {
  const { newlyDueAt } = forecast(generateCustomers(1))
  const first = Date.parse('2024-01-30T10:00:00.000Z')
  const brought = Array.from({ length: 8 }, (_, tick) => newlyDueAt(first + tick * 3_600_000))
  expect(Math.min(...brought)).toBeGreaterThanOrEqual(4)
})
