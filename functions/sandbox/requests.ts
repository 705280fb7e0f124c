/** What a request asks for, or what is wrong with it. Pure. */

export interface Order {
  readonly amount: number
  readonly currency: string
  readonly customer: string
  readonly paymentMethod: string
  readonly plan: string
  readonly period: string
  readonly dunned: number
  readonly metadata: Readonly<Record<string, string>>
}

export interface Search {
  readonly customer: string
  readonly createdGte: number
  readonly limit: number
  readonly startingAfter: string | undefined
}

/** What the gateway says of a request that it does not execute. */
export class InvalidRequest {
  readonly param: string
  readonly code: string | undefined

  constructor(param: string, code?: string) {
    this.param = param
    this.code = code
  }
}

const METADATA = /^metadata\[(\w+)\]$/

/** @param form a body as browsers send forms */
export function readOrder(form: string): Order | InvalidRequest {
  const given = new URLSearchParams(form)
  const required = ['amount', 'currency', 'customer', 'payment_method', 'confirm', 'off_session']
  const ours = ['metadata[plan]', 'metadata[period]', 'metadata[dunned]']
  for (const param of [...required, ...ours]) {
    if ((given.get(param) ?? '') === '') return new InvalidRequest(param, 'parameter_missing')
  }
  // All that is sold here is paid at once, by somebody who is not there.
  for (const param of ['confirm', 'off_session']) if (given.get(param) !== 'true') return new InvalidRequest(param)
  const amount = wholeNumber(given.get('amount'))
  if (amount === undefined || amount === 0) return new InvalidRequest('amount', 'parameter_invalid_integer')
  const dunned = wholeNumber(given.get('metadata[dunned]'))
  if (dunned === undefined) return new InvalidRequest('metadata[dunned]')
  const text = (param: string) => given.get(param) ?? ''
  const currency = text('currency')
  if (!/^[a-z]{3}$/.test(currency)) return new InvalidRequest('currency')
  return {
    amount,
    currency,
    dunned,
    customer: text('customer'),
    paymentMethod: text('payment_method'),
    plan: text('metadata[plan]'),
    period: text('metadata[period]'),
    metadata: Object.fromEntries(
      Array.from(given, ([param, value]) => [METADATA.exec(param)?.[1] ?? '', value]).filter(([name]) => name !== ''),
    ),
  }
}

export function readSearch(query: Readonly<Record<string, string>>): Search | InvalidRequest {
  const { customer = '', limit: limitText = '10', 'created[gte]': since = '0', starting_after: startingAfter } = query
  if (customer === '') return new InvalidRequest('customer', 'parameter_missing')
  const limit = wholeNumber(limitText)
  if (limit === undefined || limit < 1 || limit > 100) return new InvalidRequest('limit', 'parameter_invalid_integer')
  const createdGte = wholeNumber(since)
  if (createdGte === undefined) return new InvalidRequest('created[gte]', 'parameter_invalid_integer')
  return { customer, limit, createdGte, startingAfter }
}

function wholeNumber(text: string | null): number | undefined {
  const value = text !== null && /^\d+$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}
