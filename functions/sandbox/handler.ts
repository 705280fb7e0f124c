/**
 * The sandbox's Lambda function. It has no URL: IAM decides who may invoke it. It logs nothing, as a gateway must not
 * log its customers' payments.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { readEnvironment } from './environment.ts'
import type { GatewayRequest, GatewayResponse } from './message.ts'
import { sandbox } from './sandbox.ts'
import { tableStore } from './table-store.ts'

const { tableName, ...options } = readEnvironment(process.env)

const answer = sandbox({ ...options, store: tableStore(new DynamoDBClient(SDK_CLIENT), tableName) })

export const handler = (request: GatewayRequest): Promise<GatewayResponse> => answer(request)
