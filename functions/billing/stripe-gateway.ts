/**
 * The gateway in the dialect of Stripe's PaymentIntents (Stripe API reference, "Create a PaymentIntent", "List all
 * PaymentIntents", "Errors").
 *
 * | answer to a charge | means |
 * |---|---|
 * | 200 `succeeded`, amount and currency as asked | charged |
 * | 200 `requires_payment_method`, `requires_action` | declined: it needs the subscriber, who is not there |
 * | 402 `card_error` | declined |
 * | other 4xx | refused |
 * | 200 of any other status, 408, 409, 425, 429, 5xx, anything unreadable | unknown |
 * | `idempotency_error` | unknown: this key came before with another body, and that request may have charged |
 *
 * What goes out are ids, the business unit and the amount; no name, and no card number.
 */
import { type ChargeOrder, type ChargeOutcome, type FoundCharge, type Gateway, GatewayRefusedError } from './gateway.ts'
import { parseJson, property } from './json.ts'
import type { Money } from './money.ts'
import { type GatewayResponse, outcomeUnknown, PASSING, type Transport } from './transports.ts'

/** The gateway charged, but not what was asked for. Asking again would only give the same answer: somebody must look. */
export class GatewayMismatchError extends Error {
  override readonly name = 'GatewayMismatchError'
  readonly chargeId: string

  constructor(chargeId: string, asked: Money, charged: Money) {
    super(
      `The gateway's charge ${chargeId} is of ${inWords(charged)}, but ${inWords(asked)} were asked for, in minor units; ` +
        'compare both at the gateway, refund or charge the difference there, then correct the subscription by hand',
    )
    this.chargeId = chargeId
  }
}

/** A currency that Stripe counts in another unit than everybody else. Nothing was sent. */
export class CurrencyUnitError extends Error {
  override readonly name = 'CurrencyUnitError'

  constructor(currency: string) {
    super(
      `Stripe counts ${currency} in another unit than the currency's minor one, so the subscriber would pay a hundredth or ` +
        'the hundredfold; nothing was charged. Subscribe them in another currency',
    )
  }
}

/**
 * Krónur and shillings have no minor unit but are sent in hundredths, the ariary has one but is sent whole (Stripe's
 * documentation, "Supported currencies", special cases). The answer would repeat the amount, and nobody would notice.
 */
const COUNTED_OTHERWISE: ReadonlySet<string> = new Set(['ISK', 'UGX', 'MGA'])
const INTENTS = '/v1/payment_intents'
/** Intents that moved no money and will move none by themselves. */
const CAME_TO_NOTHING: ReadonlySet<unknown> = new Set(['requires_payment_method', 'canceled'])
const NEEDS_THE_SUBSCRIBER: ReadonlySet<unknown> = new Set(['requires_payment_method', 'requires_action'])
/** Where our clock and the gateway's disagree, looking back too far is the cheap mistake. */
const CLOCK_MARGIN_S = 3600
const PAGE_SIZE = 100
/** 10,000 intents of one customer since one intent of ours: whatever that is, it is not read to its end. */
const MAX_PAGES = 100

export function stripeGateway(transport: Transport): Gateway {
  /**
   * Read from the list, not from Stripe's search: the search finds an intent only some time after it was made, up to an
   * hour where things go wrong (Stripe API reference, "Search"), and a charge not found here is made again.
   */
  async function* intentsOf(customer: string, sinceMs: number, signal: AbortSignal): AsyncGenerator<Intent> {
    const since = Math.max(0, Math.floor(sinceMs / 1000) - CLOCK_MARGIN_S)
    const search = { customer, limit: String(PAGE_SIZE), 'created[gte]': String(since) }
    let query: Record<string, string> = search
    for (let page = 0; page < MAX_PAGES; page++) {
      const { data, hasMore } = readPage(await transport({ method: 'GET', path: INTENTS, query, headers: {} }, signal))
      yield* data
      if (!hasMore) return
      const last = data.at(-1)
      if (last === undefined) throw outcomeUnknown('its list says that there is more after nothing')
      query = { ...search, starting_after: last.id }
    }
    throw outcomeUnknown(`its list of one customer's payment intents is longer than ${MAX_PAGES * PAGE_SIZE}`)
  }

  return {
    async charge(order, { key, signal }) {
      if (COUNTED_OTHERWISE.has(order.currency)) throw new CurrencyUnitError(order.currency)
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': key }
      const body = formOf(order, key)
      return readOutcome(await transport({ method: 'POST', path: INTENTS, headers, body }, signal), order)
    },

    async find({ customer, key, sinceMs }, { signal }) {
      let open: Intent | undefined
      for await (const intent of intentsOf(customer, sinceMs, signal)) {
        if (intent.charge !== key) continue
        if (intent.status === 'succeeded') return foundCharge(intent)
        if (!CAME_TO_NOTHING.has(intent.status)) open = intent
      }
      if (open === undefined) return undefined
      throw outcomeUnknown(
        `its payment intent ${open.id} is ${open.status} and may still move money; it settles there, or cancel it there`,
      )
    },
  }
}

