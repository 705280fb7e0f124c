/** The Lambda function behind the dashboard's widget. It reads, and shows what it read. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { answer, type WidgetAnswer } from './answer.ts'
import { readEnvironment } from './environment.ts'

const { leaseTable } = readEnvironment(process.env)

const client = new DynamoDBClient(SDK_CLIENT)

export const handler = (event: unknown): Promise<WidgetAnswer> => answer(event, { client, leaseTable })
