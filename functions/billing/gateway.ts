/**
 * What billing needs of a payment gateway. `stripe-gateway.ts` speaks it with Stripe and whatever is like it.
 *
 * A gateway keeps the answer to each key of idempotency and gives it again for the same key, failures too; it may forget a
 * key after 24 hours (Stripe API reference, "Idempotent requests"). Therefore nobody repeats a charge of unknown outcome
 * before having asked for it by its key.
 */
import type { Money } from './money.ts'
import type { BusinessUnit } from './subscription.ts'

/** One charge as it is asked for: all of it is in the key, so that the same key never means another amount. */
export interface ChargeOrder extends BusinessUnit, Money {
  /** How often this period's charge was declined before. */
  readonly dunned: number
  /** The gateway's own token of a card or an account; never a card number. */
  readonly paymentMethod: string
}

/** `replayed`: the gateway had answered this key before, so no money moved now. */
export type ChargeOutcome =
  | { readonly status: 'charged'; readonly chargeId: string; readonly replayed: boolean }
  | { readonly status: 'declined'; readonly declineCode: string; readonly replayed: boolean }

export interface Gateway {
  /**
   * Moves money, once per key.
   *
   * @throws GatewayOutcomeUnknownError, GatewayRefusedError, GatewayMismatchError
   * @throws the reason of `signal` where that aborts first, and what `beforeSend` throws; the outcome is then unknown too
   */
  charge(order: ChargeOrder, request: GatewayCall): Promise<ChargeOutcome>
  /**
   * What became of this key, however long ago; undefined where surely nothing did. Throws as `charge` does.
   *
   * @param search.sinceMs nothing was asked for under the key before this epoch time
   */
  find(order: ChargeOrder, search: GatewayCall & { readonly sinceMs: number }): Promise<ChargeOutcome | undefined>
}

export interface GatewayCall {
  readonly key: string
  readonly signal: AbortSignal
  /** Called right before anything is sent, at every try; throws where this leader may not act any more. */
  readonly beforeSend?: (() => void) | undefined
}

/** The gateway may or may not have charged: time-out, lost connection, 5xx, key in flight. Asking by the key settles it later. */
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

/** The gateway charged, but not what was asked for. Asking again would only give the same answer: somebody must look. */
export class GatewayMismatchError extends Error {
  override readonly name = 'GatewayMismatchError'
  readonly chargeId: string

  constructor(chargeId: string, asked: Money, charged: Money) {
    super(
      `The gateway's charge ${chargeId} is of ${inWords(charged)}, but ${inWords(asked)} were asked for, in minor units; ` +
        'compare both at the gateway, refund or charge the difference there, then write status "charged" and the chargeId into the row of the ledger by hand',
    )
    this.chargeId = chargeId
  }
}

function inWords({ amountMinor, currency }: Money): string {
  return `${amountMinor} ${currency}`
}
