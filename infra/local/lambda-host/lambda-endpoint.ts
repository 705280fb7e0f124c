/**
 * Lambda's Invoke API, for functions that invoke each other: synchronous invocations of the functions of one host.
 * Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
import { randomUUID } from 'node:crypto'
import type { LambdaFunction } from '../stack/template.ts'
import { isSignedWith, UNKNOWN_CALLER } from './caller.ts'
import type { Ending } from './environment.ts'
import type { Interceptor, Reply } from './interceptor.ts'
import { type LoopbackServer, type Received, startLoopbackServer } from './loopback-server.ts'

export interface LambdaEndpointOptions {
  /** What requests must be signed with. */
  readonly accessKey: string
  readonly functions: readonly LambdaFunction[]
  readonly run: (lambda: LambdaFunction, event: unknown, requestId: string) => Promise<Ending>
  readonly intercept?: Interceptor | undefined
  /** The request id of the invocation that sent a request with these headers. */
  readonly requestOf: (headers: Readonly<Record<string, string>>) => string
}

/** An error as Lambda's API tells it. */
export function lambdaError(statusCode: number, type: string, message: string): Reply {
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': type }
  return { statusCode, headers, body: JSON.stringify({ Type: 'User', Message: message }) }
}

export async function startLambdaEndpoint(options: LambdaEndpointOptions): Promise<LoopbackServer> {
  const { accessKey, functions, run, requestOf, intercept } = options

  const answer = async (request: Received): Promise<Reply | 'hangUp'> => {
    const asked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.path)?.[1]
    if (asked === undefined || request.method !== 'POST') {
      const message = `Only Invoke is answered here, not ${request.method} ${request.path}`
      return lambdaError(404, 'UnknownOperationException', message)
    }
    const name = decodeURIComponent(asked)
    const lambda = functions.find((known) => known.name === name || known.arn === name)
    if (lambda === undefined) return lambdaError(404, 'ResourceNotFoundException', `Function not found: ${name}`)
    const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse'
    if (type !== 'RequestResponse') {
      const message = `The invocation type ${type} is not known here, only RequestResponse is`
      return lambdaError(400, 'InvalidParameterValueException', message)
    }
    const event = objectOf(request.body)
    if (event === undefined) {
      return lambdaError(400, 'InvalidRequestContentException', 'An event must be a JSON object here')
    }
    const forward = async (body: unknown = event): Promise<Reply> => {
      const requestId = randomUUID()
      return replyOf(await run(lambda, body, requestId), requestId)
    }
    if (intercept === undefined) return forward()
    const requestId = requestOf(request.headers)
    return intercept({ service: 'lambda', operation: 'Invoke', target: lambda.name, body: event, requestId }, forward)
  }

  return startLoopbackServer({
    refuse: ({ headers }) =>
      isSignedWith(accessKey, headers) ? undefined : lambdaError(403, 'UnrecognizedClientException', UNKNOWN_CALLER),
    answer: async (request) => {
      try {
        return await answer(request)
      } catch (error) {
        return lambdaError(500, 'ServiceException', String(error))
      }
    },
  })
}

function replyOf(ending: Ending, requestId: string): Reply {
  const headers = {
    'content-type': 'application/json',
    'x-amzn-requestid': requestId,
    'x-amz-executed-version': '$LATEST',
  }
  // Not even a function that threw is an error of Invoke.
  if (ending.ok) return { statusCode: 200, headers, body: JSON.stringify(ending.value) }
  return {
    statusCode: 200,
    headers: { ...headers, 'x-amz-function-error': 'Unhandled' },
    body: JSON.stringify(ending.error),
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
