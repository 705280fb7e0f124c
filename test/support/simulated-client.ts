/**
 * The SDK's own client with a DynamoDB in memory, for tests that run the same thing a hundred times. The tests in
 * test/support/dynamodb/differential/ check that this DynamoDB answers as DynamoDB Local does.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SimulatedDynamoDB } from './dynamodb/database.ts'
import { requestOf } from './dynamodb/request.ts'

interface Reply {
  readonly statusCode: number
  /** As JSON. */
  readonly body: string
}

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder()

/** @param send answers each request. @default a new database, without tables */
export function simulatedClient(send: ReturnType<typeof sendTo> = sendTo(new SimulatedDynamoDB())): DynamoDBClient {
  return new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://dynamodb.simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    signer: { sign: async <Request>(request: Request) => request },
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle(request: { headers: Record<string, string>; body?: unknown }) {
        const operation = (request.headers['x-amz-target'] ?? '').replace(/^.*\./, '')
        const text = request.body instanceof Uint8Array ? DECODER.decode(request.body) : String(request.body)
        const reply = await send(operation, requestOf(JSON.parse(text)))
        if (reply === 'hangUp') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
        const { statusCode, body } = reply
        const headers = { date: new Date().toUTCString(), 'content-type': 'application/x-amz-json-1.0' }
        return { response: { statusCode, headers, body: ENCODER.encode(body) } }
      },
    },
  })
}

export const sendTo =
  (database: SimulatedDynamoDB) =>
  async (operation: string, request: Readonly<Record<string, unknown>>): Promise<Reply | 'hangUp'> => {
    const { status, body } = database.execute(operation, request)
    return { statusCode: status, body: JSON.stringify(body) }
  }
