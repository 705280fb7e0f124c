import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { isObject } from '../../support/dynamodb/values.ts'
import { aborted, type Connection } from './connection.ts'

const NO_SIGNATURE = { sign: async <Request>(request: Request) => request }
const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/**
 * The AWS SDK's own client, with its retries, serialization and errors, on a simulated connection. Everything that it
 * would look up in files is given; requests are not signed, which would take longer than all else.
 */
export function clientOn(connection: Connection): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://dynamodb.simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    signer: NO_SIGNATURE,
    // As DynamoDBLeaseStore's own client and that of the billing function.
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
        const operation = (request.headers['x-amz-target'] ?? '').replace(/^.*\./, '')
        const text = request.body instanceof Uint8Array ? DECODER.decode(request.body) : String(request.body)
        const sent: unknown = JSON.parse(text)
        const signal = options.abortSignal instanceof AbortSignal ? options.abortSignal : undefined
        if (signal?.aborted) throw aborted() // as the SDK's own handler does
        const { status, body, dateMs } = await connection.send(operation, isObject(sent) ? sent : {}, signal)
        const headers = { date: new Date(dateMs).toUTCString(), 'content-type': 'application/x-amz-json-1.0' }
        return { response: { statusCode: status, headers, body: ENCODER.encode(JSON.stringify(body)), reason: '' } }
      },
    },
  })
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
}
