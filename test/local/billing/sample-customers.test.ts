import { expect, inject, test } from 'vitest'
import { auditLedger, earliestDueAt, generateCustomers, unitOf } from '../../../infra/local/billing/customers.ts'
import { CARD, setScene } from '../../billing/scene.ts'

test('The sample customers, billed at five hourly ticks: gateway and ledger agree, nothing twice, nothing left', async () => {
  const customers = generateCustomers(1)
  await using scene = await setScene(inject('dynamodbEndpoint'), customers)
  const first = Date.parse(earliestDueAt(customers))
  let charged = 0
  let declined = 0
  for (let hour = 0; hour < 5; hour++) {
    const tick = new Date(first + hour * 3_600_000).toISOString()
    const outcome = await scene.lead(tick)
    const result = outcome.status === 'completed' ? outcome.result : undefined
    expect(result?.charged, tick).toBeGreaterThanOrEqual(4)
    expect(result, tick).toMatchObject({ replayed: 0, failed: 0, staleWritesRefused: 0 })
    charged += result?.charged ?? 0
    declined += result?.declined ?? 0
    const unlucky = customers.filter(({ paymentMethod }) => paymentMethod === CARD.declined)
    const excused = new Set(unlucky.map(unitOf))
    const audit = await auditLedger(scene.client, scene.tables, tick, customers, excused)
    expect(audit).toEqual({ charges: charged, duplicateCharges: 0, dueNotCharged: 0 })
  }
  expect(scene.charges()).toHaveLength(charged)
  expect(await scene.recordedCharges()).toEqual(scene.charges())
  expect(scene.requests).toHaveLength(charged + declined)
  expect(declined).toBe(1)
})

test('A sample customer whose card is declined is tried again after one day and after three more, then suspended', async () => {
  const customers = generateCustomers(1).filter(({ paymentMethod }) => paymentMethod === CARD.declined)
  const [unlucky] = customers.toSorted((a, b) => a.dueAt.localeCompare(b.dueAt))
  if (unlucky === undefined) throw new Error('No sample customer has a card that is declined')
  await using scene = await setScene(inject('dynamodbEndpoint'), [unlucky])
  const tries: string[] = []
  for (let hour = 0; hour < 6 * 24; hour++) {
    const tick = new Date(Date.parse(unlucky.dueAt) + hour * 3_600_000).toISOString()
    const row = await scene.subscription(unlucky.customer, unlucky.plan)
    if (typeof row?.['dueAt'] !== 'string' || row['dueAt'] > tick) continue
    expect(await scene.lead(tick)).toMatchObject({ result: { due: 1, charged: 0, declined: 1 } })
    tries.push(`hour ${hour}`)
  }
  expect(tries).toEqual(['hour 0', 'hour 24', 'hour 96'])
  const row = await scene.subscription(unlucky.customer, unlucky.plan)
  expect(row).toMatchObject({ period: unlucky.period, dunned: 3, status: 'suspended' })
  expect(scene.charges()).toEqual([])
})
