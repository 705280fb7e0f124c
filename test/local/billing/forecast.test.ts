import { expect, inject, test } from 'vitest'
import { auditCharged, readLedger, unitOf } from '../../../infra/local/billing/audit.ts'
import { earliestDueAt, Forecast } from '../../../infra/local/billing/forecast.ts'
import { generateCustomers } from '../../../infra/local/billing/generate.ts'
import { CARD, monthly, setScene } from '../../billing/scene.ts'

const HOUR_MS = 3_600_000

test('The forecast of a tick is what is due since the tick before it, every period of it', () => {
  const forecast = new Forecast([monthly('c-1', { interval: 'week' }), monthly('c-2', { interval: 'week' })])
  const at = (day: string) => forecast.newlyDueAt(Date.parse(`${day}T00:00:00.000Z`))
  expect(['2024-01-30', '2024-01-31', '2024-02-06', '2024-02-14'].map(at)).toEqual([0, 2, 0, 4])
})

test('The generated customers are charged as forecast at five hourly ticks; gateway and ledger agree', async () => {
  const customers = generateCustomers(1)
  const forecast = new Forecast(customers)
  const declined = new Set(customers.filter(({ paymentMethod }) => paymentMethod === CARD.declined).map(unitOf))
  await using scene = await setScene(inject('dynamodbEndpoint'), customers)
  const { subscriptionsTable, chargesTable } = scene.tables
  const total = { charged: 0, declined: 0 }
  for (let hour = 0; hour < 5; hour++) {
    const tickMs = Date.parse(earliestDueAt(customers)) + hour * HOUR_MS
    const tick = new Date(tickMs).toISOString()
    const outcome = await scene.lead(tick)
    expect(outcome, tick).toMatchObject({ result: { replayed: 0, failed: 0, staleWritesRefused: 0 } })
    const result = outcome.status === 'completed' ? outcome.result : { charged: 0, declined: 0, due: 0 }
    expect(result.due, tick).toBe(forecast.newlyDueAt(tickMs))
    expect(result.charged, tick).toBeGreaterThanOrEqual(4)
    total.charged += result.charged
    total.declined += result.declined
    const charged = await readLedger(scene.client, chargesTable)
    const audit = await auditCharged(charged, scene.client, subscriptionsTable, tick, customers, declined)
    expect(audit).toEqual({ charges: total.charged, duplicateCharges: 0, dueNotCharged: 0 })
  }
  expect(scene.charges()).toHaveLength(total.charged)
  expect(await scene.recordedCharges()).toEqual(scene.charges())
  expect(scene.requests).toHaveLength(total.charged + total.declined)
  expect(total.declined).toBe(1)
})
