/** The sandbox's answers: the fields of Stripe's objects that billing and the tests read. Pure. */
import type { GatewayResponse } from './message.ts'
import type { InvalidRequest } from './requests.ts'
import type { SandboxIntent } from './store.ts'

const JSON_BODY = { 'content-type': 'application/json' }

export function charged(intent: SandboxIntent, customer: string): GatewayResponse {
  return answer(200, rendered(intent, customer))
}

export function declined(intent: SandboxIntent, customer: string, declineCode: string): GatewayResponse {
  const reason = { type: 'card_error', code: 'card_declined', decline_code: declineCode }
  return answer(402, { error: { ...reason, payment_intent: rendered(intent, customer) } })
}

export function failed(): GatewayResponse {
  return answer(500, { error: { type: 'api_error' } })
}

export function listed(intents: readonly SandboxIntent[], customer: string, hasMore: boolean): GatewayResponse {
  const data = intents.map((intent) => rendered(intent, customer))
  return answer(200, { object: 'list', url: '/v1/payment_intents', has_more: hasMore, data })
}

export function invalid({ param, code }: InvalidRequest): GatewayResponse {
  return answer(400, { error: { type: 'invalid_request_error', ...(code === undefined ? {} : { code }), param } })
}

export function unknownUrl(): GatewayResponse {
  return answer(404, { error: { type: 'invalid_request_error' } })
}

/** The idempotency key was used before, with another body. */
export function keyReused(): GatewayResponse {
  return answer(400, { error: { type: 'idempotency_error' } })
}

/** The first answer to an idempotency key. @param body as it was stored */
export function answered(statusCode: number, body: string): GatewayResponse {
  return { statusCode, headers: JSON_BODY, body }
}

/** The stored answer, given again. */
export function replayed(statusCode: number, body: string): GatewayResponse {
  return { statusCode, headers: { ...JSON_BODY, 'idempotent-replayed': 'true' }, body }
}

function answer(statusCode: number, body: object): GatewayResponse {
  return answered(statusCode, JSON.stringify(body))
}

function rendered(intent: SandboxIntent, customer: string) {
  return { object: 'payment_intent', ...intent, customer }
}
