/**
 * A fake payment gateway. It speaks the part of Stripe's PaymentIntents API that billing uses, treats idempotency keys
 * as Stripe does, and fails on demand: see cards.ts.
 *
 * - The same key with the same body gets the stored answer, also a decline or a failure, with `idempotent-replayed:
 *   true`.
 * - The same key with another body gets an `idempotency_error`.
 * - A key expires after a window; the payment intents made under it stay, and the list finds them.
 * - An invalid request is not stored.
 *
 * A charge is decided and stored in one conditional write: of two concurrent requests with one key, one is executed and
 * the other gets its answer. (Stripe would answer 409 to the other until the first is done.)
 */
// @ts-nocheck

import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { cardOf, type Result } from './cards.ts'
import { type GatewayRequest, type GatewayResponse, gatewayRequest } from './message.ts'
import { InvalidRequest, type Order, readOrder, readSearch } from './requests.ts'
import type { SandboxIntent, SandboxRow, SandboxStore } from './store.ts'

export interface SandboxOptions {
  readonly store: SandboxStore
  /** How long an idempotency key is remembered, in milliseconds. @default 24 hours */
  readonly keyWindowMs?: number | undefined
  /** How long a late answer takes, in milliseconds. @default 8000 */
  readonly lateMs?: number | undefined
  readonly now?: (() => number) | undefined
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined
}

export type Sandbox = (request: GatewayRequest) => Promise<GatewayResponse>

const DAY_MS = 86_400_000
const PATH = '/v1/payment_intents'

export function sandbox(options: SandboxOptions): Sandbox {
  const { store, keyWindowMs = DAY_MS, lateMs = 8000, now = Date.now, sleep = setTimeout } = options

  async function charge({ body = '', headers }: GatewayRequest): Promise<GatewayResponse> {
    const key = headers['idempotency-key'] ?? ''
    if (key === '') throw new InvalidRequest('idempotency-key', 'parameter_missing')
    const order = readOrder(body)
    const card = cardOf(order.payment_method)
    if (card === undefined) throw new InvalidRequest('payment_method', 'resource_missing')

    let before: SandboxRow | undefined
    // Terminates: a row is found changed only if another request was executed in between.
    for (;;) {
      const nowMs = now()
      if (before?.statusCode !== undefined && nowMs - before.sinceMs < keyWindowMs) {
        if (before.request !== body) return answer(400, { error: { type: 'idempotency_error' } })
        return answer(before.statusCode, before.body ?? '', { 'idempotent-replayed': 'true' })
      }
      const { result, hidesResult, isLate } = before === undefined ? card.first : card.later
      const row = execute({ key, order, body, nowMs, earlier: before?.intents ?? [] }, result)
      const changed = await store.put(row, before)
      if (changed === undefined) {
        if (isLate) await sleep(lateMs)
        const { statusCode } = row
        return statusCode === undefined || hidesResult ? FAILED : answer(statusCode, row.body ?? '')
      }
      before = changed
    }
  }

  async function list({ query = {} }: GatewayRequest): Promise<GatewayResponse> {
    const { customer, limit, 'created[gte]': since, starting_after: startingAfter } = readSearch(query)
    const rows = await store.list(customer)
    const intents = rows.flatMap((row) => row.intents).toSorted((a, b) => b.created - a.created)
    const last = intents.findIndex(({ id }) => id === startingAfter)
    if (startingAfter !== undefined && last === -1) throw new InvalidRequest('starting_after', 'resource_missing')
    const rest = intents.slice(last + 1).filter(({ created }) => created >= since)
    const data = rest.slice(0, limit).map((intent) => rendered(intent, customer))
    return answer(200, { object: 'list', url: PATH, has_more: rest.length > limit, data })
  }

  return async (request) => {
    try {
      // The caller of a Lambda function can send it any event.
      if (!v.is(gatewayRequest, request)) throw new InvalidRequest('request', 'parameter_invalid')
      if (request.path !== PATH) return answer(404, { error: { type: 'invalid_request_error' } })
      return await (request.method === 'POST' ? charge(request) : list(request))
    } catch (error) {
      if (!(error instanceof InvalidRequest)) throw error
      return answer(400, { error: { type: 'invalid_request_error', code: error.code, param: error.param } })
    }
  }
}

interface ChargeRequest {
  readonly key: string
  readonly order: Order
  readonly body: string
  readonly nowMs: number
  /** The payment intents that earlier requests of the key made. */
  readonly earlier: readonly SandboxIntent[]
}

/**
 * @param result undefined if the request is lost before anything happens
 * @returns the row to store, with the answer if there is one
 */
function execute(request: ChargeRequest, result: Result | undefined): SandboxRow {
  const { key, order, body, nowMs, earlier } = request
  const { customer, plan, period, dunned } = order
  const row = { customer, key, plan, period, dunned, request: body, sinceMs: nowMs, intents: earlier }
  if (result === undefined) return row
  if (result.kind === 'failed') return { ...row, statusCode: FAILED.statusCode, body: FAILED.body }
  const intent = intentOf(request, result.kind === 'charged' ? 'succeeded' : 'requires_payment_method')
  const intents = [...earlier, intent]
  const shown = rendered(intent, customer)
  if (result.kind === 'charged') return { ...row, statusCode: 200, body: JSON.stringify(shown), intents }
  const reason = { type: 'card_error', code: 'card_declined', decline_code: result.declineCode }
  return { ...row, statusCode: 402, body: JSON.stringify({ error: { ...reason, payment_intent: shown } }), intents }
}

function intentOf({ key, order, nowMs, earlier }: ChargeRequest, status: string): SandboxIntent {
  const { customer, amount, currency, metadata } = order
  // Deterministic, so that two runs with the same requests can be compared.
  const hash = createHash('sha256').update(JSON.stringify([customer, key, earlier.length]))
  const id = `pi_${hash.digest('hex').slice(0, 24)}`
  return { id, status, amount, currency, created: Math.floor(nowMs / 1000), metadata }
}

const rendered = (intent: SandboxIntent, customer: string) => ({ object: 'payment_intent', ...intent, customer })

function answer(statusCode: number, body: object | string, headers: GatewayResponse['headers'] = {}): GatewayResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { statusCode, headers: { 'content-type': 'application/json', ...headers }, body: text }
}

const FAILED = answer(500, { error: { type: 'api_error' } })
