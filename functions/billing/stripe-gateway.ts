/**
 * The gateway in the dialect of Stripe's PaymentIntents (Stripe API reference, "Create a PaymentIntent", "List all
 * PaymentIntents", "Errors").
 *
 * | answer to a charge | means |
 * |---|---|
 * | 200 `succeeded`, amount and currency as asked | charged |
 * | 200 `requires_payment_method`, `canceled` | declined |
 * | 402 `card_error`, 400 that names `payment_method` | declined: the subscriber has to give another one |
 * | other 400, 401, 402, 403, 404 | refused |
 * | 200 of any other status, any other 4xx, 5xx, anything unreadable | unknown |
 * | `idempotency_error` | unknown: this key came before with another body, and that request may have charged |
 *
 * A payment intent of the key that is found later means the same, whoever asked for it.
 *
 * What goes out are ids, the business unit and the amount; no name, and no card number.
 */

import { parseJson, property } from '../election/json.ts'
import {
  type ChargeOrder,
  type ChargeOutcome,
  type Gateway,
  type GatewayCall,
  GatewayMismatchError,
  GatewayRefusedError,
} from './gateway.ts'
import type { Money } from './money.ts'
import { type GatewayResponse, outcomeUnknown, REFUSALS, type Transport } from './transports.ts'

/** An amount that Stripe would take for another, or not at all. Nothing was sent. */
export class CurrencyUnitError extends Error {
  override readonly name = 'CurrencyUnitError'

  constructor({ amountMinor, currency }: Money) {
    super(
      COUNTED_OTHERWISE.has(currency)
        ? `Stripe counts ${currency} in another unit than the currency's minor one, so the subscriber would pay a hundredth or the hundredfold; nothing was charged`
        : `Stripe takes ${currency} only in tens of its minor unit, which ${amountMinor} is not; nothing was charged`,
    )
  }
}

/**
 * Krónur and shillings have no minor unit but are sent in hundredths, the ariary has one but is sent whole (Stripe's
 * documentation, "Supported currencies", special cases). The answer would repeat the amount, and nobody would notice.
 */
const COUNTED_OTHERWISE: ReadonlySet<string> = new Set(['ISK', 'UGX', 'MGA'])
/** Three digits, of which the last must be 0 (the same page, "Three-decimal currencies"). */
const IN_TENS: ReadonlySet<string> = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND'])
/** What an answer looks like is the account's setting unless each request says it. */
const VERSION = { 'stripe-version': '2024-06-20' }
const INTENTS = '/v1/payment_intents'
/** Intents that moved no money and will move none by themselves: so they look after a decline. */
const DECLINED: ReadonlySet<unknown> = new Set(['requires_payment_method', 'canceled'])
/** Looking back too far is the cheap mistake. */
const CLOCK_MARGIN_S = 86_400
const PAGE_SIZE = 100
/** 10,000 intents of one customer since one intent of ours: whatever that is, it is not read to its end. */
const MAX_PAGES = 100

export function stripeGateway(transport: Transport): Gateway {
  /**
   * Read from the list, not from Stripe's search: the search finds an intent only some time after it was made, up to an
   * hour where things go wrong (Stripe API reference, "Search"), and a charge not found here is made again.
   */
  async function* intentsOf(customer: string, sinceMs: number, call: GatewayCall): AsyncGenerator<Intent> {
    const since = Math.max(0, Math.floor(sinceMs / 1000) - CLOCK_MARGIN_S)
    const search = { customer, limit: String(PAGE_SIZE), 'created[gte]': String(since) }
    let query: Record<string, string> = search
    for (let page = 0; page < MAX_PAGES; page++) {
      const { data, hasMore } = readPage(
        await transport({ method: 'GET', path: INTENTS, query, headers: VERSION }, call),
      )
      yield* data
      if (!hasMore) return
      const last = data.at(-1)
      if (last === undefined) throw outcomeUnknown('its list says that there is more after nothing')
      query = { ...search, starting_after: last.id }
    }
    throw outcomeUnknown(`its list of one customer's payment intents is longer than ${MAX_PAGES * PAGE_SIZE}`)
  }

  return {
    async charge(order, call) {
      const { amountMinor, currency } = order
      if (COUNTED_OTHERWISE.has(currency) || (IN_TENS.has(currency) && amountMinor % 10 !== 0)) {
        throw new CurrencyUnitError(order)
      }
      const headers = {
        ...VERSION,
        'content-type': 'application/x-www-form-urlencoded',
        'idempotency-key': call.key,
      }
      const body = formOf(order, call.key)
      return readOutcome(await transport({ method: 'POST', path: INTENTS, headers, body }, call), order)
    },

    async find(order, call) {
      let found: Intent | undefined
      for await (const intent of intentsOf(order.customer, call.sinceMs, call)) {
        if (intent.charge !== call.key) continue
        if (intent.status === 'succeeded') return outcomeOf(intent, order, true)
        // One that may still move money counts for more than one that cannot.
        if (found === undefined || DECLINED.has(found.status)) found = intent
      }
      return found === undefined ? undefined : outcomeOf(found, order, true)
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
    // The subscriber is not there: no redirect, and no payment that waits for them to act.
    off_session: 'true',
    error_on_requires_action: 'true',
    'automatic_payment_methods[enabled]': 'true',
    'automatic_payment_methods[allow_redirects]': 'never',
    'metadata[charge]': key,
    'metadata[plan]': order.plan,
    'metadata[period]': order.period,
    'metadata[dunned]': String(order.dunned),
  }).toString()
}

