/**
 * The Lambda function. Every candidate runs this handler; the candidate that leads charges what is due at the tick.
 *
 * Clients and connections live as long as the execution environment. The lease belongs to one invocation.
 */
import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import middy from '@middy/core'
import { DynamoDBLeaseStore, InvalidTickError, leaderOnly } from '../election/index.ts'
import { leaseMetrics } from '../election/metrics.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { secretApiKey } from './api-key.ts'
import { chargeDue } from './charge-due.ts'
import { type GatewayAddress, readEnvironment } from './environment.ts'
import { chargesTable } from './ledger.ts'
import { stripeGateway } from './stripe-gateway.ts'
import { subscriptionsTable } from './subscriptions.ts'
import { httpTransport, lambdaTransport, type Transport } from './transports.ts'

const environment = readEnvironment(process.env)
const log = new Logger({ serviceName: 'billing' })

const client = DynamoDBDocumentClient.from(new DynamoDBClient(SDK_CLIENT))
const subscriptions = subscriptionsTable(client, environment.subscriptionsTable)
const ledger = chargesTable(environment.chargesTable)
const gateway = stripeGateway(transportTo(environment.gateway))

export const handler = middy()
  .use(
    leaderOnly({
      store: new DynamoDBLeaseStore({ tableName: environment.leaseTable, client }),
      lease: environment.leaseName,
      onEvent: leaseMetrics({ tableName: environment.leaseTable }),
      ...(environment.leaseMs === undefined ? {} : { leaseMs: environment.leaseMs }),
    }),
  )
  .handler(async (_event: unknown, { lease }) => {
    const { tick } = lease
    if (tick === undefined) throw new InvalidTickError('Billing needs a tick: it charges what is due at the tick')
    return chargeDue({ lease, tick, subscriptions, gateway, ledger, log })
  })

function transportTo(address: GatewayAddress): Transport {
  if (address.kind === 'sandbox') return lambdaTransport({ functionName: address.functionName })
  return httpTransport({ url: address.url, apiKey: secretApiKey(address.secretId) })
}
