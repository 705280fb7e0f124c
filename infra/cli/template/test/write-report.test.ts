import assert from 'node:assert/strict'
import { test } from 'node:test'

// As ElectedSchedule and the stack set them on the deployed function.
Object.assign(process.env, { LEASE_TABLE: 'leases', LEASE_NAME: 'reports', REPORTS_TABLE: 'Reports' })
const { writeReport } = await import('../functions/write-report.ts')

test('writes one report, named after its tick', async (t) => {
  const send = t.mock.fn(async () => undefined)
  await writeReport({ tick: '2026-01-01T06:00:00.000Z', send })
  const [written, ...more] = send.mock.calls.flatMap((call) => call.arguments)
  assert.deepEqual(written, { TableName: 'Reports', Item: { id: '2026-01-01T06:00:00.000Z', total: 42 } })
  assert.equal(more.length, 0)
})
