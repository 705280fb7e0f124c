/** A proxy between the functions and DynamoDB Local; an interceptor decides what happens to each request. */
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { signedFor, UNKNOWN_CALLER } from './credentials.ts'
import type { Call, Reply } from './interceptor.ts'
import { type EndpointOptions, type LoopbackServer, type Received, startLoopbackServer } from './loopback.ts'

export interface DynamoDBProxyOptions extends EndpointOptions {
  readonly dynamodbEndpoint: string
  /** Of the tables. A function that asks for another Region gets this one. */
  readonly region: string
}

/** An error in DynamoDB's format; `fields` may hold an Item or CancellationReasons. */
export function dynamodbError(type: string, message: string, statusCode = 400, fields: object = {}): Reply {
  const __type = `com.amazonaws.dynamodb.v20120810#${type}`
  const headers = { 'content-type': 'application/x-amz-json-1.0' }
  return { statusCode, headers, body: JSON.stringify({ __type, message, ...fields }) }
}

export async function startDynamoDBProxy(options: DynamoDBProxyOptions): Promise<LoopbackServer> {
  const { dynamodbEndpoint, region, accessKey, intercept, requestOf } = options
  const upstream = new Upstream(dynamodbEndpoint)
  const server = await startLoopbackServer({
    accessKey,
    refusal: dynamodbError('UnrecognizedClientException', UNKNOWN_CALLER),
    failure: (error) => dynamodbError('InternalServerError', String(error), 500),
    answer: async (received) => {
      const request = { ...received, headers: signedFor(region, received.headers) }
      const reply = await intercept(callOf(request, requestOf(request.headers)), (body) =>
        upstream.send(body === undefined ? request : { ...request, body: JSON.stringify(body) }),
      )
      return reply === 'hangUp' ? reply : withChecksum(reply)
    },
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

/** Corrects the checksum, because an interceptor may have changed the body. */
function withChecksum(reply: Reply): Reply {
  if (reply.headers['x-amz-crc32'] === undefined) return reply
  return { ...reply, headers: { ...reply.headers, 'x-amz-crc32': String(crc32(reply.body)) } }
}

/** How long `close` waits for a server that does not answer. */
const CLOSE_TIMEOUT_MS = 2_000

/** Headers of one connection or one encoding of the body. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'transfer-encoding', 'host'],
  ...['content-length', 'content-encoding', 'accept-encoding'],
]

class Upstream {
  readonly #endpoint: string
  readonly #pending = new Set<Promise<Reply>>()
  readonly #aborting = new AbortController()
  #closed = false

  constructor(endpoint: string) {
    this.#endpoint = endpoint
  }

  /** @throws Error if the server cannot be reached, or after `close` */
  async send(request: Received): Promise<Reply> {
    if (this.#closed) throw new Error(`${this.#endpoint} cannot be reached: the host has stopped`)
    const reply = this.#exchange(request).finally(() => this.#pending.delete(reply))
    this.#pending.add(reply)
    return reply
  }

  async #exchange({ method, path, headers, body }: Received): Promise<Reply> {
    const init = { method, headers: endToEnd(Object.entries(headers)), body, signal: this.#aborting.signal }
    const response = await fetch(new URL(path, this.#endpoint), init).catch((error: Error) => {
      throw error.cause ?? error
    })
    return { statusCode: response.status, headers: endToEnd(response.headers), body: await response.text() }
  }

  /** Settles when the pending requests are answered, or at the time-out. */
  async close(): Promise<void> {
    this.#closed = true
    const tooLate = sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })
    await Promise.race([Promise.allSettled(this.#pending), tooLate])
    this.#aborting.abort()
  }
}

const endToEnd = (headers: Iterable<readonly [string, string]>): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => !HOP_BY_HOP.includes(name)))