function formOf(order: ChargeOrder, key: string): string {
  return new URLSearchParams({
    amount: String(order.amountMinor),
    currency: order.currency.toLowerCase(),
    customer: order.customer,
    payment_method: order.paymentMethod,
    confirm: 'true',
    off_session: 'true',
    'metadata[charge]': key,
    'metadata[plan]': order.plan,
    'metadata[period]': order.period,
    'metadata[dunned]': String(order.dunned),
  }).toString()
}

function readOutcome(response: GatewayResponse, asked: Money): ChargeOutcome {
  const replayed = response.headers['idempotent-replayed'] === 'true'
  const body = parseJson(response.body)
  if (response.statusCode === 402) return { status: 'declined', declineCode: declineCode(body), replayed }
  throwUnlessOk(response.statusCode, body)
  const intent = readIntent(body)
  if (NEEDS_THE_SUBSCRIBER.has(intent.status)) return { status: 'declined', declineCode: intent.status, replayed }
  if (intent.status !== 'succeeded') throw outcomeUnknown(`its payment intent ${intent.id} is ${intent.status}`)
  const charged = foundCharge(intent)
  if (charged.amountMinor !== asked.amountMinor || charged.currency !== asked.currency) {
    throw new GatewayMismatchError(intent.id, asked, charged)
  }
  return { status: 'charged', chargeId: intent.id, replayed }
}

function declineCode(body: unknown): string {
  const error = property(body, 'error')
  const type = property(error, 'type')
  if (type === 'card_error') return code(error, 'decline_code') ?? code(error, 'code') ?? type
  if (typeof type === 'string') throw new GatewayRefusedError(402, detail(body))
  throw outcomeUnknown('it answered 402 without a readable reason')
}

function throwUnlessOk(statusCode: number, body: unknown): void {
  if (statusCode === 200) return
  const isRefusal = statusCode >= 400 && statusCode < 500 && !PASSING.has(statusCode)
  if (isRefusal && property(property(body, 'error'), 'type') !== 'idempotency_error') {
    throw new GatewayRefusedError(statusCode, detail(body))
  }
  throw outcomeUnknown(`it answered ${statusCode}${detail(body)}`)
}

/** The gateway's own codes; its message is left out, since it may name the customer and end in a log. */
function detail(body: unknown): string {
  const error = property(body, 'error')
  const named = [code(error, 'code') ?? code(error, 'type'), code(error, 'param')].filter((part) => part !== undefined)
  return named.length === 0 ? '' : ` (${named.join(', ')})`
}

/** Only what looks like a code is one. */
function code(error: unknown, name: string): string | undefined {
  const value = property(error, name)
  return typeof value === 'string' && /^[\w.[\]-]{1,255}$/.test(value) ? value : undefined
}

/** A payment intent, as far as it is looked at. */
interface Intent {
  readonly id: string
  readonly status: string
  readonly amount: unknown
  readonly currency: unknown
  /** The key that it was asked for under; undefined where it is not one of ours. */
  readonly charge: unknown
}

function readIntent(body: unknown): Intent {
  const id = code(body, 'id')
  const status = code(body, 'status')
  const metadata = property(body, 'metadata')
  // An answer that cannot be read must never look like "not charged", nor an intent like somebody else's.
  if (id === undefined) throw outcomeUnknown('its answer has no "id" of a payment intent')
  if (status === undefined || typeof metadata !== 'object' || metadata === null) {
    throw outcomeUnknown(`its payment intent ${id} has no "status" or no "metadata"`)
  }
  const [amount, currency] = [property(body, 'amount'), property(body, 'currency')]
  return { id, status, amount, currency, charge: property(metadata, 'charge') }
}

function foundCharge({ id, amount, currency }: Intent): FoundCharge {
  if (typeof amount === 'number' && typeof currency === 'string') {
    return { chargeId: id, amountMinor: amount, currency: currency.toUpperCase() }
  }
  throw outcomeUnknown(`its payment intent ${id} has no "amount" or no "currency"`)
}

function readPage(response: GatewayResponse): { readonly data: readonly Intent[]; readonly hasMore: boolean } {
  const body = parseJson(response.body)
  throwUnlessOk(response.statusCode, body)
  const data = property(body, 'data')
  const hasMore = property(body, 'has_more')
  if (!Array.isArray(data) || typeof hasMore !== 'boolean') {
    throw outcomeUnknown('its answer is no list with "data" and "has_more"')
  }
  return { data: data.map(readIntent), hasMore }
}

function inWords({ amountMinor, currency }: Money): string {
  return `${amountMinor} ${currency}`
}
