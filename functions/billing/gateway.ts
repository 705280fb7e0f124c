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
   * @throws GatewayOutcomeUnknownError, GatewayRefusedError
   * @throws the reason of `signal` where that aborts first; the outcome is then unknown too
   */
  charge(order: ChargeOrder, options: { readonly key: string; readonly signal: AbortSignal }): Promise<ChargeOutcome>
  /**
   * The charge that was made under this key, however long ago; undefined where surely none was. Throws as `charge` does.
   *
   * @param search.sinceMs no charge of the key was asked for before this epoch time
   */
  find(
    search: { readonly customer: string; readonly key: string; readonly sinceMs: number },
    options: { readonly signal: AbortSignal },
  ): Promise<FoundCharge | undefined>
}

export interface FoundCharge extends Money {
  readonly chargeId: string
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

/** The gateway charged something else than was asked. Money has moved: a person must compare both sides. */
export class GatewayMismatchError extends Error {
  override readonly name = 'GatewayMismatchError'
  readonly chargeId: string

  constructor(chargeId: string, asked: Money, charged: Money) {
    super(
      `The gateway's charge ${chargeId} took ${charged.amountMinor} minor units of ${charged.currency} where ` +
        `${asked.amountMinor} of ${asked.currency} were asked for; refund the difference, then write the ledger by hand`,
    )
    this.chargeId = chargeId
  }
}
