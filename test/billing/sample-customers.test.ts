import { expect, inject, test } from 'vitest'
import { earliestDueAt, generateCustomers } from '../../infra/local/customers.ts'
import { setScene } from './scene.ts'

test('The sample customers, billed at five hourly ticks: gateway and ledger agree, nothing twice, nothing left', async () => {
  const customers = generateCustomers(1)
  await using scene = await setScene(inject('dynamodbEndpoint'), customers)
  const first = Date.parse(earliestDueAt(customers))
  let charged = 0
  for (let hour = 0; hour < 5; hour++) {
    const tick = new Date(first + hour * 3_600_000).toISOString()
    const outcome = await scene.lead(tick)
    const result = outcome.status === 'completed' ? outcome.result : undefined
    expect(result?.charged, tick).toBeGreaterThanOrEqual(4)
    charged += result?.charged ?? 0
    expect(await scene.audit(tick)).toEqual({ charges: charged, duplicateCharges: 0, dueNotCharged: 0 })
  }
  expect(scene.gateway.charges()).toHaveLength(charged)
  expect(scene.gateway.duplicateCharges()).toBe(0)
  expect(scene.gateway.replayedRequests()).toBe(0)
})
