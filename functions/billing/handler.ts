/** The Lambda function. Every candidate runs this handler; the leader alone loads the task, and the AWS SDK for it. */
import middy from '@middy/core'
import { leaderOnly } from '../election/index.ts'
import { leaseMetrics } from '../election/metrics.ts'
import { selfInvoke } from '../election/self-invoke.ts'
import { readEnvironment } from './environment.ts'

const { leaseTable: tableName } = readEnvironment(process.env)

export const handler = middy()
  // LEASE_TABLE, LEASE_NAME and LEASE_MS come from the environment.
  .use(leaderOnly({ onEvent: leaseMetrics({ tableName }), continueBy: selfInvoke() }))
  .handler(async (_event: unknown, { lease }) => (await import('./task.ts')).bill(lease))
