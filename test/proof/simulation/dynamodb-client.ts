import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { isObject } from './exchange.ts'
import { aborted } from './retries.ts'
import type { Wire } from './wire.ts'

const NO_SIGNATURE = { sign: async <Request>(request: Request) => request }
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/**
 * The real client of the AWS SDK, with its own retries, serialization and errors, on a simulated wire. Everything is said
 * that it would otherwise look up in files; signatures are left out, for they take longer than all the rest.
 */
export function wholeClient(wire: Pick<Wire, 'send'>): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://dynamodb.simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    signer: NO_SIGNATURE,
    // As DynamoDBLeaseStore's own client, and that of the billing function.
    maxAttempts: 3,
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
        request: { headers: Record<string, string>; body?: unknown },
        options: { abortSignal?: unknown } = {},
      ) {
        const target = request.headers['x-amz-target'] ?? ''
        const operation = target.slice(target.indexOf('.') + 1)
        const sent: unknown = JSON.parse(textOf(request.body))
        const signal = options.abortSignal instanceof AbortSignal ? options.abortSignal : undefined
        if (signal?.aborted) throw aborted() // as the SDK's own handler does
        const { status, body, dateMs } = await wire.send(operation, isObject(sent) ? sent : {}, signal)
        const headers = { date: new Date(dateMs).toUTCString(), 'content-type': 'application/x-amz-json-1.0' }
        return {
          response: { statusCode: status, headers, body: ENCODER.encode(JSON.stringify(body)), reason: '' },
        }
      },
    },
  })
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
}

function textOf(body: unknown): string {
  return body instanceof Uint8Array ? DECODER.decode(body) : String(body)
}
