/**
 * The protected task: charges every subscription that is due at the tick. It may be stopped after any step, repeated,
 * or overtaken by another leader, and each business unit is still charged once and recorded:
 *
 * 1. begin: a fenced write of the intent, which also confirms that the row is due.
 * 2. An intent so old that the gateway may have forgotten its key: ask the gateway whether it charged.
 * 3. Charge, with a key made of the business unit alone: every repetition gets the first answer.
 * 4. Record in the ledger. A crash before this leaves the row due: its repetition gets the same charge again.
 * 5. Advance the row to its next period. A crash before this repeats 3 and 4 without effect.
 *
 * What is due is decided by the tick alone, so that a repetition sees what the first try saw; the wall clock only tells
 * how long ago the gateway got a key.
 */
import { type Lease, LeaseLostError, StaleTokenError } from '../election/index.ts'
import { type Gateway, KEY_WINDOW_MS } from './gateway.ts'
import type { Ledger } from './ledger.ts'
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
  /** Not settled: the outcome is unknown, the gateway refused, or the row is corrupt. */
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
  readonly lease: Pick<Lease, 'fencingToken' | 'missedTicks' | 'signal' | 'assertHeld' | 'send' | 'idempotencyKey'>
  /** Everything due at or before this instant, canonical ISO in UTC with milliseconds, is charged. */
  readonly tick: string
  readonly subscriptions: Subscriptions
  readonly gateway: Gateway
  readonly ledger: Ledger
  readonly log: Log
  /** How many subscriptions are in work at a time. @default 4 */
  readonly concurrency?: number
  /** How long the gateway remembers a key, in milliseconds. @default 24 hours */
  readonly keyWindowMs?: number
  /** Wall clock, epoch ms. @default Date.now */
  readonly now?: () => number
}

/** Some subscriptions are not settled. The tick must not be completed; trying it again settles what can be settled. */
export class UnsettledChargesError extends Error {
  override readonly name = 'UnsettledChargesError'
  readonly unsettled: number
  readonly result: BillingResult

  constructor(result: BillingResult, causes: readonly unknown[]) {
    super(
      `${result.failed} of ${result.due} due charges are not settled (${countByName(causes)}); they stay due, and a retry of this tick repeats them safely`,
      { cause: causes[0] },
    )
    this.unsettled = result.failed
    this.result = result
  }
}

/** Where our clock and the gateway's disagree, asking once too often is the cheap mistake. */
const KEY_WINDOW_MARGIN_MS = 3_600_000

/**
 * @throws UnsettledChargesError after everything else was settled
 * @throws LeaseLostError, StaleTokenError at once, when nothing of the task is running any more
 */
export async function chargeDue(options: ChargeDueOptions): Promise<BillingResult> {
  const { lease, tick, subscriptions, gateway, ledger, log, concurrency = 4, now = Date.now } = options
  const askAfterMs = (options.keyWindowMs ?? KEY_WINDOW_MS) - KEY_WINDOW_MARGIN_MS
  const result: BillingResult = { due: 0, charged: 0, replayed: 0, declined: 0, failed: 0, staleWritesRefused: 0 }
  const failures: unknown[] = []
  const leadershipLost = new AbortController()
  const signal = AbortSignal.any([lease.signal, leadershipLost.signal])

  /** Charges one business unit. @returns whether the next period is due at this tick too */
  async function settle(due: DueSubscription): Promise<boolean> {
    const outcome = await charge(due)
    if (outcome.replayed) result.replayed++
    if (outcome.status === 'declined') {
      await subscriptions.decline(lease, due, afterDecline(due, tick))
      result.declined++
      return false
    }
    const { customer, plan, period, intent } = due
    const { amountMinor, currency } = intent
    const paid = { customer, plan, period, amountMinor, currency, chargeId: outcome.chargeId }
    await ledger.record(lease, { ...paid, tick, chargedAtMs: now() })
    const next = afterCharge(due)
    await subscriptions.advance(lease, due, next)
    result.charged++
    return next.dueAt <= tick
  }

  async function charge(due: DueSubscription) {
    const ageMs = now() - due.intent.startedAtMs
    if (ageMs >= askAfterMs) {
      lease.assertHeld()
      const found = await gateway.find(due, { signal })
      if (found !== undefined) return { status: 'charged', replayed: true, ...found } as const
    }
    const key = lease.idempotencyKey('charge', due.customer, due.plan, due.period, due.dunned)
    lease.assertHeld()
    return gateway.charge(due, due.intent, { key, signal })
  }

  /** Catches up: a subscription may have missed several periods. */
  async function settleAll(key: SubscriptionKey): Promise<void> {
    let nextIsDue = true
    while (nextIsDue) {
      lease.assertHeld()
      const due = await subscriptions.begin(lease, key, tick, now())
      if (due === undefined) return
      nextIsDue = await settle(due)
    }
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

  async function work(queue: Iterable<SubscriptionKey>): Promise<void> {
    for (const key of queue) {
      if (leadershipLost.signal.aborted) return
      try {
        await settleAll(key)
      } catch (error) {
        if (error instanceof StaleTokenError) result.staleWritesRefused++
        // All workers hear of the loss from here; what they then fail with is its echo, no failure of a subscription.
        if (error instanceof LeaseLostError || error instanceof StaleTokenError) leadershipLost.abort(error)
        if (signal.aborted) return
        failures.push(error)
      }
    }
  }

  log.info('leading', { tick, fencingToken: lease.fencingToken, missedTicks: lease.missedTicks })
  try {
    const hints = await findDue()
    // One iterator for all workers: each takes the next subscription when it is done with one. They all end before the
    // task does, for the lease must not be given up while a charge is under way.
    const queue = hints.values()
    await Promise.all(Array.from({ length: concurrency }, () => work(queue)))
    signal.throwIfAborted() // whoever stopped the work, what is left of it is not done
  } finally {
    result.failed = failures.length
    result.due = result.charged + result.declined + result.failed
    log.info('billed', { tick, fencingToken: lease.fencingToken, ...result })
  }
  if (failures.length > 0) {
    log.warn('unsettled', { tick, fencingToken: lease.fencingToken, causes: countByName(failures) })
    throw new UnsettledChargesError(result, failures)
  }
  return result
}

function countByName(errors: readonly unknown[]): string {
  const counts = new Map<string, number>()
  for (const error of errors) {
    const name = error instanceof Error ? error.name : typeof error
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ')
}
