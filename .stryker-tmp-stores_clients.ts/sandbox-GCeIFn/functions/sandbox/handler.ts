/**
 * The sandbox's Lambda function. It has no URL: IAM decides who may invoke it. It logs nothing, as a gateway must not
 * log its customers' payments.
 */
// @ts-nocheck

import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EnvironmentReader } from '../election/environment.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import type { GatewayRequest, GatewayResponse } from './message.ts'
import { sandbox } from './sandbox.ts'
import { tableStore } from './store.ts'

const environment = new EnvironmentReader('the sandbox', process.env)
const tableName = environment.required('SANDBOX_TABLE')
environment.check()

const answer = sandbox({ store: tableStore(new DynamoDBClient(SDK_CLIENT), tableName) })

export const handler = (request: GatewayRequest): Promise<GatewayResponse> => answer(request)
