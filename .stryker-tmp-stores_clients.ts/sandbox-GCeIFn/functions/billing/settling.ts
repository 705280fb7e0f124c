/**
 * Charges all periods of one subscription that are due at the tick. The leader may die between any two steps; each
 * business unit is still charged and recorded exactly once:
 *
 * 1. Claim the subscription: confirms that it is due, and keeps every older leader from moving it on.
 * 2. Intend: write the order into the ledger, unless an earlier leader did. If the row has the gateway's answer, go to
 *    5.
 * 3. Ask the gateway. If an earlier leader may have asked already, first look up the idempotency key. Then charge with
 *    the same key, so that every repetition gets the first answer. If no answer comes, the row becomes `unknown`.
 * 4. Write the answer into the ledger.
 * 5. Move the subscription on to its next period, or to its next try.
 */
// @ts-nocheck

import type { Lease } from '../election/index.ts'
import { dueInstant } from './due-date.ts'
import { type ChargeOutcome, type Gateway, GatewayOutcomeUnknownError } from './gateway.ts'
import type { Charge, Ledger } from './ledger.ts'
import { afterCharge, afterDecline, type DueSubscription, type SubscriptionKey } from './subscription.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface SettleOptions {
  readonly lease: Pick<Lease, 'fencingToken' | 'assertHeld' | 'claim' | 'send' | 'idempotencyKey'>
  /** What is due at or before this instant is charged: canonical ISO in UTC with milliseconds. */
  readonly tick: string
  readonly subscriptions: Subscriptions
  readonly gateway: Gateway
  readonly ledger: Ledger
  /** Wall clock, epoch ms; written into the ledger, decides nothing. @default Date.now */
  readonly now?: () => number
}

/** Business units. */
export interface Settled {
  charged: number
  replayed: number
  declined: number
  suspended: number
}

/**
 * After this many failures in a row the gateway is considered down, and the task stops. Only first requests of a key
 * count: after an outage the gateway may repeat its stored failures for a day, which must not stop the other charges.
 */
const GATEWAY_IS_DOWN_AFTER = 20
/**
 * A period that has been due for longer is looked up even if the ledger shows no earlier try: the ledger may have been
 * restored from a backup. Well within the time for which a gateway remembers idempotency keys.
 */
const LONG_DUE_MS = 12 * 3_600_000

export class Settling {
  readonly #options: Required<SettleOptions>
  readonly #signal: AbortSignal
  readonly #settled: Settled
  #gatewayFailuresInARow = 0

  /** @param settled counts what is settled */
  constructor(options: Required<SettleOptions>, signal: AbortSignal, settled: Settled) {
    this.#options = options
    this.#signal = signal
    this.#settled = settled
  }

  get gatewayIsDown(): boolean {
    return this.#gatewayFailuresInARow >= GATEWAY_IS_DOWN_AFTER
  }

  /** Catches up: a subscription may have missed several periods. */
  async settleAll(key: SubscriptionKey): Promise<void> {
    const { lease, tick, subscriptions } = this.#options
    for (let nextIsDue = true; nextIsDue; ) {
      const due = await subscriptions.claimDue(lease, key, tick)
      if (due === undefined) return
      nextIsDue = await this.#settle(due)
    }
  }

  /** Settles one business unit. @returns whether the next period is due at this tick too */
  async #settle(due: DueSubscription): Promise<boolean> {
    const { lease, tick, subscriptions, ledger, now } = this.#options
    const { customer, plan, period, dunned, priceMinor, currency, paymentMethod } = due
    const order = { customer, plan, period, dunned, amountMinor: priceMinor, currency, paymentMethod }
    const charge = await ledger.intend(lease, order, tick, now())
    const outcome = isSettled(charge) ? { status: charge.status, replayed: true } : await this.#charge(charge, due)
    if (outcome.status === 'declined') {
      const next = afterDecline(due, tick)
      await subscriptions.moveOn(lease, due, next)
      this.#settled.declined++
      if (next.status === 'suspended') this.#settled.suspended++
      return false
    }
    const { dueAt, ...next } = afterCharge(due)
    const nextIsDue = dueAt <= tick
    // Until all its periods are charged, a subscription keeps its place in the order of the tick: should this leader
    // die, the next one finds it behind the last checkpoint.
    await subscriptions.moveOn(lease, due, nextIsDue ? next : { ...next, dueAt })
    this.#settled.charged++
    if (outcome.replayed) this.#settled.replayed++
    return nextIsDue
  }

  /** Asks the gateway and writes its answer into the ledger, or that none came. */
  async #charge(charge: Charge, due: DueSubscription): Promise<ChargeOutcome> {
    const { lease, ledger, now } = this.#options
    const outcome = await this.#ask(charge, due).catch(async (error: unknown) => {
      if (charge.fresh) this.#gatewayFailuresInARow++
      if (error instanceof GatewayOutcomeUnknownError) await ledger.answer(lease, charge, 'unknown', now())
      throw error
    })
    this.#gatewayFailuresInARow = 0
    await ledger.answer(lease, charge, outcome, now())
    return outcome
  }

  async #ask(charge: Charge, { period, timeZone }: DueSubscription): Promise<ChargeOutcome> {
    const { lease, tick, gateway } = this.#options
    const call = { key: charge.key, signal: this.#signal, beforeSend: () => lease.assertHeld() }
    const sinceMs = Date.parse(dueInstant(period, timeZone))
    if (!charge.fresh || Date.parse(tick) - sinceMs > LONG_DUE_MS) {
      const earlier = await gateway.find(charge, { ...call, sinceMs })
      if (earlier !== undefined) return earlier
    }
    return gateway.charge(charge, call)
  }
}

function isSettled(charge: Charge): charge is Charge & { readonly status: 'charged' | 'declined' } {
  return charge.status === 'charged' || charge.status === 'declined'
}
