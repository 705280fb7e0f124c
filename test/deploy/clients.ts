/** The SDK's clients of the emulator. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { SchedulerClient } from '@aws-sdk/client-scheduler'
import { SQSClient } from '@aws-sdk/client-sqs'
import { ACCOUNT, REGION } from './aws.ts'
import type { Emulator } from './environment.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** @param credentials by default those of the account's owner, who may do everything */
export function clientsOf(
  { url }: Pick<Emulator, 'url'>,
  credentials: Credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'none' },
) {
  const settings = { endpoint: url, region: REGION, credentials }
  return {
    cloudFormation: new CloudFormationClient(settings),
    dynamodb: new DynamoDBClient(settings),
    eventBridge: new EventBridgeClient(settings),
    lambda: new LambdaClient(settings),
    logs: new CloudWatchLogsClient(settings),
    scheduler: new SchedulerClient(settings),
    sqs: new SQSClient(settings),
  }
}

export type Clients = ReturnType<typeof clientsOf>
