/**
 * The protected task: charges every subscription that is due at the tick. It may be stopped between any two steps,
 * repeated, or overtaken by another leader, and each business unit is still charged once and recorded:
 *
 * 1. Claim the subscription: confirms that it is due, and keeps every older leader from moving it on.
 * 2. Intend: write the order into the ledger, unless an earlier leader did. What the ledger has an answer to is not asked again.
 * 3. Ask the gateway: for an intent of an earlier leader, or a period long due, first what became of its key; then to
 *    charge, with the same key, so that every repetition gets the first answer. No answer leaves the row `unknown`.
 * 4. Write the answer into the ledger.
 * 5. Move the subscription on to its next period, or to its next try.
 *
 * What is due is decided by the tick alone, so that a repetition sees what the first try saw.
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
  due: number
  /** Recorded as paid; `replayed` of them had been charged by an earlier try. */
  charged: number
  replayed: number
  declined: number
  /** Of those declined, the ones that were declined for the last time. */
  suspended: number
  /** Not settled: the outcome is unknown, the gateway refused, or a row is corrupt. */
  failed: number
  /** Writes that a newer leader's token stopped; the task ends at the first. */
  staleWritesRefused: number
}

/** Where the task tells what it does; neither customers nor names go there. */
export interface Log {
  info(message: string, fields: Readonly<Record<string, unknown>>): void
  warn(message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface ChargeDueOptions {
  readonly lease: Pick<
    Lease,
    'fencingToken' | 'missedTicks' | 'signal' | 'assertHeld' | 'claim' | 'send' | 'idempotencyKey'
  >
  /** Everything due at or before this instant, canonical ISO in UTC with milliseconds, is charged. */
  readonly tick: string
  readonly subscriptions: Subscriptions
  readonly gateway: Gateway
  readonly ledger: Ledger
  readonly log: Log
  /** How many subscriptions are in work at a time. @default 8 */
  readonly concurrency?: number
  /** Wall clock, epoch ms; goes into the ledger, decides nothing. @default Date.now */
  readonly now?: () => number
}

/** Some subscriptions are not settled. The tick must not be completed; trying it again settles what can be settled. */
export class UnsettledChargesError extends Error {
  override readonly name = 'UnsettledChargesError'
  readonly unsettled: number
  readonly result: BillingResult

  constructor(result: BillingResult, causes: readonly unknown[], notTried: number) {
    const rest = notTried === 0 ? '' : ` The gateway seems to be down: ${notTried} more were not tried.`
    super(
      `${result.failed} of ${result.due} due charges are not settled (${countByName(causes)}). A retry of this tick tries safely what is still due; the log has each reason.${rest}`,
      { cause: causes[0] },
    )
    this.unsettled = result.failed + notTried
    this.result = result
  }
}

/**
 * After so many failures in a row at the gateway it is down, or refuses us all: asking thousands more would only use up
 * the invocation. Only charges that nobody asked for before count, so that those of an earlier outage, which a gateway may
 * answer with the stored failure for a day, do not stand in the way of the others.
 */
const GATEWAY_IS_DOWN_AFTER = 20
/**
 * A period that is due for so long was probably worked before, though the ledger does not show it: it was restored from a
 * copy, say. Well within the time for which a gateway remembers keys.
 */
const LONG_DUE_MS = 12 * 3_600_000
/** Lines of a log that tell of single failures; the rest is counted. */
const MOST_FAILURES_TOLD = 50

/**
 * @throws UnsettledChargesError after everything else was settled, or when the gateway seems to be down
 * @throws LeaseLostError at once, when nothing of the task is running any more; its cause is a StaleTokenError if the fence
 *   refused a write
 */
export async function chargeDue(options: ChargeDueOptions): Promise<BillingResult> {
  const { lease, tick, subscriptions, gateway, ledger, log, concurrency = 8, now = Date.now } = options
  const result: BillingResult = {
    due: 0,
    charged: 0,
    replayed: 0,
    declined: 0,
    suspended: 0,
    failed: 0,
    staleWritesRefused: 0,
  }
  const failures: unknown[] = []
  let failedInARow = 0
  const leadershipLost = new AbortController()
  const signal = AbortSignal.any([lease.signal, leadershipLost.signal])

  /** Catches up: a subscription may have missed several periods. */
  async function settleAll(key: SubscriptionKey): Promise<void> {
    for (let nextIsDue = true; nextIsDue; ) {
      const due = await subscriptions.claimDue(lease, key, tick)
      if (due === undefined) return
      nextIsDue = await settle(due)
    }
  }

  /** Settles one business unit. @returns whether the next period is due at this tick too */
  async function settle(due: DueSubscription): Promise<boolean> {
    const { customer, plan, period, dunned, priceMinor, currency, paymentMethod } = due
    const order = { customer, plan, period, dunned, amountMinor: priceMinor, currency, paymentMethod }
    const charge = await ledger.intend(lease, order, tick, now())
    const outcome = isSettled(charge) ? { status: charge.status, replayed: true } : await ask(charge, due)
    if (outcome.status === 'declined') {
      const next = afterDecline(due, tick)
      await subscriptions.moveOn(lease, due, next)
      result.declined++
      if (next.status === 'suspended') result.suspended++
      return false
    }
    const next = afterCharge(due)
    await subscriptions.moveOn(lease, due, next)
    result.charged++
    if (outcome.replayed) result.replayed++
    return next.dueAt <= tick
  }

  /** Asks the gateway and writes down what it says, or that it said nothing. */
  async function ask(charge: Charge, due: DueSubscription): Promise<ChargeOutcome> {
    const outcome = await answerOf(charge, due).catch(async (error: unknown) => {
      if (charge.fresh) failedInARow++
      if (error instanceof GatewayOutcomeUnknownError) await ledger.answer(lease, charge, 'unknown', now())
      throw error
    })
    failedInARow = 0
    await ledger.answer(lease, charge, outcome, now())
    return outcome
  }

  async function answerOf(charge: Charge, { period, timeZone }: DueSubscription): Promise<ChargeOutcome> {
    const call = { key: charge.key, signal, beforeSend: () => lease.assertHeld() }
    const sinceMs = Date.parse(dueInstant(period, timeZone))
    if (!charge.fresh || Date.parse(tick) - sinceMs > LONG_DUE_MS) {
      const found = await gateway.find(charge, { ...call, sinceMs })
      if (found !== undefined) return found
    }
    return gateway.charge(charge, call)
  }

  async function findDue(): Promise<readonly SubscriptionKey[]> {
    try {
      return await subscriptions.findDue(tick, signal)
    } catch (error) {
      // A query cut short says only that it was aborted; the lease says why.
      lease.signal.throwIfAborted()
      throw error
    }
  }

  async function work(queue: SubscriptionKey[]): Promise<void> {
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      try {
        await settleAll(key)
      } catch (error) {
        // A replaced leader that brings a second charge of the same try: that must be known, whoever leads.
        const isDuplicate = error instanceof DuplicateChargeError
        const loss = isDuplicate ? error.cause : error
        if (loss instanceof StaleTokenError) result.staleWritesRefused++
        // All workers hear of the loss from here; what they then fail with is its echo, no failure of a subscription.
        if (loss instanceof LeaseLostError || loss instanceof StaleTokenError) leadershipLost.abort(loss)
        if (signal.aborted && !isDuplicate) return
        failures.push(error)
        if (failures.length <= MOST_FAILURES_TOLD) log.warn('not settled', { tick, ...named(error) })
      }
      if (signal.aborted || failedInARow >= GATEWAY_IS_DOWN_AFTER) return
    }
  }

  log.info('leading', { tick, fencingToken: lease.fencingToken, missedTicks: lease.missedTicks })
  let queue: SubscriptionKey[] = []
  try {
    queue = [...(await findDue())].reverse()
    // All workers end before the task does, for the lease must not be given up while a charge is under way.
    await Promise.all(Array.from({ length: concurrency }, () => work(queue)))
    signal.throwIfAborted() // whoever stopped the work, what is left of it is not done
  } finally {
    result.failed = failures.length
    result.due = result.charged + result.declined + result.failed
    log.info('billed', { tick, fencingToken: lease.fencingToken, ...result })
  }
  if (failures.length > 0) {
    log.warn('unsettled', { tick, fencingToken: lease.fencingToken, causes: countByName(failures) })
    throw new UnsettledChargesError(result, failures, queue.length)
  }
  return result
}

function isSettled(charge: Charge): charge is Charge & { readonly status: 'charged' | 'declined' } {
  return charge.status === 'charged' || charge.status === 'declined'
}

/** Our own messages name no customer. */
function named(error: unknown) {
  return error instanceof Error ? { error: error.name, reason: error.message } : { error: typeof error }
}

function countByName(errors: readonly unknown[]): string {
  const counts = new Map<string, number>()
  for (const error of errors) {
    const name = error instanceof Error ? error.name : typeof error
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ')
}
