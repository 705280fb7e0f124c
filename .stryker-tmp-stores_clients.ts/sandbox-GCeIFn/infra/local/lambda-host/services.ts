/**
 * The services that the functions of a run reach, at one address: DynamoDB, whose requests go on to DynamoDB Local, and
 * Lambda's Invoke API, asynchronous only for a function that invokes itself. An interceptor decides what happens to
 * each request.
 * Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
// @ts-nocheck

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseJson } from '../../../functions/election/json.ts'
import { signedFor } from './credentials.ts'
import type { Ending } from './environment.ts'
import type { Interceptor, Reply } from './interceptor.ts'
import type { LambdaFunction } from './lambda-function.ts'
import { type LoopbackServer, type Received, startLoopbackServer } from './loopback.ts'

export interface ServicesOptions {
  readonly dynamodbEndpoint: string
  /** Of the tables. A function that asks for another Region gets this one. */
  readonly region: string
  readonly accessKey: string
  readonly functions: readonly LambdaFunction[]
  readonly intercept: Interceptor
  readonly run: (lambda: LambdaFunction, event: unknown, requestId: string) => Promise<Ending>
  /** Runs the function of the request again, later. False if that is another one. @default refused */
  readonly continueSelf?: (requestId: string, functionName: string, event: unknown) => boolean
  /** The request id of the invocation that sent a request with these headers. */
  readonly requestOf: (headers: Received['headers']) => string
}

export async function startServices(options: ServicesOptions): Promise<LoopbackServer> {
  const upstream = upstreamAt(options.dynamodbEndpoint)
  const server = await startLoopbackServer({
    accessKey: options.accessKey,
    answer: (request) => (isForDynamoDB(request) ? sendOn(request, upstream, options) : invoke(request, options)),
    failure: (request, type, message, statusCode) =>
      (isForDynamoDB(request) ? dynamodbError : lambdaError)(type, message, statusCode),
  })
  return {
    url: server.url,
    stop: async () => {
      await server.stop()
      await upstream.close()
    },
  }
}

const isForDynamoDB = ({ headers }: Pick<Received, 'headers'>) => headers['x-amz-target'] !== undefined

/** An error in DynamoDB's format; `fields` may hold an Item or CancellationReasons. */
export function dynamodbError(type: string, message: string, statusCode = 400, fields: object = {}): Reply {
  const __type = `com.amazonaws.dynamodb.v20120810#${type}`
  const headers = { 'content-type': 'application/x-amz-json-1.0' }
  return { statusCode, headers, body: JSON.stringify({ __type, message, ...fields }) }
}

function lambdaError(type: string, message: string, statusCode: number): Reply {
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': type }
  return { statusCode, headers, body: JSON.stringify({ Type: 'User', Message: message }) }
}

async function sendOn(received: Received, upstream: Upstream, { region, intercept, requestOf }: ServicesOptions) {
  const request = { ...received, headers: signedFor(region, received.headers) }
  const [, operation = ''] = /^DynamoDB_\d+\.(\w+)$/.exec(request.headers['x-amz-target'] ?? '') ?? []
  const input: Record<string, unknown> = JSON.parse(request.body)
  const target = typeof input['TableName'] === 'string' ? input['TableName'] : ''
  const call = { service: 'dynamodb', operation, target, body: input, requestId: requestOf(request.headers) } as const
  return intercept(call, (body) =>
    upstream.send(body === undefined ? request : { ...request, body: JSON.stringify(body) }),
  )
}

async function invoke({ method, path, headers, body }: Received, options: ServicesOptions): Promise<Reply | 'hangUp'> {
  const { functions, run, requestOf, intercept, continueSelf = () => false } = options
  const asked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(path)?.[1]
  const type = headers['x-amz-invocation-type'] ?? 'RequestResponse'
  if (asked === undefined || method !== 'POST' || !['RequestResponse', 'Event'].includes(type)) {
    const message = `Only invocations are supported here, not ${method} ${path} of type ${type}`
    return lambdaError('UnknownOperationException', message, 404)
  }
  const name = decodeURIComponent(asked)
  const lambda = functions.find((known) => known.name === name || known.arn === name)
  if (lambda === undefined) return lambdaError('ResourceNotFoundException', `Function not found: ${name}`, 404)
  const event = body === '' ? {} : parseJson(body)
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    return lambdaError('InvalidRequestContentException', 'Here an event must be a JSON object', 400)
  }
  const requestId = requestOf(headers)
  const call = { service: 'lambda', operation: 'Invoke', target: lambda.name, body: { ...event }, requestId } as const
  return intercept(call, async (changed = call.body) => {
    if (type === 'Event') {
      if (continueSelf(requestId, lambda.name, changed)) return { statusCode: 202, headers: {}, body: '' }
      const message = `Here a function may invoke only itself asynchronously, not ${name}`
      return lambdaError('AccessDeniedException', message, 403)
    }
    const invoked = randomUUID()
    const ending = await run(lambda, changed, invoked)
    const error = ending.ok ? {} : { 'x-amz-function-error': 'Unhandled' } // a function throws: no error of Invoke
    const common = { 'content-type': 'application/json', 'x-amzn-requestid': invoked }
    const replied = { ...common, 'x-amz-executed-version': '$LATEST', ...error }
    return { statusCode: 200, headers: replied, body: JSON.stringify(ending.ok ? ending.value : ending.error) }
  })
}

/** How long `close` waits for a server that does not answer. */
const CLOSE_TIMEOUT_MS = 2_000

/** Headers of one connection or one encoding of the body. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'transfer-encoding', 'host'],
  ...['content-length', 'content-encoding', 'accept-encoding'],
]

type Upstream = ReturnType<typeof upstreamAt>

function upstreamAt(endpoint: string) {
  const pending = new Set<Promise<Reply>>()
  const [closing, aborting] = [new AbortController(), new AbortController()]
  /** @throws Error if the server cannot be reached, or after `close` */
  const send = async ({ method, path, headers, body }: Received): Promise<Reply> => {
    if (closing.signal.aborted) throw new Error(`${endpoint} cannot be reached: the host has stopped`)
    const init = { method, headers: endToEnd(Object.entries(headers)), body, signal: aborting.signal }
    const reply = fetch(new URL(path, endpoint), init).then(
      async (got) => ({ statusCode: got.status, headers: endToEnd(got.headers), body: await got.text() }),
      (error: Error) => Promise.reject(error.cause ?? error),
    )
    pending.add(reply)
    return reply.finally(() => pending.delete(reply))
  }
  /** Settles when the pending requests are answered, or at the time-out. */
  const close = async (): Promise<void> => {
    closing.abort()
    await Promise.race([Promise.allSettled(pending), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    aborting.abort()
  }
  return { send, close }
}

const endToEnd = (headers: Iterable<readonly [string, string]>): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => !HOP_BY_HOP.includes(name)))
