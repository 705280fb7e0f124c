/** Counts the gateway's answers on the wire, behind all faults, for the progress of a tick. */
import { parseJson, property } from '../../../functions/json.ts'
import type { Interceptor } from '../lambda-host/interceptor.ts'

export class GatewayWatch {
  #answered = new Set<string>()
  #replayedRequests = 0

  readonly intercept: Interceptor = async (call, forward) => {
    const reply = await forward()
    const { method, body: form } = call.body
    if (call.service !== 'lambda' || method !== 'POST' || typeof form !== 'string') return reply
    const response = parseJson(reply.body)
    const statusCode = property(response, 'statusCode')
    if (statusCode !== 200 && statusCode !== 402) return reply
    this.#answered.add(unitOf(new URLSearchParams(form)))
    if (property(property(response, 'headers'), 'idempotent-replayed') === 'true') this.#replayedRequests += 1
    return reply
  }

  tickStarts(): void {
    this.#answered = new Set()
  }

  /** How many business units of this tick the gateway has charged or declined. */
  answered(): number {
    return this.#answered.size
  }

  /** How many answers of the whole run the gateway repeated from its store. */
  replayedRequests(): number {
    return this.#replayedRequests
  }
}

/** Without `dunned`: a period is charged again under a higher one only at a later tick. */
const unitOf = (order: URLSearchParams): string =>
  JSON.stringify(['customer', 'metadata[plan]', 'metadata[period]'].map((param) => order.get(param)))
