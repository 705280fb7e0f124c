/** Charges what is due at the tick. Only the leader imports this module, so a standby loads nothing of it. */
// @ts-nocheck

import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { InvalidTickError, type Lease } from '../election/index.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { secretApiKey } from './api-key.ts'
import { type BillingResult, chargeDue } from './charge-due.ts'
import { readEnvironment } from './environment.ts'
import { chargesTable } from './ledger.ts'
import { stripeGateway } from './stripe-gateway.ts'
import { subscriptionsTable } from './subscriptions.ts'
import { httpTransport, lambdaTransport } from './transports.ts'

const { subscriptionsTable: table, chargesTable: charges, gateway: address } = readEnvironment(process.env)
const log = new Logger({ serviceName: 'billing' })
const client = DynamoDBDocumentClient.from(new DynamoDBClient(SDK_CLIENT))
const subscriptions = subscriptionsTable(client, table)
const ledger = chargesTable(charges)
const gateway = stripeGateway(
  address.kind === 'sandbox'
    ? lambdaTransport({ functionName: address.functionName })
    : httpTransport({ url: address.url, apiKey: secretApiKey(address.secretId) }),
)

export async function bill(lease: Lease): Promise<BillingResult> {
  const { tick } = lease
  if (tick === undefined) throw new InvalidTickError('Billing needs a tick: it charges what is due at the tick')
  return await chargeDue({ lease, tick, subscriptions, gateway, ledger, log })
}
