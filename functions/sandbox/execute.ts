/** What a request to charge does: decided here, then stored in one write. Pure. */
import { createHash } from 'node:crypto'
import { charged, declined, failed } from './answers.ts'
import type { Result } from './cards.ts'
import type { Order } from './requests.ts'
import type { Execution, SandboxIntent } from './store.ts'

/** One request to charge under an idempotency key. */
export interface ChargeRequest {
  readonly key: string
  readonly order: Order
  /** The order as it was sent. */
  readonly body: string
  /** Wall clock, epoch ms. */
  readonly nowMs: number
  /** How many payment intents earlier requests of the key made. */
  readonly earlierIntents: number
}

/**
 * @param result undefined if the request is lost before anything happens
 * @returns the row to store, with the answer if there is one
 */
export function execute(request: ChargeRequest, result: Result | undefined): Execution {
  const { key, order, body, nowMs } = request
  const { customer, plan, period, dunned } = order
  const row = { customer, key, plan, period, dunned, request: body, sinceMs: nowMs }
  if (result === undefined) return row
  if (result.kind === 'failed') return { ...row, statusCode: failed().statusCode, body: failed().body }
  const intent = intentOf(request, result.kind === 'charged' ? 'succeeded' : 'requires_payment_method')
  const answer = result.kind === 'charged' ? charged(intent, customer) : declined(intent, customer, result.declineCode)
  return { ...row, statusCode: answer.statusCode, body: answer.body, intent }
}

function intentOf({ key, order, nowMs, earlierIntents }: ChargeRequest, status: string): SandboxIntent {
  const { customer, amount, currency, metadata } = order
  // Deterministic, so that two runs with the same requests can be compared.
  const hash = createHash('sha256').update(JSON.stringify([customer, key, earlierIntents]))
  const id = `pi_${hash.digest('hex').slice(0, 24)}`
  return { id, status, amount, currency, created: Math.floor(nowMs / 1000), metadata }
}
