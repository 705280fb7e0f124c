/** CommonJS: TypeScript makes `require` of these imports. */
// @ts-nocheck

import { withLease } from 'tenure'

import schema = require('tenure/events/events.schema.json')

import { leaseMetrics } from 'tenure/metrics'
import { MemoryLeaseStore } from 'tenure/testing'

withLease({ store: new MemoryLeaseStore(), lease: 'invoices' }, (lease) => lease.fencingToken).then((outcome) => {
  console.log(outcome.status, leaseMetrics.name, schema.title)
})
