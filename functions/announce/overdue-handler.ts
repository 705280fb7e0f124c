/** The Lambda function that a schedule asks, every hour, how far leases are behind theirs. */
import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { measureFor } from '../election/measurements.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { overdueCheck } from './check-overdue.ts'
import { readOverdueEnvironment } from './environment.ts'
import { leaseProgress } from './lease-progress.ts'

const { leaseTable } = readOverdueEnvironment(process.env)

const client = new DynamoDBClient(SDK_CLIENT)

export const handler = overdueCheck({
  progress: leaseProgress(client, leaseTable),
  measure: measureFor(leaseTable),
  log: new Logger({ serviceName: 'announce' }),
})
