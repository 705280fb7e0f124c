/**
 * The protected task: charges every subscription that is due at the tick, page by page, with a checkpoint between two
 * pages. It may be stopped at any time, repeated, or overtaken by another leader: see settling.ts. If the invocation is
 * about to end, what is under way is finished, and the next invocation continues behind it.
 *
 * Only the tick decides what is due, so that a repetition finds what the first try found.
 */
// @ts-nocheck

import { HandOverRequestedError, type Lease, LeaseLostError, StaleTokenError } from '../election/index.ts'
import { DuplicateChargeError } from './ledger.ts'
import { describeFailed, type Progress, readProgress, totalOf } from './progress.ts'
import { type Settled, type SettleOptions, Settling } from './settling.ts'
import type { DueEntry } from './subscription.ts'

/**
 * What the leaders of a tick did so far. What a leader did between its last checkpoint and its death is not counted,
 * unless it is found again.
 */
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
  readonly pages: number
  /** Writes of this leader that a newer one's token stopped; the task ends at the first. */
  readonly staleWritesRefused: number
}

/** Gets no customers and no names. */
export interface Log {
  info(message: string, fields: Readonly<Record<string, unknown>>): void
  warn(message: string, fields: Readonly<Record<string, unknown>>): void
}

type BillingLease = SettleOptions['lease'] &
  Pick<Lease, 'missed' | 'signal' | 'checkpoint' | 'saveCheckpoint' | 'handOver'>

export interface ChargeDueOptions extends SettleOptions {
  readonly lease: BillingLease
  readonly log: Log
  /** How many subscriptions are processed at a time. @default 8 */
  readonly concurrency?: number
  /** How many subscriptions are processed between two checkpoints. @default 500 */
  readonly pageSize?: number
}

/** Some subscriptions are not settled. The tick must not be completed: its retry settles what can be settled. */
export class UnsettledChargesError extends Error {
  override readonly name = 'UnsettledChargesError'
  readonly unsettled: number
  readonly result: BillingResult

  constructor(result: BillingResult, failed: Progress['failed'], notTried: number, cause: unknown) {
    const rest = notTried === 0 ? '' : ` The gateway seems to be down: ${notTried} more were not tried.`
    super(
      `${result.failed} of ${result.due} due charges are not settled (${describeFailed(failed)}). ` +
        `A retry of this tick safely tries what is still due; the log has each reason.${rest}`,
      { cause },
    )
    this.unsettled = result.failed + notTried
    this.result = result
  }
}

/** More failures than these are only counted. */
const MOST_FAILURES_LOGGED = 50

/**
 * @throws UnsettledChargesError after everything else was settled, by this invocation or the ones before it, or when
 *   the gateway seems to be down
 * @throws LeaseLostError once nothing of the task is running any more; its cause is a StaleTokenError if the fence
 *   refused a write
 * @throws HandOverError if no invocation could be started that continues
 */
export function chargeDue(options: ChargeDueOptions): Promise<BillingResult> {
  return new BillingRun({ concurrency: 8, pageSize: 500, now: Date.now, ...options }).run()
}

class BillingRun {
  readonly #options: Required<ChargeDueOptions>
  readonly #lost = new AbortController()
  /** Aborts when the lease is lost; not when the lease asks for the hand-over. */
  readonly #signal = this.#lost.signal
  readonly #settling: Settling
  readonly #settled: Settled & { pages: number }
  readonly #failed: Map<string, number>
  /** The last subscription that was begun, and all before it were. */
  #after: DueEntry | undefined
  #firstCause: unknown
  #failuresLogged = 0
  #staleWritesRefused = 0

  constructor(options: Required<ChargeDueOptions>) {
    const { failed, after, ...settled } = readProgress(options.lease.checkpoint)
    this.#options = options
    this.#settled = settled
    this.#settling = new Settling(options, this.#signal, this.#settled)
    this.#failed = new Map(Object.entries(failed))
    this.#after = after
    const { signal } = options.lease
    const stop = () => this.#mustHandOver || this.#lost.abort(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
  }

