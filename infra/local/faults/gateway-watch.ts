/** What the gateway answers, seen on the wire where no fault can hide it: for progress, and for the line of each tick. */
import type { Money } from '../../../functions/billing/money.ts'
import type { Interceptor, Reply } from '../host/interceptor.ts'

export interface GatewayWatch {
  readonly intercept: Interceptor
  tickStarts(): void
  /** Business units of this tick that the gateway has charged or declined, each counted once. */
  answered(): number
  /** The money that moved at this tick. */
  charges(): readonly Money[]
  /** Answers of this run that the gateway gave from what it had stored. */
  replayedRequests(): number
}

export function watchGateway(): GatewayWatch {
  let answered = new Set<string>()
  let charges: Money[] = []
  let replayedRequests = 0

  const intercept: Interceptor = async (call, forward) => {
    const reply = await forward()
    const { method, body: form } = call.body
    if (call.service !== 'lambda' || method !== 'POST' || typeof form !== 'string') return reply
    const { statusCode, headers } = fieldsOf(parsed(reply))
    if (statusCode !== 200 && statusCode !== 402) return reply
    const order = new URLSearchParams(form)
    answered.add(unitOf(order))
    if (fieldsOf(headers)['idempotent-replayed'] === 'true') replayedRequests += 1
    else if (statusCode === 200) charges.push(moneyOf(order))
    return reply
  }

  return {
    intercept,
    tickStarts: () => {
      answered = new Set()
      charges = []
    },
    answered: () => answered.size,
    charges: () => charges,
    replayedRequests: () => replayedRequests,
  }
}

/** A period is tried again under a higher `dunned` only at a later tick. */
const unitOf = (order: URLSearchParams): string =>
  JSON.stringify(['customer', 'metadata[plan]', 'metadata[period]'].map((param) => order.get(param)))

const moneyOf = (order: URLSearchParams): Money => ({
  amountMinor: Number(order.get('amount')),
  currency: (order.get('currency') ?? '').toUpperCase(),
})

function parsed({ body }: Reply): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}
