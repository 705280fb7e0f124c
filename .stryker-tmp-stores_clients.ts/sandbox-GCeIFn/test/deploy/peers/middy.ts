/** A tick behind `leaderOnly`: one candidate leads, a second stands by meanwhile, a third finds the tick finished. */
// @ts-nocheck

import middy from '@middy/core'
import { type LeaderHandler, leaderOnly } from 'tenure'
import { lambdaContext, MemoryLeaseStore, setTestDefaults } from 'tenure/testing'

setTestDefaults({ store: new MemoryLeaseStore(), lease: 'reports' })
const event = { tick: '2026-01-01T06:00:00.000Z' }
const handler: LeaderHandler = middy()
  .use(leaderOnly())
  .handler(() => handler(event, lambdaContext()))
console.log(JSON.stringify([await handler(event, lambdaContext()), await handler(event, lambdaContext())]))
