/**
 * How a request reaches the gateway and its answer comes back: over HTTPS to a real one, or by invoking the sandbox. What
 * the answer means is not decided here, only whether there is one.
 */
import type { LambdaClient } from '@aws-sdk/client-lambda'
import { parseJson, property } from '../election/json.ts'
import type { ApiKey } from './api-key.ts'
import { connectionFailureOf } from './connection-failure.ts'
import { type GatewayCall, GatewayOutcomeUnknownError, GatewayRefusedError } from './gateway.ts'

/** Plain data, so that it can travel as an event too. Names of headers are in lower case. */
export interface GatewayRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface GatewayResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * @throws GatewayOutcomeUnknownError where no answer came
 * @throws GatewayRefusedError, ApiKeyError where the request surely never reached the gateway
 * @throws the reason of `signal` where that aborts first, and what `beforeSend` throws
 */
export type Transport = (request: GatewayRequest, leader: Leader) => Promise<GatewayResponse>

/** Whether the one who asks may still do so: every single send is an effect. */
export type Leader = Pick<GatewayCall, 'signal' | 'beforeSend'>

/** Only these say for sure that nothing was done; what any other status means is not known. */
export const REFUSALS: ReadonlySet<number> = new Set([400, 401, 402, 403, 404])

export interface HttpTransportOptions {
  /** What the path is put behind, with or without a slash at the end. */
  readonly url: string
  readonly apiKey: ApiKey
  /** From sending a request to the end of its answer; banks take their time. @default 20,000 */
  readonly timeoutMs?: number
}

export function httpTransport({ url, apiKey, timeoutMs = 20_000 }: HttpTransportOptions): Transport {
  const base = url.replace(/\/+$/, '')

  /**
   * Tries once more, at once, after a lost connection: while Lambda froze this process the gateway may have closed the
   * connection that is used first after the thaw, and the idempotency key makes the second try harmless. Not if the
   * first one has outlasted its time-out by the wall clock: this process was frozen in between, perhaps for longer than
   * the gateway remembers keys. Nor if it failed for a reason that stays: a redirect, a certificate, a name.
   */
  async function send(request: GatewayRequest, key: string, leader: Leader, lost = false): Promise<Sent> {
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
        // Followed, a redirect would send the charge, and the API key, to an address that is not configured.
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout]),
      })
      if (REDIRECTS.has(answer.status)) {
        await answer.body?.cancel()
        throw redirected(answer)
      }
      const response = {
        statusCode: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: await answer.text(),
      }
      return { response, lost }
    } catch (cause) {
      signal.throwIfAborted()
      if (cause instanceof GatewayOutcomeUnknownError) throw cause
      if (timeout.aborted) throw outcomeUnknown(`no answer within ${timeoutMs} ms`, cause)
      const { isPassing, words } = connectionFailureOf(cause)
      if (!isPassing) throw outcomeUnknown(lost ? `the connection failed, and then ${words}` : words, cause)
      if (lost) throw outcomeUnknown(`the connection failed twice; at last ${words}`, cause)
      if (Date.now() > deadlineMs) throw outcomeUnknown('the connection failed while this process slept', cause)
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
    // A refusal of the second try says nothing about the first, which may have charged before it was lost.
    if (lost && response.statusCode >= 400 && response.statusCode < 500 && response.statusCode !== 402) {
      throw outcomeUnknown(`the connection failed, and another try was answered ${response.statusCode}`)
    }
    return response
  }
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-15.4 */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * Whether the charge was made (303 may say so) is not known. The path and query of a redirect may hold secrets: they are not
 * shown.
 */
function redirected({ status, headers, url }: Response): GatewayOutcomeUnknownError {
  const location = headers.get('location')
  const address = location === null ? null : URL.parse(location, url)
  const isWeb = address?.protocol === 'https:' || address?.protocol === 'http:' // `javascript:`, `data:` have no host
  const target = isWeb ? ` to ${address.origin}` : ''
  return outcomeUnknown(`it answered ${status}, a redirect${target}, which is not followed; is the URL right?`)
}

