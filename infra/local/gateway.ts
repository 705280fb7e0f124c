/**
 * A payment gateway for local runs. It treats `Idempotency-Key` as Stripe does (Stripe API reference, "Idempotent
 * requests") and keeps its own count of charges, so that a run can be judged by somebody who does not know the ledger.
 *
 * - The same key with the same body gets the stored answer, declines and failures too, with `Idempotent-Replayed: true`.
 * - The same key with another body: 422. The same key while the first request is in work: 409.
 * - Requests that fail validation, and keys older than the window, are not remembered.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** A charge that is asked for. */
export interface ChargeRequest {
  readonly key: string
  readonly customer: string
  readonly plan: string
  readonly period: string
  readonly amountMinor: number
  readonly currency: string
}

/** A charge that succeeded. */
export interface Charge extends ChargeRequest {
  readonly id: string
}

/** `declined` and `failed` answer 402 and 500, kept under the key; `unavailable` answers 503 and keeps nothing. */
export type Decision = 'charged' | 'declined' | 'failed' | 'unavailable'

export interface GatewayOptions {
  /** @default 0, any free port */
  readonly port?: number
  /** @default every request is charged */
  readonly decide?: (request: ChargeRequest) => Decision
  /** Runs after the money has moved and before the client hears of it: the worst moment for the client to die. */
  readonly beforeReply?: (request: ChargeRequest) => Promise<void>
  /** Whether to close the connection in place of an answer; `nth` counts the requests with this key from 1. @default never */
  readonly loseReply?: (request: ChargeRequest, nth: number) => boolean
  /** How long a charge takes, in milliseconds. @default 0 */
  readonly delayMs?: number
  /** How long a key is remembered, in milliseconds. @default 24 hours */
  readonly keyWindowMs?: number
  /** Wall clock, epoch ms. @default Date.now */
  readonly now?: () => number
}

export interface LocalGateway {
  readonly url: string
  charges(): readonly Charge[]
  /** Requests answered from what was stored. */
  replayedRequests(): number
  /** Charges of one (customer, plan, period) beyond the first, whatever their keys. */
  duplicateCharges(): number
  stop(): Promise<void>
}

interface Reply {
  readonly statusCode: number
  readonly body: unknown
}

interface Remembered {
  readonly body: string
  readonly sinceMs: number
  requests: number
  reply?: Reply
}

const DAY_MS = 86_400_000
const MAX_BODY_BYTES = 64 * 1024

/** Starts the gateway on 127.0.0.1. @throws what `listen` reports, such as EADDRINUSE for a port in use */
export async function startGateway(options: GatewayOptions = {}): Promise<LocalGateway> {
  const { port = 0, keyWindowMs = DAY_MS, now = Date.now, delayMs = 0 } = options
  const charges: Charge[] = []
  const keys = new Map<string, Remembered>()
  let replayedRequests = 0

  async function charge(key: string, body: string, response: ServerResponse): Promise<void> {
    const request = readCharge(key, body)
    if ('statusCode' in request) return send(response, request)
    const known = keys.get(key)
    if (known !== undefined && now() - known.sinceMs < keyWindowMs) {
      known.requests++
      if (known.body !== body) return send(response, problem(422, 'idempotency_key_reused'))
      if (known.reply === undefined) return send(response, problem(409, 'idempotency_key_in_use'))
      replayedRequests++
      response.setHeader('idempotent-replayed', 'true')
      return send(response, known.reply, options.loseReply?.(request, known.requests))
    }
    const remembered: Remembered = { body, sinceMs: now(), requests: 1 }
    keys.set(key, remembered)
    if (delayMs > 0) await sleep(delayMs)
    const decision = options.decide?.(request) ?? 'charged'
    if (decision === 'unavailable') {
      keys.delete(key)
      return send(response, problem(503, 'unavailable'))
    }
    const reply = decide(request, decision)
    try {
      await options.beforeReply?.(request)
    } finally {
      remembered.reply = reply
    }
    send(response, reply, options.loseReply?.(request, 1))
  }

  function decide(request: ChargeRequest, decision: Exclude<Decision, 'unavailable'>): Reply {
    if (decision === 'declined') return problem(402, 'card_declined')
    if (decision === 'failed') return problem(500, 'internal_error')
    const charged = { id: `ch_${String(charges.length + 1).padStart(6, '0')}`, ...request }
    charges.push(charged)
    return { statusCode: 201, body: charged }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (url.pathname !== '/charges') return send(response, problem(404, 'not_found'))
    if (request.method === 'GET') {
      const asked = (charge: Charge) => unitOf(charge) === unitOf(Object.fromEntries(url.searchParams))
      return send(response, { statusCode: 200, body: { charges: charges.filter(asked) } })
    }
    if (request.method !== 'POST') return send(response, problem(405, 'method_not_allowed'))
    const key = request.headers['idempotency-key']
    if (typeof key !== 'string' || key === '')
      return send(response, problem(400, 'parameter_missing', 'Idempotency-Key'))
    const body = await readBody(request)
    if (body === undefined) return send(response, problem(413, 'body_too_large'))
    await charge(key, body, response)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => send(response, problem(500, 'internal_error')))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The gateway has no TCP port to listen on')

  return {
    url: `http://127.0.0.1:${address.port}`,
    charges: () => charges,
    replayedRequests: () => replayedRequests,
    duplicateCharges: () => charges.length - new Set(charges.map(unitOf)).size,
    stop: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}

function unitOf({ customer, plan, period }: Partial<ChargeRequest>): string {
  return JSON.stringify([customer, plan, period])
}

/** What the body asks for, or the reply that says what is wrong with it. */
function readCharge(key: string, body: string): ChargeRequest | Reply {
  let fields: unknown
  try {
    fields = JSON.parse(body)
  } catch {
    return problem(400, 'invalid_json')
  }
  if (typeof fields !== 'object' || fields === null) return problem(400, 'invalid_json')
  const { customer, plan, period, amountMinor, currency }: Record<string, unknown> = { ...fields }
  if (typeof customer !== 'string' || customer === '') return problem(400, 'parameter_invalid', 'customer')
  if (typeof plan !== 'string' || plan === '') return problem(400, 'parameter_invalid', 'plan')
  if (typeof period !== 'string' || period === '') return problem(400, 'parameter_invalid', 'period')
  if (typeof amountMinor !== 'number' || !Number.isSafeInteger(amountMinor) || amountMinor <= 0) {
    return problem(400, 'parameter_invalid', 'amountMinor')
  }
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) return problem(400, 'parameter_invalid', 'currency')
  return { key, customer, plan, period, amountMinor, currency }
}

function problem(statusCode: number, code: string, param?: string): Reply {
  return { statusCode, body: { error: param === undefined ? { code } : { code, param } } }
}

function send(response: ServerResponse, { statusCode, body }: Reply, lost = false): void {
  // The client may be gone, or killed on purpose.
  if (lost || response.destroyed) {
    response.destroy()
    return
  }
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk)
    bytes += buffer.length
    if (bytes > MAX_BODY_BYTES) return undefined
    chunks.push(buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}
