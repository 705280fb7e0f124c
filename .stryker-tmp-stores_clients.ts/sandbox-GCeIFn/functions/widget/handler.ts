/** The Lambda function of the dashboard's widget. It only reads. */
// @ts-nocheck

import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EnvironmentReader } from '../election/environment.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { answer, type WidgetAnswer } from './answer.ts'

const environment = new EnvironmentReader('the widget', process.env)
const leaseTable = environment.required('LEASE_TABLE')
environment.check()

const client = new DynamoDBClient(SDK_CLIENT)

export const handler = (event: unknown): Promise<WidgetAnswer> => answer(event, client, leaseTable)
