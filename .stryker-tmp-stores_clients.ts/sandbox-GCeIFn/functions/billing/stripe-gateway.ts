/**
 * The gateway by Stripe's PaymentIntents API (Stripe API reference, "Create a PaymentIntent", "List all
 * PaymentIntents", "Errors").
 *
 * | answer to a charge | outcome |
 * |---|---|
 * | 200 `succeeded`, with the order's amount and currency | charged |
 * | 200 `requires_payment_method`, `canceled` | declined |
 * | 402 `card_error`, 400 that names `payment_method` | declined: the subscriber must give another payment method |
 * | other 400, 401, 402, 403, 404 | refused |
 * | 200 with any other status, any other 4xx, 5xx, anything unreadable | unknown |
 * | `idempotency_error` | unknown: the key was used with another body before, and that request may have charged |
 *
 * A payment intent that is looked up by its key means the same.
 *
 * Requests contain ids, the business unit and the amount; no names, and no card numbers.
 */
// @ts-nocheck

import * as v from 'valibot'
import { parseJson } from '../election/json.ts'
import type { GatewayResponse } from '../sandbox/message.ts'
import {
  type ChargeOrder,
  type ChargeOutcome,
  type Gateway,
  type GatewayCall,
  GatewayMismatchError,
  GatewayRefusedError,
} from './gateway.ts'
import type { Money } from './money.ts'
import { outcomeUnknown, REFUSALS, type Transport } from './transports.ts'

/** Stripe would read this amount as another one, or refuse it. Nothing was sent. */
export class CurrencyUnitError extends Error {
  override readonly name = 'CurrencyUnitError'

  constructor({ amountMinor, currency }: Money) {
    super(
      OTHER_UNIT.has(currency)
        ? `Stripe's unit of ${currency} is not its minor unit, so the amount would be wrong; nothing was charged`
        : `Stripe takes ${currency} only in multiples of 10 minor units, unlike ${amountMinor}; nothing was charged`,
    )
  }
}

/**
 * ISK and UGX have no minor unit but are sent in hundredths; MGA has one but is sent without it (Stripe's
 * documentation, "Supported currencies", special cases). The answer repeats the amount, so a wrong one would not be
 * noticed.
 */
const OTHER_UNIT: ReadonlySet<string> = new Set(['ISK', 'UGX', 'MGA'])
/** Of the three decimal digits the last must be 0 (the same page, "Three-decimal currencies"). */
const MULTIPLES_OF_10: ReadonlySet<string> = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND'])
/** Pins the format of the answers; without it the account's setting decides. */
const VERSION = { 'stripe-version': '2024-06-20' }
const INTENTS = '/v1/payment_intents'
/** The statuses after a decline: no money moved, and none will without another request. */
const DECLINED: ReadonlySet<unknown> = new Set(['requires_payment_method', 'canceled'])
/** Tolerates clocks that differ: looking back too far costs little. */
const CLOCK_MARGIN_S = 86_400
const PAGE_SIZE = 100
/** A customer with 10,000 newer intents than ours points to an error; the list is not read to its end. */
const MAX_PAGES = 100

