/** The Lambda function at the lease table's stream. */
import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { measureFor } from '../election/metrics.ts'
import { announcer } from './announce.ts'
import { readAnnouncerEnvironment } from './environment.ts'
import { publishTo } from './events.ts'
import { historyTable } from './history.ts'

const { leaseTable, eventBus, historyDays } = readAnnouncerEnvironment(process.env)

// The SDK waits for an answer without limit unless told to throw.
const client = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
}

export const handler = announcer({
  history: historyTable(DynamoDBDocumentClient.from(new DynamoDBClient(client)), leaseTable, historyDays),
  publish: publishTo(new EventBridgeClient(client), eventBus),
  measure: measureFor(leaseTable),
  log: new Logger({ serviceName: 'announce' }),
})
