/**
 * The SDK's own client, with its serialization, retries and errors, but without the network. Everything that it would
 * look up in files is given; requests are not signed, which would take longer than all else.
 */
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import { sdkTransport } from '../../stores/sdk.ts'
import { lent } from '../../stores/sdk-client.ts'
import { readyTransports } from '../../stores/transports.ts'
import { SimulatedDynamoDB } from './database.ts'
import { type Request, requestOf } from './request.ts'

const DECODER = new TextDecoder()
/** As it was when this was imported: a mock of the SDK replaces it for all clients. */
const { send: sendOfSdk } = DynamoDBClient.prototype

export interface Reply {
  readonly status: number
  /** A text is sent as it is. */
  readonly body: object | string
  /** Of the answer's `Date`; NaN for an answer without it. @default now */
  readonly dateMs?: number
}

export type Send = (operation: string, body: Request, signal: AbortSignal | undefined) => Reply | Promise<Reply>

/** @param send answers the requests. @default a new DynamoDB in memory */
export function simulatedClient(send: Send = inMemory(), config: DynamoDBClientConfig = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://dynamodb.simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    signer: { sign: async <Request>(request: Request) => request },
    retryMode: 'standard',
    defaultsMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    accountIdEndpointMode: 'disabled',
    endpointDiscoveryEnabled: false,
    authSchemePreference: [],
    disableClockSkewCorrection: false,
    userAgentAppId: 'simulation',
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle(
        { headers, body }: { headers: Record<string, string>; body?: unknown },
        { abortSignal }: { abortSignal?: unknown } = {},
      ) {
        const operation = (headers['x-amz-target'] ?? '').replace(/^.*\./, '')
        const text = body instanceof Uint8Array ? DECODER.decode(body) : String(body)
        const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined
        const reply = await send(operation, requestOf(JSON.parse(text)), signal)
        const dateMs = reply.dateMs ?? Date.now()
        const date = Number.isNaN(dateMs) ? {} : { date: new Date(dateMs).toUTCString() }
        const content = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
        const response = {
          statusCode: reply.status,
          headers: { ...date, 'content-type': 'application/x-amz-json-1.0' },
        }
        return { response: { ...response, body: Buffer.from(content) } }
      },
    },
    ...config,
  })
  Object.assign(client, { send: sendOfSdk })
  readyTransports.set(client, { sdk: sdkTransport(lent(client)) })
  return client
}

function inMemory(): Send {
  const database = new SimulatedDynamoDB()
  return (operation, body) => database.execute(operation, body)
}
