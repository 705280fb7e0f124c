/**
 * What billing needs of a payment gateway. `stripe-gateway.ts` implements it for Stripe and compatible gateways.
 *
 * A gateway stores its answer to each idempotency key, failures too, and repeats it for the same key. It may forget a
 * key after 24 hours (Stripe API reference, "Idempotent requests"). Therefore a charge of unknown outcome is looked up
 * before it is repeated.
 */
// @ts-nocheck

import type { Money } from './money.ts'
import type { BusinessUnit } from './subscription.ts'

/** One charge. All of it is part of the idempotency key, so that a key never stands for two amounts. */
export interface ChargeOrder extends BusinessUnit, Money {
  /** How often this period's charge was declined before. */
  readonly dunned: number
  /** The gateway's token of a card or an account; never a card number. */
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
   * @throws the reason of `signal` if it aborts first, and what `beforeSend` throws; then too the outcome is unknown
   */
  charge(order: ChargeOrder, request: GatewayCall): Promise<ChargeOutcome>
  /**
   * The outcome of an earlier charge with this key, however long ago; undefined if there surely was none. Throws like
   * `charge`.
   *
   * @param search.sinceMs no charge with this key was requested before this epoch time
   */
  find(order: ChargeOrder, search: GatewayCall & { readonly sinceMs: number }): Promise<ChargeOutcome | undefined>
}

export interface GatewayCall {
  readonly key: string
  readonly signal: AbortSignal
  /** Called right before every send, retries too; throws if this leader may not act any more. */
  readonly beforeSend?: (() => void) | undefined
}

/** The gateway may have charged: time-out, lost connection, 5xx, key in use. Looking up the key settles it. */
export class GatewayOutcomeUnknownError extends Error {
  override readonly name = 'GatewayOutcomeUnknownError'
}

/** The gateway refused the request: it or our account is wrong. Nothing was charged. */
export class GatewayRefusedError extends Error {
  override readonly name = 'GatewayRefusedError'

  constructor(statusCode: number, detail: string) {
    super(`The gateway refused the charge with ${statusCode}${detail}; the same request will be refused again`)
  }
}

/** The gateway charged another amount. A retry would get the same answer: an operator must correct it. */
export class GatewayMismatchError extends Error {
  override readonly name = 'GatewayMismatchError'

  constructor(chargeId: string, ordered: Money, charged: Money) {
    super(
      `The gateway's charge ${chargeId} is of ${minor(charged)}, but ${minor(ordered)} were ordered, in minor units; ` +
        'compare both at the gateway, refund or charge the difference there, ' +
        'then write status "charged" and the chargeId into the row of the ledger by hand',
    )
  }
}

const minor = ({ amountMinor, currency }: Money) => `${amountMinor} ${currency}`
