// @ts-nocheck
import middy from '@middy/core'
import { DynamoDBLeaseStore, leaderOnly } from 'tenure'
import { selfInvoke } from 'tenure/continuation'
import { leaseMetrics } from 'tenure/metrics'

const tableName = process.env['LEASE_TABLE']
const store = new DynamoDBLeaseStore({ tableName })

export const handler = middy()
  .use(leaderOnly({ store, lease: 'invoices', onEvent: leaseMetrics({ tableName }), continueBy: selfInvoke() }))
  .handler(async (_event, { lease }) => {
    if (lease.checkpoint === undefined) return await lease.handOver('counted')
    const Item = { tick: lease.tick ?? 'none', sentUnder: lease.fencingToken }
    await lease.send({ TableName: process.env['SENT_TABLE'] ?? '', Item })
    return { sent: lease.tick }
  })
