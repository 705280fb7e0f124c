/** The Lambda function that reads the lease table's stream. */
// @ts-nocheck

import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { EnvironmentReader } from '../election/environment.ts'
import { measureFor } from '../election/measurements.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { announcer } from './announce.ts'
import { publishTo } from './events.ts'
import { historyTable, noHistory } from './history.ts'

const DEFAULT_HISTORY_DAYS = 30
/** Ten years: a higher number is most likely in seconds. */
const MOST_HISTORY_DAYS = 3_650

const environment = new EnvironmentReader('the announcer', process.env)
const leaseTable = environment.required('LEASE_TABLE')
/** A name or an ARN. */
const eventBus = environment.required('EVENT_BUS')
const days = `a whole number of days from 0 to ${MOST_HISTORY_DAYS}`
/** How long a history row is kept, from the end of its tenure; 0 for no history. */
const historyDays = environment.wholeNumber('HISTORY_DAYS', 0, MOST_HISTORY_DAYS, days) ?? DEFAULT_HISTORY_DAYS
environment.check()

const client = DynamoDBDocumentClient.from(new DynamoDBClient(SDK_CLIENT))

export const handler = announcer({
  history: historyDays === 0 ? noHistory : historyTable(client, leaseTable, historyDays),
  publish: publishTo(new EventBridgeClient(SDK_CLIENT), eventBus),
  measure: measureFor(leaseTable),
  log: new Logger({ serviceName: 'announce' }),
})
