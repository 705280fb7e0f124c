/**
 * The SDK's own client, with its serialization, retries and errors, but without the network. Everything that it would
 * look up in files is given; requests are not signed, which would take longer than all else.
 */
// @ts-nocheck

import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Exchange } from '../../stores/lean-http.ts'
import { leanTransport } from '../../stores/lean-wire.ts'
import { sdkTransport } from '../../stores/sdk.ts'
import { lent } from '../../stores/sdk-client.ts'
import { readyTransports } from '../../stores/transports.ts'
import type { SendToTable } from '../../stores/wire.ts'
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

/**
 * @param send answers the requests. @default a new DynamoDB in memory
 * @param options.isLean makes a store send its requests on the lease row as one without a client does in Lambda
 */
export function simulatedClient(
  send: Send = inMemory(),
  config: DynamoDBClientConfig = {},
  { isLean = false } = {},
): DynamoDBClient {
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
    endpointProvider: () => ENDPOINT,
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle(
        { headers, body }: { headers: Record<string, string>; body?: unknown },
        { abortSignal }: { abortSignal?: unknown } = {},
      ) {
        const text = body instanceof Uint8Array ? DECODER.decode(body) : String(body)
        const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined
        const { statusCode, content, dateMs } = await answered(send, headers, text, signal)
        const date = Number.isNaN(dateMs) ? {} : { date: new Date(dateMs).toUTCString() }
        const response = {
          statusCode,
          headers: { ...date, 'content-type': 'application/x-amz-json-1.0' },
        }
        return { response: { ...response, body: Buffer.from(content) } }
      },
    },
    ...config,
  })
  Object.assign(client, { send: sendOfSdk })
  const exchange: Exchange = async ({ headers, body, signal, headCame }) => {
    const { statusCode, content, dateMs } = await answered(send, headers, body, signal)
    headCame(statusCode, dateMs)
    return { statusCode, headers: {}, text: content }
  }
  const { maxAttempts } = config
  const options = { exchange, ...(typeof maxAttempts === 'number' && { maxAttempts }) }
  register(client, isLean ? leanTransport(LAMBDA, options) : undefined)
  return client
}

const ENDPOINT = { url: new URL('http://dynamodb.simulated') }

const LAMBDA = {
  AWS_LAMBDA_FUNCTION_NAME: 'simulated',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'simulated',
  AWS_SECRET_ACCESS_KEY: 'simulated',
}

async function answered(
  send: Send,
  headers: Readonly<Record<string, string>>,
  text: string,
  signal: AbortSignal | undefined,
) {
  const operation = (headers['x-amz-target'] ?? '').replace(/^.*\./, '')
  const { status: statusCode, body, dateMs = Date.now() } = await send(operation, requestOf(JSON.parse(text)), signal)
  return { statusCode, content: typeof body === 'string' ? body : JSON.stringify(body), dateMs }
}

/** For a document client on a client in memory. */
export function shareTransport(raw: DynamoDBClient, client: DynamoDBDocumentClient): void {
  register(client, readyTransports.get(raw)?.lean)
}

function register(client: DynamoDBClient | DynamoDBDocumentClient, lean: SendToTable | undefined): void {
  readyTransports.set(client, { sdk: sdkTransport(lent(client)), ...(lean && { lean }) })
}

function inMemory(): Send {
  const database = new SimulatedDynamoDB()
  return (operation, body) => database.execute(operation, body)
}
