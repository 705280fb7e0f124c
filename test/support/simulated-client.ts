/**
 * The SDK's own client with a DynamoDB in memory, for tests that run the same thing a hundred times. The tests in
 * test/support/dynamodb/differential/ check that this DynamoDB answers as DynamoDB Local does.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SimulatedDynamoDB } from './dynamodb/database.ts'
import { requestOf } from './dynamodb/request.ts'

const ENCODER = new TextEncoder()

export function simulatedClient(): DynamoDBClient {
  const database = new SimulatedDynamoDB()
  return new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://dynamodb.simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    signer: { sign: async <Request>(request: Request) => request },
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle({ headers, body }: { headers: Record<string, string>; body?: unknown }) {
        const operation = (headers['x-amz-target'] ?? '').replace(/^.*\./, '')
        const answer = database.execute(operation, requestOf(JSON.parse(String(body))))
        return {
          response: {
            statusCode: answer.status,
            headers: { date: new Date().toUTCString(), 'content-type': 'application/x-amz-json-1.0' },
            body: ENCODER.encode(JSON.stringify(answer.body)),
          },
        }
      },
    },
  })
}
