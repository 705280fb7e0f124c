/**
 * The SDK's own client with a DynamoDB in memory behind it, for tests that run the same thing a hundred times over. That
 * this DynamoDB answers as DynamoDB Local does is tested in test/support/dynamodb/differential/.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SimulatedDynamoDB } from './dynamodb/database.ts'
import { schemaOf } from './dynamodb/differential/create-table.ts'
import { requestOf } from './dynamodb/request.ts'

const ENCODER = new TextEncoder()

export function simulatedClient(): DynamoDBClient {
  const database = new SimulatedDynamoDB()
  const execute = (operation: string, body: object) => {
    if (operation !== 'CreateTable') return database.execute(operation, body)
    database.createTable(schemaOf(body))
    return { status: 200, body: {} }
  }
  return new DynamoDBClient({
    region: 'eu-central-1',
    endpoint: 'http://dynamodb.simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    signer: { sign: async <Request>(request: Request) => request },
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      async handle({ headers, body }: { headers: Record<string, string>; body?: unknown }) {
        const operation = (headers['x-amz-target'] ?? '').replace(/^.*\./, '')
        const answer = execute(operation, requestOf(JSON.parse(String(body))))
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
