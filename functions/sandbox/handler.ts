/**
 * The Lambda function of the sandbox. It has no URL: IAM decides who may invoke it. It logs nothing: a request is about
 * somebody's money, even where the money is none.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { GatewayRequest, GatewayResponse } from '../billing/transports.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { readEnvironment } from './environment.ts'
import { sandbox } from './sandbox.ts'
import { tableStore } from './table-store.ts'

const { tableName, ...options } = readEnvironment(process.env)

const client = new DynamoDBClient(SDK_CLIENT)
const answer = sandbox({ ...options, store: tableStore(client, tableName) })

export const handler = (request: GatewayRequest): Promise<GatewayResponse> => answer(request)
