/** The Lambda function. Every candidate runs this handler; the candidate that leads charges what is due at the tick. */
import { Logger } from '@aws-lambda-powertools/logger'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import middy from '@middy/core'
import { DynamoDBLeaseStore, InvalidTickError, leaderOnly } from '../election/index.ts'
import { leaseMetrics } from '../election/metrics.ts'
import { selfInvoke } from '../election/self-invoke.ts'
import { SDK_CLIENT } from '../election/stores/sdk-client.ts'
import { secretApiKey } from './api-key.ts'
import { chargeDue } from './charge-due.ts'
import { readEnvironment } from './environment.ts'
import { chargesTable } from './ledger.ts'
import { stripeGateway } from './stripe-gateway.ts'
import { subscriptionsTable } from './subscriptions.ts'
import { httpTransport, lambdaTransport } from './transports.ts'

const environment = readEnvironment(process.env)
const log = new Logger({ serviceName: 'billing' })

const client = DynamoDBDocumentClient.from(new DynamoDBClient(SDK_CLIENT))
const subscriptions = subscriptionsTable(client, environment.subscriptionsTable)
const ledger = chargesTable(environment.chargesTable)

const { leaseTable, gateway: address } = environment
const transport =
  address.kind === 'sandbox'
    ? lambdaTransport({ functionName: address.functionName })
    : httpTransport({ url: address.url, apiKey: secretApiKey(address.secretId) })
const gateway = stripeGateway(transport)

export const handler = middy()
  .use(
    // LEASE_NAME and LEASE_MS come from the environment. The store's client has time-outs for the task's writes too.
    leaderOnly({
      store: new DynamoDBLeaseStore({ tableName: leaseTable, client }),
      onEvent: leaseMetrics({ tableName: leaseTable }),
      continueBy: selfInvoke(),
    }),
  )
  .handler(async (_event: unknown, { lease }) => {
    const { tick } = lease
    if (tick === undefined) throw new InvalidTickError('Billing needs a tick: it charges what is due at the tick')
    return chargeDue({ lease, tick, subscriptions, gateway, ledger, log })
  })