function readOutcome(response: GatewayResponse, asked: Money): ChargeOutcome {
  const replayed = response.headers['idempotent-replayed'] === 'true'
  const body = parseJson(response.body)
  const declineCode = declineCodeOf(response.statusCode, body)
  if (declineCode !== undefined) return { status: 'declined', declineCode, replayed }
  throwUnlessOk(response, body)
  return outcomeOf(readIntent(body), asked, replayed)
}

function outcomeOf(intent: Intent, asked: Money, replayed: boolean): ChargeOutcome {
  const { id, status } = intent
  if (DECLINED.has(status)) return { status: 'declined', declineCode: intent.declineCode ?? status, replayed }
  if (status !== 'succeeded') {
    throw outcomeUnknown(
      `its payment intent ${id} is ${status} and may still move money; it settles there, or cancel it there`,
    )
  }
  const charged = moneyOf(intent)
  if (charged.amountMinor !== asked.amountMinor || charged.currency !== asked.currency) {
    throw new GatewayMismatchError(id, asked, charged)
  }
  return { status: 'charged', chargeId: id, replayed }
}

/** Undefined where the answer is no decline. */
function declineCodeOf(statusCode: number, body: unknown): string | undefined {
  const error = property(body, 'error')
  const type = property(error, 'type')
  if (statusCode === 402 && type === 'card_error') {
    return code(error, 'decline_code') ?? code(error, 'code') ?? type
  }
  if (statusCode === 400 && type === 'invalid_request_error' && property(error, 'param') === 'payment_method') {
    return code(error, 'code') ?? 'payment_method'
  }
  if (statusCode === 402 && typeof type !== 'string') throw outcomeUnknown('it answered 402 without a readable reason')
  return undefined
}

function throwUnlessOk(response: GatewayResponse, body: unknown): void {
  const { statusCode } = response
  if (statusCode === 200 && !isWebPage(response, body)) return
  if (REFUSALS.has(statusCode) && property(property(body, 'error'), 'type') !== 'idempotency_error') {
    throw new GatewayRefusedError(statusCode, detail(response, body))
  }
  throw outcomeUnknown(`it answered ${statusCode}${detail(response, body)}`)
}

/** That of a proxy in between, or of a server that is not the gateway's API. @param body the same as JSON */
const isWebPage = (response: GatewayResponse, body: unknown) => body === undefined && /^\s*</.test(response.body)

/** The gateway's own codes; its message is left out, since it may name the customer and end in a log. */
function detail(response: GatewayResponse, body: unknown): string {
  if (isWebPage(response, body)) return ' (a web page instead of JSON: is the URL that of its API?)'
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
  readonly declineCode: string | undefined
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
  const error = property(body, 'last_payment_error')
  const declineCode = code(error, 'decline_code') ?? code(error, 'code')
  return { id, status, amount, currency, declineCode, charge: property(metadata, 'charge') }
}

function moneyOf({ id, amount, currency }: Intent): Money {
  if (typeof amount === 'number' && typeof currency === 'string' && /^[a-z]{3}$/i.test(currency)) {
    return { amountMinor: amount, currency: currency.toUpperCase() }
  }
  throw outcomeUnknown(`its payment intent ${id} has no "amount" or no "currency"`)
}

function readPage(response: GatewayResponse): { readonly data: readonly Intent[]; readonly hasMore: boolean } {
  const body = parseJson(response.body)
  // Even a refusal: it says nothing about a charge that somebody asked for before.
  if (response.statusCode !== 200 || isWebPage(response, body)) {
    throw outcomeUnknown(`asked for earlier charges, it answered ${response.statusCode}${detail(response, body)}`)
  }
  const data = property(body, 'data')
  const hasMore = property(body, 'has_more')
  if (!Array.isArray(data) || typeof hasMore !== 'boolean') {
    throw outcomeUnknown('its answer is no list with "data" and "has_more"')
  }
  return { data: data.map(readIntent), hasMore }
}
