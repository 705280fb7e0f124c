/** The Lambda function. Every candidate runs this handler; the leader alone loads the task. */
// @ts-nocheck

import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import middy from '@middy/core'
import { DynamoDBLeaseStore, leaderOnly } from '../election/index.ts'
import { leaseMetrics } from '../election/metrics.ts'
import { selfInvoke } from '../election/self-invoke.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { readEnvironment } from './environment.ts'

const { leaseTable: tableName } = readEnvironment(process.env)
const client = DynamoDBDocumentClient.from(new DynamoDBClient(SDK_CLIENT))

export const handler = middy()
  .use(
    // LEASE_NAME and LEASE_MS come from the environment. The store's client has time-outs for the task's writes too.
    leaderOnly({
      store: new DynamoDBLeaseStore({ tableName, client }),
      onEvent: leaseMetrics({ tableName }),
      continueBy: selfInvoke(),
    }),
  )
  .handler(async (_event: unknown, { lease }) => (await import('./task.ts')).bill(lease))
