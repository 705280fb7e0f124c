/**
 * The protected task: charges every subscription that is due at the tick. It may be stopped between any two steps,
 * repeated, or overtaken by another leader; each business unit is still charged and recorded exactly once:
 *
 * 1. Claim the subscription: confirms that it is due, and keeps every older leader from moving it on.
 * 2. Intend: write the order into the ledger, unless an earlier leader did. If the row has the gateway's answer, go to
 *    5.
 * 3. Ask the gateway. If an earlier leader may have asked already, first look up the idempotency key. Then charge with
 *    the same key, so that every repetition gets the first answer. If no answer comes, the row becomes `unknown`.
 * 4. Write the answer into the ledger.
 * 5. Move the subscription on to its next period, or to its next try.
 *
 * Only the tick decides what is due, so that a repetition finds what the first try found.
 */
import { type Lease, LeaseLostError, StaleTokenError } from '../election/index.ts'
import { dueInstant } from './due-date.ts'
import { type ChargeOutcome, type Gateway, GatewayOutcomeUnknownError } from './gateway.ts'
import { type Charge, DuplicateChargeError, type Ledger } from './ledger.ts'
import { afterCharge, afterDecline, type DueSubscription, type SubscriptionKey } from './subscription.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What one tenure did. */
export interface BillingResult {
  /** Business units found due and tried: `charged + declined + failed`. */
  readonly due: number
  /** Recorded as paid; an earlier try had charged `replayed` of them. */
  readonly charged: number
  readonly replayed: number
  readonly declined: number
  /** Declined for the last time. */
  readonly suspended: number
  /** Not settled: the outcome is unknown, the gateway refused, or a row is corrupt. */
  readonly failed: number
  /** Writes that a newer leader's token stopped; the task ends at the first. */
  readonly staleWritesRefused: number
}

/** Gets no customers and no names. */
export interface Log {
  info(message: string, fields: Readonly<Record<string, unknown>>): void
  warn(message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface ChargeDueOptions {
  readonly lease: Pick<Lease, 'fencingToken' | 'missed' | 'signal' | 'assertHeld' | 'claim' | 'send' | 'idempotencyKey'>
  /** What is due at or before this instant is charged: canonical ISO in UTC with milliseconds. */
  readonly tick: string
  readonly subscriptions: Subscriptions
  readonly gateway: Gateway
  readonly ledger: Ledger
  readonly log: Log
  /** How many subscriptions are processed at a time. @default 8 */
  readonly concurrency?: number
  /** Wall clock, epoch ms; written into the ledger, decides nothing. @default Date.now */
  readonly now?: () => number
}

/** Some subscriptions are not settled. The tick must not be completed: its retry settles what can be settled. */
export class UnsettledChargesError extends Error {
  override readonly name = 'UnsettledChargesError'
  readonly unsettled: number
  readonly result: BillingResult

  constructor(result: BillingResult, causes: readonly unknown[], notTried: number) {
    const rest = notTried === 0 ? '' : ` The gateway seems to be down: ${notTried} more were not tried.`
    super(
      `${result.failed} of ${result.due} due charges are not settled (${countByName(causes)}). ` +
        `A retry of this tick safely tries what is still due; the log has each reason.${rest}`,
      { cause: causes[0] },
    )
    this.unsettled = result.failed + notTried
    this.result = result
  }
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
/** More failures than these are only counted. */
const MOST_FAILURES_LOGGED = 50

/**
 * @throws UnsettledChargesError after everything else was settled, or when the gateway seems to be down
 * @throws LeaseLostError once nothing of the task is running any more; its cause is a StaleTokenError if the fence
 *   refused a write
 */
export function chargeDue(options: ChargeDueOptions): Promise<BillingResult> {
  return new BillingRun({ concurrency: 8, now: Date.now, ...options }).run()
}

class BillingRun {
  readonly #options: Required<ChargeDueOptions>
  readonly #leadershipLost = new AbortController()
  readonly #signal: AbortSignal
  readonly #failures: unknown[] = []
  #gatewayFailuresInARow = 0
  readonly #settled = { charged: 0, replayed: 0, declined: 0, suspended: 0 }
  #staleWritesRefused = 0

  constructor(options: Required<ChargeDueOptions>) {
    this.#options = options
    this.#signal = AbortSignal.any([options.lease.signal, this.#leadershipLost.signal])
  }

  async run(): Promise<BillingResult> {
    const { tick, log, concurrency, lease, subscriptions } = this.#options
    const { fencingToken, missed } = lease
    log.info('leading', { tick, fencingToken, missedTicks: missed.length })
    let queue: SubscriptionKey[] = []
    try {
      queue = [...(await subscriptions.findDue(tick, this.#signal))].reverse()
      // All workers end before the task does: the lease must not be released while a charge is in progress.
      await Promise.all(Array.from({ length: concurrency }, () => this.#work(queue)))
      this.#signal.throwIfAborted()
    } catch (error) {
      this.#signal.throwIfAborted() // the reason is more useful than the query's "aborted"
      throw error
    } finally {
      log.info('billed', { tick, fencingToken, ...this.#result() })
    }
    if (this.#failures.length > 0) {
      log.warn('unsettled', { tick, fencingToken, causes: countByName(this.#failures) })
      throw new UnsettledChargesError(this.#result(), this.#failures, queue.length)
    }
    return this.#result()
  }

  #result(): BillingResult {
    const failed = this.#failures.length
    const due = this.#settled.charged + this.#settled.declined + failed
    return { due, ...this.#settled, failed, staleWritesRefused: this.#staleWritesRefused }
  }

  async #work(queue: SubscriptionKey[]): Promise<void> {
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      try {
        await this.#settleAll(key)
      } catch (error) {
        this.#failed(error)
      }
      if (this.#signal.aborted || this.#gatewayFailuresInARow >= GATEWAY_IS_DOWN_AFTER) return
    }
  }

  #failed(error: unknown): void {
    const { tick, log } = this.#options
    // A duplicate charge is reported even by a leader that was replaced: its successor does not know of it.
    const isDuplicate = error instanceof DuplicateChargeError
    const loss = isDuplicate ? error.cause : error
    if (loss instanceof StaleTokenError) this.#staleWritesRefused++
    if (loss instanceof LeaseLostError || loss instanceof StaleTokenError) this.#leadershipLost.abort(loss)
    if (this.#signal.aborted && !isDuplicate) return // the loss made it fail, not the subscription
    this.#failures.push(error)
    if (this.#failures.length <= MOST_FAILURES_LOGGED) log.warn('not settled', { tick, ...describe(error) })
  }

  /** Catches up: a subscription may have missed several periods. */
  async #settleAll(key: SubscriptionKey): Promise<void> {
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
    const next = afterCharge(due)
    await subscriptions.moveOn(lease, due, next)
    this.#settled.charged++
    if (outcome.replayed) this.#settled.replayed++
    return next.dueAt <= tick
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

/** Messages of errors name no customer. */
function describe(error: unknown) {
  return error instanceof Error ? { error: error.name, reason: error.message } : { error: typeof error }
}

function countByName(errors: readonly unknown[]): string {
  const names = Map.groupBy(errors, (error) => (error instanceof Error ? error.name : typeof error))
  return [...names].map(([name, those]) => `${those.length} × ${name}`).join(', ')
}
