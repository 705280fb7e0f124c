/** Leads once with each kind of client of the SDK installed beside `process.argv[2]`, and prints the requests. */
// @ts-nocheck

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { DynamoDBLeaseStore, type SdkClient, withLease } from 'tenure'

const require = createRequire(process.argv[2] ?? import.meta.url)
const { DynamoDB, DynamoDBClient }: typeof import('@aws-sdk/client-dynamodb') = require('@aws-sdk/client-dynamodb')
const { DynamoDBDocument, DynamoDBDocumentClient }: typeof import('@aws-sdk/lib-dynamodb') =
  require('@aws-sdk/lib-dynamodb')

/** The next answer to an operation, if it is not 200 {}. */
const answers = new Map<string, readonly [number, string]>()
const sent: string[] = []
const server = createServer(async (request, response) => {
  let text = ''
  for await (const chunk of request) text += chunk
  const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '')
  const { 'fencingToken:any': _, 'fencingStep:any': __, ...item } = JSON.parse(text).Item ?? {}
  sent.push(`${operation} ${JSON.stringify(item)} ${request.headers['x-layer']}`)
  const [status, body] = answers.get(operation) ?? [200, '{}']
  answers.delete(operation)
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
  response.end(body)
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()

const now = Date.now()
const HELD = {
  lease: { S: 'any' },
  record: { S: 'LEASE' },
  holder: { S: 'bob' },
  attempt: { S: 'b' },
  fencingToken: { N: '7' },
  step: { N: '0' },
  acquiredAtMs: { N: String(now) },
  writtenAtMs: { N: String(now) },
  expiresAtMs: { N: String(now + 60_000) },
}

class Money {
  readonly amount = 7
}
function client() {
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`
  return { endpoint, region: 'eu-central-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
}
const options = { marshallOptions: { convertClassInstanceToMap: true, removeUndefinedValues: true } }

async function lead(kind: string, lent: SdkClient, Item: Record<string, unknown>): Promise<void> {
  answers.set('UpdateItem', [500, '{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}'])
  const store = new DynamoDBLeaseStore({ tableName: 'leases', client: lent })
  const { status } = await withLease({ store, lease: 'any' }, (lease) => lease.send({ TableName: 'effects', Item }))
  const requests = [...sent]
  answers.set('UpdateItem', [400, JSON.stringify({ __type: 'ConditionalCheckFailedException', Item: HELD })])
  const other = await withLease({ store, lease: 'any' }, () => {})
  console.log(JSON.stringify({ kind, status, requests, other: other.status }))
  sent.length = 0
}

const raw = new DynamoDBClient(client())
const document = DynamoDBDocumentClient.from(new DynamoDBClient(client()), options)
for (const { middlewareStack } of [raw, document]) {
  middlewareStack.add(
    (next) => (args) => {
      Object.assign(Object(Reflect.get(args, 'request')).headers, { 'x-layer': 'mine' })
      return next(args)
    },
    { step: 'build' },
  )
}
await lead('raw', raw, { id: 'x', map: { left: undefined } })
await lead('document', document, { id: 'x', price: new Money() })
await lead('aggregated raw', new DynamoDB(client()), { id: 'x', map: { left: undefined } })
await lead('aggregated document', DynamoDBDocument.from(new DynamoDBClient(client()), options), {
  id: 'x',
  price: new Money(),
})
server.close()

//  This is not a client.
export const refusedByTheCompiler = () => new DynamoDBLeaseStore({ tableName: 'leases', client: document.config })
