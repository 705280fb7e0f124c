/**
 * The Lambda function that schedules invoke to measure what no write of a lease shows: overdue ticks, dead ones, and
 * leases without a leader.
 */
// @ts-nocheck

import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { EnvironmentReader } from '../election/environment.ts'
import { property } from '../election/json.ts'
import { measureFor } from '../election/measurements.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { deadTickCheck, leaseRows, queuedLetters } from './dead-ticks.ts'
import { leaderlessCheck } from './leaderless.ts'
import { leaseProgress, overdueCheck } from './overdue.ts'

const environment = new EnvironmentReader('the check of leases', process.env)
const leaseTable = environment.required('LEASE_TABLE')
environment.check()

const client = new DynamoDBClient(SDK_CLIENT)
const log = new Logger({ serviceName: 'announce' })
const measure = measureFor(leaseTable)
const checkOverdue = overdueCheck({ progress: leaseProgress(client, leaseTable), measure, log })
const letters = queuedLetters(new SQSClient(SDK_CLIENT))
const row = leaseRows(client, leaseTable)
const checkDead = deadTickCheck({ letters, row, measure, log })
const checkLeaderless = leaderlessCheck({ row, measure, log })

export const handler = (event: unknown): Promise<void> => {
  if (property(event, 'standing') !== undefined) return checkLeaderless(event)
  return property(event, 'deadLetters') === undefined ? checkOverdue(event) : checkDead(event)
}
