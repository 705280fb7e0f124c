/** Stands between the functions and DynamoDB Local, and lets an interceptor decide what becomes of each request. */
import { crc32 } from 'node:zlib'
import { isSignedWith, signedFor, UNKNOWN_CALLER } from './caller.ts'
import type { Call, Interceptor, Reply } from './interceptor.ts'
import { type LoopbackServer, type Received, startLoopbackServer } from './loopback-server.ts'
import { connectTo } from './upstream.ts'

export interface DynamoDBProxyOptions {
  readonly dynamodbEndpoint: string
  /** That of the tables. Functions may ask for another one: here there is only this. */
  readonly region: string
  /** What requests must be signed with. */
  readonly accessKey: string
  readonly intercept: Interceptor
  /** The request id of the invocation that sent a request with these headers. */
  readonly requestOf: (headers: Readonly<Record<string, string>>) => string
}

/** An error as DynamoDB tells it; `fields` may hold an Item or CancellationReasons. */
export function dynamodbError(type: string, message: string, statusCode = 400, fields: object = {}): Reply {
  const __type = `com.amazonaws.dynamodb.v20120810#${type}`
  const headers = { 'content-type': 'application/x-amz-json-1.0' }
  return { statusCode, headers, body: JSON.stringify({ __type, message, ...fields }) }
}

export async function startDynamoDBProxy(options: DynamoDBProxyOptions): Promise<LoopbackServer> {
  const { dynamodbEndpoint, region, accessKey, intercept, requestOf } = options
  const upstream = connectTo(dynamodbEndpoint)
  const answer = async (received: Received): Promise<Reply | 'hangUp'> => {
    try {
      const request = { ...received, headers: signedFor(region, received.headers) }
      const call = callOf(request, requestOf(request.headers))
      const reply = await intercept(call, (body) =>
        upstream.send(body === undefined ? request : { ...request, body: JSON.stringify(body) }),
      )
      return reply === 'hangUp' ? reply : withChecksum(reply)
    } catch (error) {
      return dynamodbError('InternalServerError', String(error), 500)
    }
  }
  const server = await startLoopbackServer({
    refuse: ({ headers }) =>
      isSignedWith(accessKey, headers) ? undefined : dynamodbError('UnrecognizedClientException', UNKNOWN_CALLER),
    answer,
  })
  return {
    url: server.url,
    stop: async () => {
      await server.stop()
      await upstream.close()
    },
  }
}

function callOf({ headers, body }: Received, requestId: string): Call {
  const [, operation = ''] = /^DynamoDB_\d+\.(\w+)$/.exec(headers['x-amz-target'] ?? '') ?? []
  const input: Record<string, unknown> = JSON.parse(body)
  const { TableName: target } = input
  return { service: 'dynamodb', operation, target: typeof target === 'string' ? target : '', body: input, requestId }
}

/** An interceptor that changes a reply need not know that its checksum is in a header. */
function withChecksum(reply: Reply): Reply {
  if (reply.headers['x-amz-crc32'] === undefined) return reply
  return { ...reply, headers: { ...reply.headers, 'x-amz-crc32': String(crc32(reply.body)) } }
}
