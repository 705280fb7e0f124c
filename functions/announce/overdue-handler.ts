/** The Lambda function that a schedule invokes every hour to measure overdue ticks. */
import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EnvironmentReader } from '../election/environment.ts'
import { measureFor } from '../election/measurements.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { leaseProgress, overdueCheck } from './overdue.ts'

const environment = new EnvironmentReader('the check for overdue ticks', process.env)
const leaseTable = environment.required('LEASE_TABLE')
environment.check()

export const handler = overdueCheck({
  progress: leaseProgress(new DynamoDBClient(SDK_CLIENT), leaseTable),
  measure: measureFor(leaseTable),
  log: new Logger({ serviceName: 'announce' }),
})
