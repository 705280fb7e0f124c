/** Parses requests to the sandbox. Pure. */

export type Order = ReturnType<typeof readOrder>

/** The wrong parameter of a request, and Stripe's code for what is wrong with it. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest'
  readonly param: string
  readonly code: string | undefined

  constructor(param: string, code?: string) {
    super(param)
    this.param = param
    this.code = code
  }
}

const REQUIRED = ['amount', 'currency', 'customer', 'payment_method', 'confirm', 'off_session']
const REQUIRED_METADATA = ['metadata[plan]', 'metadata[period]', 'metadata[dunned]']
const METADATA = /^metadata\[(\w+)\]$/

/** @param form an `application/x-www-form-urlencoded` body @throws InvalidRequest */
export function readOrder(form: string) {
  const given = new URLSearchParams(form)
  const text = (param: string) => given.get(param) ?? ''
  const missing = [...REQUIRED, ...REQUIRED_METADATA].find((param) => text(param) === '')
  if (missing !== undefined) throw new InvalidRequest(missing, 'parameter_missing')
  // The sandbox knows only immediate payments without the customer present.
  for (const param of ['confirm', 'off_session']) if (text(param) !== 'true') throw new InvalidRequest(param)
  const currency = text('currency')
  if (!/^[a-z]{3}$/.test(currency)) throw new InvalidRequest('currency')
  return {
    amount: wholeNumber('amount', text('amount'), 1),
    currency,
    dunned: wholeNumber('metadata[dunned]', text('metadata[dunned]'), 0),
    customer: text('customer'),
    paymentMethod: text('payment_method'),
    plan: text('metadata[plan]'),
    period: text('metadata[period]'),
    metadata: Object.fromEntries(
      Array.from(given, ([param, value]) => [METADATA.exec(param)?.[1] ?? '', value]).filter(([name]) => name !== ''),
    ),
  }
}

/** @throws InvalidRequest */
export function readSearch(query: Readonly<Record<string, string>>) {
  const { customer = '', limit = '10', 'created[gte]': since = '0', starting_after: startingAfter } = query
  if (customer === '') throw new InvalidRequest('customer', 'parameter_missing')
  return {
    customer,
    limit: wholeNumber('limit', limit, 1, 100),
    createdGte: wholeNumber('created[gte]', since, 0),
    startingAfter,
  }
}

function wholeNumber(param: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new InvalidRequest(param, 'parameter_invalid_integer')
}