/** `lost`: an earlier try was sent and its answer never seen. */
interface Sent {
  readonly response: GatewayResponse
  readonly lost: boolean
}

export interface LambdaTransportOptions {
  readonly functionName: string
  /** @default a client with 2 tries, made at the first request */
  readonly client?: Pick<LambdaClient, 'send'>
  /** From sending a request to the end of its answer, all tries together. @default 5000 */
  readonly timeoutMs?: number
}

/** Invokes a function that takes a {@link GatewayRequest} and returns a {@link GatewayResponse}; IAM decides who may. */
export function lambdaTransport({ functionName, client, timeoutMs = 5000 }: LambdaTransportOptions): Transport {
  let own: Pick<LambdaClient, 'send'> | undefined = client

  return async (request, { signal, beforeSend }) => {
    // Loaded where it is used: whoever pays through HTTPS does not pay for this at each cold start.
    const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda')
    own ??= new LambdaClient({
      // The second try is for a connection that Lambda's freezing of this process has cost.
      maxAttempts: 2,
      // Later than the time-out below, which is for all tries: the SDK would take its own for a reason to try again.
      requestHandler: { connectionTimeout: 1000, requestTimeout: 2 * timeoutMs, throwOnRequestTimeout: true },
    })
    signal.throwIfAborted()
    const timeout = AbortSignal.timeout(timeoutMs)
    const command = new InvokeCommand({
      FunctionName: functionName,
      InvocationType: 'RequestResponse',
      Payload: Buffer.from(JSON.stringify(request)),
    })
    let refusal: { readonly reason: unknown } | undefined
    command.middlewareStack.add(
      (next) => (args) => {
        try {
          beforeSend?.()
        } catch (reason) {
          refusal = { reason }
          throw reason
        }
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low' }, // behind the retries, so that it sees each of them
    )
    try {
      const { FunctionError, Payload } = await own.send(command, { abortSignal: AbortSignal.any([signal, timeout]) })
      if (FunctionError !== undefined) throw outcomeUnknown('its function failed')
      return readResponse(Payload?.transformToString() ?? '')
    } catch (cause) {
      signal.throwIfAborted()
      if (refusal !== undefined) throw refusal.reason
      if (timeout.aborted) throw outcomeUnknown(`no answer within ${timeoutMs} ms`, cause)
      throw invokeFailure(cause)
    }
  }
}

/**
 * Lambda's own 4xx (no permission, no such function) are given before the function runs, and the same request will be
 * refused again: a fault of the deployment, and surely no charge. Not so after a try that was lost, which may have run.
 */
function invokeFailure(cause: unknown): Error {
  if (cause instanceof GatewayOutcomeUnknownError) return cause
  if (!(cause instanceof Error)) return outcomeUnknown('the invocation failed', cause)
  const { httpStatusCode = 0, attempts = 0 } = metadataOf(cause)
  if (REFUSALS.has(httpStatusCode) && attempts === 1) return new GatewayRefusedError(httpStatusCode, ` (${cause.name})`)
  return outcomeUnknown(`the invocation failed (${cause.name})`, cause)
}

/** What the SDK notes on the errors that it throws. */
function metadataOf(error: Error & { readonly $metadata?: { httpStatusCode?: number; attempts?: number } }) {
  return error.$metadata ?? {}
}

function readResponse(payload: string): GatewayResponse {
  const answer = parseJson(payload)
  const statusCode = property(answer, 'statusCode')
  const body = property(answer, 'body')
  const headers = property(answer, 'headers')
  if (typeof statusCode !== 'number' || typeof body !== 'string' || typeof headers !== 'object' || headers === null) {
    throw outcomeUnknown('its function answered something else than a response')
  }
  const isText = (header: [string, unknown]): header is [string, string] => typeof header[1] === 'string'
  return { statusCode, headers: Object.fromEntries(Object.entries(headers).filter(isText)), body }
}

export function outcomeUnknown(why: string, cause?: unknown): GatewayOutcomeUnknownError {
  return new GatewayOutcomeUnknownError(`The outcome at the gateway is unknown: ${why}`, { cause })
}
