/**
 * Lambda's Invoke API for the functions of one host: synchronous invocations only.
 * Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
import { randomUUID } from 'node:crypto'
import { parseJson } from '../../../functions/election/json.ts'
import { UNKNOWN_CALLER } from './credentials.ts'
import type { Ending } from './environment.ts'
import type { Reply } from './interceptor.ts'
import type { LambdaFunction } from './lambda-function.ts'
import { type EndpointOptions, type LoopbackServer, type Received, startLoopbackServer } from './loopback.ts'

export interface LambdaEndpointOptions extends EndpointOptions {
  readonly functions: readonly LambdaFunction[]
  readonly run: (lambda: LambdaFunction, event: unknown, requestId: string) => Promise<Ending>
}

function lambdaError(statusCode: number, type: string, message: string): Reply {
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': type }
  return { statusCode, headers, body: JSON.stringify({ Type: 'User', Message: message }) }
}

export function startLambdaEndpoint(options: LambdaEndpointOptions): Promise<LoopbackServer> {
  return startLoopbackServer({
    accessKey: options.accessKey,
    refusal: lambdaError(403, 'UnrecognizedClientException', UNKNOWN_CALLER),
    failure: (error) => lambdaError(500, 'ServiceException', String(error)),
    answer: (request) => answer(request, options),
  })
}

async function answer(request: Received, options: LambdaEndpointOptions): Promise<Reply | 'hangUp'> {
  const { functions, run, requestOf, intercept } = options
  const asked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.path)?.[1]
  if (asked === undefined || request.method !== 'POST') {
    const message = `Only Invoke is supported here, not ${request.method} ${request.path}`
    return lambdaError(404, 'UnknownOperationException', message)
  }
  const name = decodeURIComponent(asked)
  const lambda = functions.find((known) => known.name === name || known.arn === name)
  if (lambda === undefined) return lambdaError(404, 'ResourceNotFoundException', `Function not found: ${name}`)
  const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse'
  if (type !== 'RequestResponse') {
    const message = `The invocation type ${type} is not supported here, only RequestResponse`
    return lambdaError(400, 'InvalidParameterValueException', message)
  }
  const event = objectOf(request.body)
  if (event === undefined) {
    return lambdaError(400, 'InvalidRequestContentException', 'Here an event must be a JSON object')
  }
  const requestId = requestOf(request.headers)
  const call = { service: 'lambda', operation: 'Invoke', target: lambda.name, body: event, requestId } as const
  return intercept(call, async (body = event) => {
    const invoked = randomUUID()
    return replyOf(await run(lambda, body, invoked), invoked)
  })
}

/** A function that throws is not an error of Invoke. */
function replyOf(ending: Ending, requestId: string): Reply {
  const headers = {
    'content-type': 'application/json',
    'x-amzn-requestid': requestId,
    'x-amz-executed-version': '$LATEST',
    ...(ending.ok ? {} : { 'x-amz-function-error': 'Unhandled' }),
  }
  return { statusCode: 200, headers, body: JSON.stringify(ending.ok ? ending.value : ending.error) }
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = text === '' ? {} : parseJson(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}
