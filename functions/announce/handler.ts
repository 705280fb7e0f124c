/** The Lambda function at the lease table's stream. */
import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { measureFor } from '../election/measurements.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { announcer } from './announce.ts'
import { readAnnouncerEnvironment } from './environment.ts'
import { publishTo } from './events.ts'
import { historyTable, noHistory } from './history.ts'

const { leaseTable, eventBus, historyDays } = readAnnouncerEnvironment(process.env)

const client = DynamoDBDocumentClient.from(new DynamoDBClient(SDK_CLIENT))

export const handler = announcer({
  history: historyDays === 0 ? noHistory : historyTable(client, leaseTable, historyDays),
  publish: publishTo(new EventBridgeClient(SDK_CLIENT), eventBus),
  measure: measureFor(leaseTable),
  log: new Logger({ serviceName: 'announce' }),
})
