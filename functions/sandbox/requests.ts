/** Parses requests to the sandbox. Pure. */

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

/** The wrong parameter of a request, and Stripe's code for what is wrong with it. */
export class InvalidRequest {
  readonly param: string
  readonly code: string | undefined

  constructor(param: string, code?: string) {
    this.param = param
    this.code = code
  }
}

const REQUIRED = ['amount', 'currency', 'customer', 'payment_method', 'confirm', 'off_session']
const REQUIRED_METADATA = ['metadata[plan]', 'metadata[period]', 'metadata[dunned]']
const METADATA = /^metadata\[(\w+)\]$/

/** @param form an `application/x-www-form-urlencoded` body */
export function readOrder(form: string): Order | InvalidRequest {
  const given = new URLSearchParams(form)
  const text = (param: string) => given.get(param) ?? ''
  const missing = [...REQUIRED, ...REQUIRED_METADATA].find((param) => text(param) === '')
  if (missing !== undefined) return new InvalidRequest(missing, 'parameter_missing')
  // The sandbox knows only immediate payments without the customer present.
  for (const param of ['confirm', 'off_session']) if (text(param) !== 'true') return new InvalidRequest(param)
  const amount = wholeNumber(text('amount'))
  if (amount === undefined || amount === 0) return new InvalidRequest('amount', 'parameter_invalid_integer')
  const dunned = wholeNumber(text('metadata[dunned]'))
  if (dunned === undefined) return new InvalidRequest('metadata[dunned]')
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

function wholeNumber(text: string): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}