  async run(): Promise<BillingResult> {
    const { tick, log, lease } = this.#options
    const { fencingToken, missed } = lease
    log.info('leading', { tick, fencingToken, missedTicks: missed.length, pagesBefore: this.#settled.pages })
    let left: number
    try {
      left = await this.#chargeAll()
      this.#signal.throwIfAborted()
    } catch (error) {
      this.#signal.throwIfAborted() // the reason is more useful than the query's "aborted"
      throw error
    } finally {
      log.info('billed', { tick, fencingToken, ...this.#result() })
    }
    if (left > 0 && !this.#settling.gatewayIsDown) await lease.handOver(this.#progress())
    else if (this.#failed.size > 0) await this.#fail(left)
    return this.#result()
  }

  /** @returns how many subscriptions were not begun */
  async #chargeAll(): Promise<number> {
    const { tick, concurrency, pageSize, lease, subscriptions } = this.#options
    const queue = [...(await subscriptions.findDue(tick, this.#signal, this.#after))].reverse()
    while (queue.length > 0 && !this.#mustStop) {
      const page = queue.splice(-pageSize)
      // All workers end before the task does: the lease must not be released while a charge is in progress.
      await Promise.all(Array.from({ length: concurrency }, () => this.#work(page)))
      queue.push(...page)
      this.#settled.pages++
      if (queue.length > 0 && !this.#mustStop) await lease.saveCheckpoint(this.#progress())
    }
    return queue.length
  }

  get #mustHandOver(): boolean {
    return this.#options.lease.signal.reason instanceof HandOverRequestedError
  }

  get #mustStop(): boolean {
    return this.#signal.aborted || this.#mustHandOver || this.#settling.gatewayIsDown
  }

  #progress(): Progress {
    const after = this.#after === undefined ? {} : { after: this.#after }
    return { ...this.#settled, failed: Object.fromEntries(this.#failed), ...after }
  }

  #result(): BillingResult {
    const failed = totalOf(this.#progress().failed)
    const due = this.#settled.charged + this.#settled.declined + failed
    return { due, ...this.#settled, failed, staleWritesRefused: this.#staleWritesRefused }
  }

  /** The retry starts with the first subscription again, and counts anew what fails. */
  async #fail(notTried: number): Promise<never> {
    const { tick, log, lease } = this.#options
    const { failed } = this.#progress()
    log.warn('unsettled', { tick, fencingToken: lease.fencingToken, causes: describeFailed(failed) })
    await lease.saveCheckpoint({ ...this.#settled, failed: {} })
    throw new UnsettledChargesError(this.#result(), failed, notTried, this.#firstCause)
  }

  async #work(page: DueEntry[]): Promise<void> {
    while (!this.#mustStop) {
      const key = page.pop()
      if (key === undefined) return
      this.#after = key
      try {
        await this.#settling.settleAll(key)
      } catch (error) {
        this.#notSettled(error)
      }
    }
  }

  #notSettled(error: unknown): void {
    const { tick, log } = this.#options
    // A duplicate charge is reported even by a leader that was replaced: its successor does not know of it.
    const isDuplicate = error instanceof DuplicateChargeError
    const loss = isDuplicate ? error.cause : error
    if (loss instanceof StaleTokenError) this.#staleWritesRefused++
    if (loss instanceof LeaseLostError || loss instanceof StaleTokenError) this.#lost.abort(loss)
    if (this.#signal.aborted && !isDuplicate) return // the loss made it fail, not the subscription
    const name = error instanceof Error ? error.name || 'Error' : typeof error
    this.#failed.set(name, (this.#failed.get(name) ?? 0) + 1)
    this.#firstCause ??= error
    if (++this.#failuresLogged <= MOST_FAILURES_LOGGED) log.warn('not settled', { tick, ...describe(error) })
  }
}

/** Messages of errors name no customer. */
function describe(error: unknown) {
  return error instanceof Error ? { error: error.name, reason: error.message } : { error: typeof error }
}
