/** Requests to the sandbox. */
// @ts-nocheck

import type { GatewayRequest, GatewayResponse } from '../../functions/sandbox/message.ts'

/** An order of 19.99 € by `cus_1` with this card; `undefined` leaves a parameter out. */
export function orderWith(card: string, changes: Record<string, string | undefined> = {}): string {
  const order: Record<string, string | undefined> = {
    amount: '1999',
    currency: 'eur',
    customer: 'cus_1',
    payment_method: card,
    confirm: 'true',
    off_session: 'true',
    'metadata[charge]': 'k1',
    'metadata[plan]': 'plus',
    'metadata[period]': '2024-01-31',
    'metadata[dunned]': '0',
    ...changes,
  }
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(order)) if (value !== undefined) form.set(name, value)
  return form.toString()
}

export function post(key: string, body: string): GatewayRequest {
  return { method: 'POST', path: '/v1/payment_intents', headers: { 'idempotency-key': key }, body }
}

export function list(query: Record<string, string>): GatewayRequest {
  return { method: 'GET', path: '/v1/payment_intents', headers: {}, query }
}

/** A response with its body parsed. */
export function read({ statusCode, headers, body }: GatewayResponse) {
  return { statusCode, replayed: headers['idempotent-replayed'] === 'true', body: JSON.parse(body) }
}
