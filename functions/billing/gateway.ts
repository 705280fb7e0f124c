/**
 * The payment gateway over HTTP. It keeps the answer to each `Idempotency-Key` and gives it again for the same key, as
 * Stripe does (Stripe API reference, "Idempotent requests"); it may forget a key after {@link KEY_WINDOW_MS}.
 *
 *     POST /charges   Idempotency-Key: KEY   { customer, plan, period, amountMinor, currency }
 *       200, 201 { id } charged · 402 declined · 409 this key is still in flight · other 4xx refused as it stands
 *     GET /charges?customer=&plan=&period=   { charges: [{ id }] }   every charge that succeeded
 */
import type { Money } from './money.ts'
import type { BusinessUnit } from './subscription.ts'

/** For how long the gateway surely remembers a key: Stripe says "at least 24 hours". */
export const KEY_WINDOW_MS = 24 * 3_600_000

/** `replayed`: the gateway had answered this key before, so no money moved now. */
export type ChargeOutcome =
  | { readonly status: 'charged'; readonly chargeId: string; readonly replayed: boolean }
  | { readonly status: 'declined'; readonly replayed: boolean }

export interface Gateway {
  /**
   * @throws GatewayOutcomeUnknownError, GatewayRefusedError
   * @throws the reason of `signal` where that aborts first; the outcome is then unknown too
   */
  charge(unit: BusinessUnit, money: Money, options: { key: string; signal: AbortSignal }): Promise<ChargeOutcome>
  /** The charge that paid for this unit, whatever its key was. Throws as `charge` does. */
  find(unit: BusinessUnit, options: { signal: AbortSignal }): Promise<{ readonly chargeId: string } | undefined>
}

/** The gateway may or may not have charged: time-out, lost connection, 5xx, key in flight. The same key settles it later. */
export class GatewayOutcomeUnknownError extends Error {
  override readonly name = 'GatewayOutcomeUnknownError'
}

/** The gateway understood and will not do it: a fault of the request or of our account with it. Nothing was charged. */
export class GatewayRefusedError extends Error {
  override readonly name = 'GatewayRefusedError'
  readonly statusCode: number

  constructor(statusCode: number, what: string) {
    super(`The gateway refused the charge with ${statusCode}${what}; the same request will be refused again`)
    this.statusCode = statusCode
  }
}

export interface HttpGatewayOptions {
  /** Where `/charges` is, with or without a slash at the end. */
  readonly url: string
  /** From sending a request to the end of its answer. @default 5000 */
  readonly timeoutMs?: number
}

interface Answer {
  readonly statusCode: number
  readonly replayed: boolean
  readonly body: unknown
}

export function httpGateway({ url, timeoutMs = 5000 }: HttpGatewayOptions): Gateway {
  const charges = `${url.replace(/\/+$/, '')}/charges`

  /**
   * Tries once more, at once, after a lost connection: while Lambda froze this process the gateway may have closed the
   * connection that is used first after the thaw, and the key makes the second try harmless.
   */
  async function ask(target: string, request: RequestInit, signal: AbortSignal, lastTry = false): Promise<Answer> {
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      // A redirect would send the charge to an address that nobody configured.
      const answered = await fetch(target, {
        ...request,
        redirect: 'error',
        signal: AbortSignal.any([signal, timeout]),
      })
      const replayed = answered.headers.get('idempotent-replayed') === 'true'
      return { statusCode: answered.status, replayed, body: parseJson(await answered.text()) }
    } catch (cause) {
      signal.throwIfAborted()
      if (timeout.aborted) throw unknown(`no answer within ${timeoutMs} ms`, cause)
      if (lastTry) throw unknown('the connection failed twice', cause)
      return ask(target, request, signal, true)
    }
  }

  return {
    async charge({ customer, plan, period }, { amountMinor, currency }, { key, signal }) {
      const request = {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ customer, plan, period, amountMinor, currency }),
      }
      const answer = await ask(charges, request, signal)
      if (answer.statusCode === 402) return { status: 'declined', replayed: answer.replayed }
      throwUnlessOk(answer)
      return { status: 'charged', chargeId: chargeId(answer.body), replayed: answer.replayed }
    },

    async find({ customer, plan, period }, { signal }) {
      const answer = await ask(`${charges}?${new URLSearchParams({ customer, plan, period })}`, {}, signal)
      throwUnlessOk(answer)
      const found = property(answer.body, 'charges')
      // An answer that cannot be read must never look like "not charged".
      if (!Array.isArray(found)) throw unknown('its answer has no list "charges"')
      return found.length === 0 ? undefined : { chargeId: chargeId(found[0]) }
    },
  }
}

function throwUnlessOk({ statusCode, body }: Answer): void {
  if (statusCode === 200 || statusCode === 201) return
  // 408 and 429 say "later", 409 "another request has this key just now"; 3xx cannot be had (redirect: 'error').
  if (statusCode >= 500 || statusCode < 400 || [408, 409, 429].includes(statusCode)) {
    throw unknown(`it answered ${statusCode}${detail(body)}`)
  }
  throw new GatewayRefusedError(statusCode, detail(body))
}

/** The gateway's own codes; its message is left out, since it may name the customer and end in a log. */
function detail(body: unknown): string {
  const error = property(body, 'error')
  const named = [property(error, 'code'), property(error, 'param')].filter((value) => typeof value === 'string')
  return named.length === 0 ? '' : ` (${named.join(', ')})`
}

function chargeId(charge: unknown): string {
  const id = property(charge, 'id')
  if (typeof id !== 'string' || id === '') throw unknown('its answer has no "id" of the charge')
  return id
}

function unknown(why: string, cause?: unknown): GatewayOutcomeUnknownError {
  return new GatewayOutcomeUnknownError(`The outcome at the gateway is unknown: ${why}`, { cause })
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
