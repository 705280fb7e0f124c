/** What the gateway answers, seen on the wire where no fault can hide it: for progress. */
import { parseJson, property } from '../../../functions/election/json.ts'
import type { Interceptor } from '../lambda-host/interceptor.ts'

export interface GatewayWatch {
  readonly intercept: Interceptor
  tickStarts(): void
  /** Business units of this tick that the gateway has charged or declined, each counted once. */
  answered(): number
  /** Answers of this run that the gateway gave from what it had stored. */
  replayedRequests(): number
}

export function watchGateway(): GatewayWatch {
  let answered = new Set<string>()
  let replayedRequests = 0

  const intercept: Interceptor = async (call, forward) => {
    const reply = await forward()
    const { method, body: form } = call.body
    if (call.service !== 'lambda' || method !== 'POST' || typeof form !== 'string') return reply
    const response = parseJson(reply.body)
    const statusCode = property(response, 'statusCode')
    if (statusCode !== 200 && statusCode !== 402) return reply
    const order = new URLSearchParams(form)
    answered.add(unitOf(order))
    if (property(property(response, 'headers'), 'idempotent-replayed') === 'true') replayedRequests += 1
    return reply
  }

  return {
    intercept,
    tickStarts: () => {
      answered = new Set()
    },
    answered: () => answered.size,
    replayedRequests: () => replayedRequests,
  }
}

/** A period is tried again under a higher `dunned` only at a later tick. */
const unitOf = (order: URLSearchParams): string =>
  JSON.stringify(['customer', 'metadata[plan]', 'metadata[period]'].map((param) => order.get(param)))