export function stripeGateway(transport: Transport): Gateway {
  /**
   * Reads the list, not Stripe's search: the search may miss an intent for up to an hour (Stripe API reference,
   * "Search"), and a charge that is not found is made again.
   */
  async function* intentsOf(customer: string, sinceMs: number, call: GatewayCall): AsyncGenerator<Intent> {
    const since = Math.max(0, Math.floor(sinceMs / 1000) - CLOCK_MARGIN_S)
    const search = { customer, limit: String(PAGE_SIZE), 'created[gte]': String(since) }
    let query: Record<string, string> = search
    for (let page = 0; page < MAX_PAGES; page++) {
      const { statusCode, body } = await transport({ method: 'GET', path: INTENTS, query, headers: VERSION }, call)
      // A refusal is no exception: it refuses the look-up, and the earlier charge may have been made.
      if (statusCode !== 200) throw outcomeUnknown(`it answered the look-up of earlier charges with ${statusCode}`)
      const { data, has_more: hasMore } = read(body, pageSchema, 'a list of payment intents')
      yield* data
      if (!hasMore) return
      const last = data.at(-1)
      if (last === undefined) throw outcomeUnknown('its list has an empty page before its end')
      query = { ...search, starting_after: last.id }
    }
    throw outcomeUnknown(`its list of one customer's payment intents is longer than ${MAX_PAGES * PAGE_SIZE}`)
  }

  return {
    async charge(order, call) {
      const { amountMinor, currency } = order
      if (OTHER_UNIT.has(currency) || (MULTIPLES_OF_10.has(currency) && amountMinor % 10 !== 0)) {
        throw new CurrencyUnitError(order)
      }
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const headers = { ...VERSION, ...form, 'idempotency-key': call.key }
      const body = formOf(order, call.key)
      return readOutcome(await transport({ method: 'POST', path: INTENTS, headers, body }, call), order)
    },

    async find(order, call) {
      let found: Intent | undefined
      for await (const intent of intentsOf(order.customer, call.sinceMs, call)) {
        if (intent.metadata.charge !== call.key) continue
        if (intent.status === 'succeeded') return outcomeOf(intent, order, true)
        // An intent that may still move money has precedence over a declined one.
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
    // The subscriber is not present: no redirect, and no payment that waits for them to act.
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

/** A code of the gateway. Anything else, such as its message, may name the customer, and errors are logged. */
const code = v.pipe(v.string(), v.regex(/^[\w.[\]-]{1,255}$/))
const maybeCode = v.fallback(v.optional(code), undefined)
const reason = v.fallback(v.object({ type: maybeCode, code: maybeCode, decline_code: maybeCode, param: maybeCode }), {})
const failure = v.fallback(v.object({ error: reason }), { error: {} })

/** A payment intent, as far as billing reads it; `metadata.charge` is the idempotency key of its request. */
const intentSchema = v.object({
  id: code,
  status: code,
  amount: v.fallback(v.optional(v.number()), undefined),
  currency: v.fallback(v.optional(v.pipe(v.string(), v.regex(/^[a-z]{3}$/i), v.toUpperCase())), undefined),
  metadata: v.object({ charge: v.optional(v.unknown()) }),
  last_payment_error: reason,
})
type Intent = v.InferOutput<typeof intentSchema>
const pageSchema = v.object({ data: v.array(intentSchema), has_more: v.boolean() })

/** An unreadable answer must never look like "not charged", and an unreadable intent never like that of another key. */
function read<Value>(body: string, schema: v.GenericSchema<unknown, Value>, what: string): Value {
  const { success, output } = v.safeParse(schema, parseJson(body))
  if (!success) throw outcomeUnknown(`its answer is not ${what}`)
  return output
}

function readOutcome({ statusCode, headers, body }: GatewayResponse, ordered: Money): ChargeOutcome {
  const replayed = headers['idempotent-replayed'] === 'true'
  if (statusCode === 200) return outcomeOf(read(body, intentSchema, 'a payment intent'), ordered, replayed)
  const { error } = v.parse(failure, parseJson(body))
  const declineCode = declineCodeOf(statusCode, error)
  if (declineCode !== undefined) return { status: 'declined', declineCode, replayed }
  if (statusCode === 402 && error.type === undefined) throw outcomeUnknown('it answered 402 without a readable reason')
  if (REFUSALS.has(statusCode) && error.type !== 'idempotency_error') {
    throw new GatewayRefusedError(statusCode, detail(error))
  }
  throw outcomeUnknown(`it answered ${statusCode}${detail(error)}`)
}

function outcomeOf(intent: Intent, ordered: Money, replayed: boolean): ChargeOutcome {
  const { id, status, amount, currency, last_payment_error: error } = intent
  if (DECLINED.has(status)) {
    return { status: 'declined', declineCode: error.decline_code ?? error.code ?? status, replayed }
  }
  if (status !== 'succeeded') {
    throw outcomeUnknown(
      `its payment intent ${id} is ${status} and may still move money; wait until that settles, or cancel it there`,
    )
  }
  if (amount === undefined || currency === undefined) {
    throw outcomeUnknown(`its payment intent ${id} has no "amount" or no "currency"`)
  }
  if (amount !== ordered.amountMinor || currency !== ordered.currency) {
    throw new GatewayMismatchError(id, ordered, { amountMinor: amount, currency })
  }
  return { status: 'charged', chargeId: id, replayed }
}

/** Undefined if the answer is not a decline. */
function declineCodeOf(statusCode: number, error: v.InferOutput<typeof reason>): string | undefined {
  const { type, param } = error
  if (statusCode === 402 && type === 'card_error') return error.decline_code ?? error.code ?? type
  const isMethod = statusCode === 400 && type === 'invalid_request_error' && param === 'payment_method'
  return isMethod ? (error.code ?? param) : undefined
}

function detail({ type, code, param }: v.InferOutput<typeof reason>): string {
  const named = [code ?? type, param].filter((part) => part !== undefined)
  return named.length === 0 ? '' : ` (${named.join(', ')})`
}
