/**
 * Sends a request to the gateway: over HTTPS to a real one, or by invoking the sandbox's Lambda function. Returns the
 * answer without interpreting it; throws if there is none.
 */
// @ts-nocheck

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import * as v from 'valibot'
import { parseJson, property } from '../election/json.ts'
import { type GatewayRequest, type GatewayResponse, gatewayResponse } from '../sandbox/message.ts'
import type { ApiKey } from './api-key.ts'
import { type GatewayCall, GatewayOutcomeUnknownError, GatewayRefusedError } from './gateway.ts'

/**
 * @throws GatewayOutcomeUnknownError if no answer came
 * @throws GatewayRefusedError, ApiKeyError if the request surely never reached the gateway
 * @throws the reason of `signal` if it aborts first, and what `beforeSend` throws
 */
export type Transport = (request: GatewayRequest, leader: Leader) => Promise<GatewayResponse>

/** Checks before every send, retries too, that this process still leads. */
export type Leader = Pick<GatewayCall, 'signal' | 'beforeSend'>

/** Only these statuses mean for sure that nothing was charged. */
export const REFUSALS: ReadonlySet<number> = new Set([400, 401, 402, 403, 404])

/**
 * @param options.url the path of a request is appended; a slash at its end does not matter
 * @param options.timeoutMs from sending a request to the end of its answer; banks can be slow
 */
export function httpTransport(options: { url: string; apiKey: ApiKey; timeoutMs?: number }): Transport {
  const { url, apiKey, timeoutMs = 20_000 } = options
  const base = url.replace(/\/+$/, '')

  /**
   * Retries once, immediately, after a lost connection: the gateway may have closed an idle connection while Lambda
   * froze this process, and the idempotency key makes the second try harmless. Does not retry if the first try took
   * longer than its time-out: then this process was frozen meanwhile, perhaps until the gateway forgot the key. Does
   * not retry a permanent failure such as a redirect, a wrong certificate or an unknown host.
   *
   * @param lost an earlier try was sent, and its answer never came
   */
  async function send(
    request: GatewayRequest,
    key: string,
    leader: Leader,
    lost = false,
  ): Promise<{ readonly response: GatewayResponse; readonly lost: boolean }> {
    const { signal } = leader
    const timeout = AbortSignal.timeout(timeoutMs)
    const deadlineMs = Date.now() + timeoutMs
    const query = request.query === undefined ? '' : `?${new URLSearchParams(request.query)}`
    leader.beforeSend?.()
    try {
      const answer = await fetch(`${base}${request.path}${query}`, {
        method: request.method,
        headers: { ...request.headers, authorization: `Bearer ${key}` },
        ...(request.body === undefined ? {} : { body: request.body }),
        // Following a redirect would send the charge and the API key to an address that is not configured.
        redirect: 'error',
        signal: AbortSignal.any([signal, timeout]),
      })
      const { status: statusCode, headers } = answer
      return { response: { statusCode, headers: Object.fromEntries(headers), body: await answer.text() }, lost }
    } catch (cause) {
      signal.throwIfAborted()
      if (timeout.aborted) throw outcomeUnknown(`no answer within ${timeoutMs} ms`, cause)
      const { isTransient, description } = connectionFailureOf(cause)
      if (!isTransient) throw outcomeUnknown(lost ? `the connection failed, then ${description}` : description, cause)
      if (lost) throw outcomeUnknown(`the connection failed twice; the second time, ${description}`, cause)
      if (Date.now() > deadlineMs) throw outcomeUnknown('the connection failed while this process was frozen', cause)
      return send(request, key, leader, true)
    }
  }

  return async (request, leader) => {
    const key = await apiKey()
    let { response, lost } = await send(request, key, leader)
    if (response.statusCode === 401 && !lost) {
      // The key may have been rotated since it was read.
      const renewed = await apiKey({ renew: true })
      if (renewed !== key) ({ response, lost } = await send(request, renewed, leader))
    }
    // The second try was refused, but the first may have charged before its answer was lost.
    if (lost && response.statusCode >= 400 && response.statusCode < 500 && response.statusCode !== 402) {
      throw outcomeUnknown(`the connection failed, and the retry was answered ${response.statusCode}`)
    }
    return response
  }
}

