/** Requests to the sandbox. */
import type { GatewayRequest, GatewayResponse } from '../../functions/sandbox/message.ts'

export const CARD = {
  charged: '4242424242424242',
  declined: '4000000000000002',
  withoutFunds: '4000000000009995',
  lostOnItsWay: '4000000000005001',
  toldAFailure: '4000000000005019',
  answeredLate: '4000000000005027',
  failing: '4000000000005035',
} as const

/** An order of 19.99 € by `cus_1` with this card; `undefined` leaves a parameter out. */
export function orderWith(card: string, changes: Record<string, string | undefined> = {}): string {
  const order: Record<string, string | undefined> = {
    amount: '1999',
    currency: 'eur',
    customer: 'cus_1',
    payment_method: `card_${card}`,
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
