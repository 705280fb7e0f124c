/** CommonJS: TypeScript makes `require` of these imports. */
// @ts-nocheck

import { withLease } from 'tenure'
import { ElectedSchedule } from 'tenure/constructs'

import schema = require('tenure/events/events.schema.json')

import { selfInvoke } from 'tenure/continuation'
import { leaseMetrics } from 'tenure/metrics'
import { leaseCoordinator } from 'tenure/node-cron'
import { s3Checkpoints } from 'tenure/s3'
import { MemoryLeaseStore } from 'tenure/testing'

withLease({ store: new MemoryLeaseStore(), lease: 'invoices' }, (lease) => lease.fencingToken).then((outcome) => {
  console.log(
    outcome.status,
    ElectedSchedule.name,
    leaseMetrics.name,
    leaseCoordinator.name,
    s3Checkpoints.name,
    selfInvoke.name,
    schema.title,
  )
})