/**
 * Codes of connections that broke, or could not be made this time; any other failure would be repeated by another try,
 * such as that of an unknown host, of a wrong certificate, or of an answer that is not HTTP.
 * https://nodejs.org/api/errors.html#common-system-errors
 * https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md
 */
const TRANSIENT: ReadonlySet<unknown> = new Set([
  ...'ECONNABORTED ECONNREFUSED ECONNRESET EAI_AGAIN EHOSTUNREACH ENETDOWN ENETUNREACH EPIPE ETIMEDOUT'.split(' '),
  ...'UND_ERR_CONNECT_TIMEOUT UND_ERR_SOCKET'.split(' '),
])

/** Why a `fetch` failed. `description` is for the end of a sentence. */
function connectionFailureOf(error: unknown) {
  const cause = property(error, 'cause') ?? error
  const code = property(cause, 'code')
  if (TRANSIENT.has(code)) return { isTransient: true, description: `the connection failed (${code})` }
  const reason = String(code ?? property(cause, 'message') ?? 'no reason given').slice(0, 100)
  return { isTransient: false, description: `the request failed (${reason}); is the URL right?` }
}

/**
 * Invokes a function that takes a {@link GatewayRequest} and returns a {@link GatewayResponse}; IAM decides who may.
 * @param options.timeoutMs from sending a request to the end of its answer, including all tries
 */
export function lambdaTransport(options: { functionName: string; timeoutMs?: number }): Transport {
  const { functionName, timeoutMs = 5000 } = options
  let client: LambdaClient | undefined

  return async (request, { signal, beforeSend }) => {
    client ??= new LambdaClient({
      // The second try is for a connection that was closed while Lambda froze this process.
      maxAttempts: 2,
      // Longer than the time-out below, which spans all tries: the SDK would retry after its own time-out.
      requestHandler: { connectionTimeout: 1000, requestTimeout: 2 * timeoutMs, throwOnRequestTimeout: true },
    })
    signal.throwIfAborted()
    const timeout = AbortSignal.timeout(timeoutMs)
    const command = new InvokeCommand({
      FunctionName: functionName,
      InvocationType: 'RequestResponse',
      Payload: Buffer.from(JSON.stringify(request)),
    })
    let notLeading: { readonly reason: unknown } | undefined
    command.middlewareStack.add(
      (next) => (args) => {
        try {
          beforeSend?.()
        } catch (reason) {
          notLeading = { reason }
          throw reason
        }
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low' }, // after the retry middleware: called for every try
    )
    try {
      const { FunctionError, Payload } = await client.send(command, { abortSignal: AbortSignal.any([signal, timeout]) })
      if (FunctionError !== undefined) throw outcomeUnknown('its function failed')
      return readResponse(Payload?.transformToString() ?? '')
    } catch (cause) {
      signal.throwIfAborted()
      if (notLeading !== undefined) throw notLeading.reason
      if (timeout.aborted) throw outcomeUnknown(`no answer within ${timeoutMs} ms`, cause)
      throw invokeFailure(cause)
    }
  }
}

/**
 * Lambda answers its own 4xx (no permission, no such function) before the function runs: the deployment is wrong, and
 * nothing was charged. After a lost try that is not sure: that try may have run the function.
 */
function invokeFailure(cause: unknown): Error {
  if (cause instanceof GatewayOutcomeUnknownError) return cause
  if (!(cause instanceof Error)) return outcomeUnknown('the invocation failed', cause)
  const metadata = property(cause, '$metadata') // the SDK adds it to its errors
  const statusCode = property(metadata, 'httpStatusCode')
  const isRefused = typeof statusCode === 'number' && REFUSALS.has(statusCode) && property(metadata, 'attempts') === 1
  if (isRefused) return new GatewayRefusedError(statusCode, ` (${cause.name})`)
  return outcomeUnknown(`the invocation failed (${cause.name})`, cause)
}

function readResponse(payload: string): GatewayResponse {
  const answer = parseJson(payload)
  if (!v.is(gatewayResponse, answer)) throw outcomeUnknown('its function did not return a response')
  return answer
}

export function outcomeUnknown(why: string, cause?: unknown): GatewayOutcomeUnknownError {
  return new GatewayOutcomeUnknownError(`The outcome at the gateway is unknown: ${why}`, { cause })
}
