// @ts-nocheck
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lambdaContext, MemoryLeaseStore, setTestDefaults } from 'tenure/testing'

process.env.REPORTS_TABLE = 'Reports'
const store = new MemoryLeaseStore({ tables: { Reports: 'id' } })
setTestDefaults({ store, lease: 'reports' })
const { handler } = await import('../functions/write-report.ts')

test('two candidates write one report for a tick, in memory', async () => {
  const event = { tick: '2026-01-01T06:00:00.000Z' }
  const first = await handler(event, lambdaContext())
  const second = await handler(event, lambdaContext())
  assert.deepEqual([first.status, second.status], ['completed', 'standby'])
  const [report, ...more] = await store.table('Reports').items()
  assert.deepEqual([report?.id, report?.total, more], [event.tick, 42, []])
})
