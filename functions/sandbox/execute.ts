/** What executing a request comes to, decided before anything is written. Pure. */
import { createHash } from 'node:crypto'
import type { GatewayResponse } from '../billing/transports.ts'
import { charged, declined, failed } from './answers.ts'
import type { Result } from './cards.ts'
import type { Order } from './requests.ts'
import type { Execution, SandboxIntent } from './store.ts'

/** One request under a key. */
export interface Asked {
  readonly key: string
  readonly order: Order
  /** The order as it was sent. */
  readonly body: string
  /** Wall clock, epoch ms. */
  readonly nowMs: number
  /** How many payment intents were made under the key before. */
  readonly earlierIntents: number
}

/** @returns what to store; the answer is in it, except that of a request which is lost on its way */
export function execute(asked: Asked, result: Result | undefined): Execution {
  const { key, order, body, nowMs } = asked
  const { customer, plan, period, dunned } = order
  const request = { customer, key, plan, period, dunned, request: body, sinceMs: nowMs }
  if (result === undefined) return request
  if (result.kind === 'failed') return { ...request, ...stored(failed()) }
  const intent = intentOf(asked, result.kind === 'charged' ? 'succeeded' : 'requires_payment_method')
  const answer = result.kind === 'charged' ? charged(intent, customer) : declined(intent, customer, result.declineCode)
  return { ...request, ...stored(answer), intent }
}

function intentOf({ key, order, nowMs, earlierIntents }: Asked, status: string): SandboxIntent {
  const { customer, amount, currency, metadata } = order
  // The same id whenever the same thing is done again: a run can be repeated and compared.
  const hash = createHash('sha256').update(JSON.stringify([customer, key, earlierIntents]))
  const id = `pi_${hash.digest('hex').slice(0, 24)}`
  return { id, status, amount, currency, created: Math.floor(nowMs / 1000), metadata }
}

function stored({ statusCode, body }: GatewayResponse): Pick<Execution, 'statusCode' | 'body'> {
  return { statusCode, body }
}
