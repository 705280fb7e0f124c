// @ts-nocheck
import { Deadline, endOf, type Instant, instantAfter, instantOf } from './deadline.ts'
import { type HandOverReason, HandOverRequestedError, LeaseLostError, type StaleTokenError } from './errors.ts'
import { LONGEST_SLEEP_MS } from './invocation.ts'
import type { Settings } from './options.ts'
import { isOwnWrite } from './refusal.ts'
import type { HolderWrite, LeaseRecord, Tenure } from './rules.ts'
import type { Occurrences } from './schedule.ts'
import { FirstAbort, OVER } from './signals.ts'
import type { Look, WriteReply } from './stores/store.ts'

/** What a leader starts with: the settings of its acquire, and the row that it won. */
export interface Tenancy extends Settings {
  /** The row as this candidate's acquire left it. */
  readonly record: LeaseRecord & { readonly holder: string }
  /** The time before the acquire was sent: the deadline counts from there. */
  readonly askedAt: Instant
  /** When the schedule fires, if it is known. */
  readonly occurrences: Occurrences | undefined
  /** The lease never lasts longer: the invocation's end and the grace for killing it. Infinity outside Lambda. */
  readonly latestExpiryMs: number
  /** Of a leader that stays: what it does at each renewal. */
  readonly standing?: {
    beforeRenewal(): Promise<void>
    /** What the renewal showed: requests of others on the row, and DynamoDB's clock. */
    onLook(look: Look): void
    onLoss(): void
  }
}

export type Ended = 'completed' | 'released' | 'continued'

/** For messages: the lease was … */
export const ENDED_TEXT = {
  completed: 'completed',
  released: 'released',
  continued: 'handed over',
  replaced: 'replaced',
} as const

/** An end that was sent. Every try of it is the same write, under the same step, so that it is applied once. */
export interface Ending {
  readonly how: Ended
  /** Once the signal aborts, the answer is not waited for. */
  send(signal?: AbortSignal): Promise<void>
  /** What follows once it is applied. */
  readonly afterwards?: () => Promise<void>
}

const LONGEST_MARGIN_MS = 1_000
/** How fast a deadline that a correction of the clock has shortened grows again: faster than any clock drifts. */
const RECOVERY = 1 / 1_000

/** Whether this candidate still leads: its deadline, its end or loss, and the signal that reports a loss. */
export class Leadership {
  readonly tenure: Tenure
  readonly deadline: Deadline
  readonly #tenancy: Tenancy
  readonly #marginMs: number
  /** A wall clock that is known to be right, and the monotonic clock with it. */
  #base: Instant
  readonly #abort: FirstAbort
  #loss: LeaseLostError | undefined
  readonly #timers = new AbortController()
  #ended: Ended | 'replaced' | undefined
  /** Sent and not refused: it may have been applied, so another candidate may lead already. */
  #ending: Ending | undefined

  constructor(tenancy: Tenancy) {
    const { clock, record, askedAt } = tenancy
    const { lease, holder: candidate, attempt, fencingToken, expiresAtMs } = record
    this.#tenancy = tenancy
    this.#base = askedAt
    this.tenure = { lease, candidate, attempt, fencingToken }
    this.deadline = new Deadline(clock, askedAt, expiresAtMs)
    this.#marginMs = Math.min(LONGEST_MARGIN_MS, (expiresAtMs - askedAt.wallMs) / 10)
    this.#abort = new FirstAbort(tenancy.signal)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** How the lease ended, if it has; `replaced` if a write found that another candidate leads. */
  get ended(): Ended | 'replaced' | undefined {
    return this.#ended
  }

  get ending(): Ending | undefined {
    return this.#ending
  }

  /** Aborts when no timer is needed any more: the lease ended, or was given up. */
  get over(): AbortSignal {
    return this.#timers.signal
  }

  get isLost(): boolean {
    return this.#loss !== undefined
  }

  remainingMs(): number {
    const isOver = this.#ended !== undefined || this.#ending !== undefined || this.isLost
    return isOver ? 0 : this.deadline.remainingMs()
  }

  assertLeading(): void {
    if (this.#ended !== undefined && this.#ended !== 'replaced') {
      throw this.lost(`was ${ENDED_TEXT[this.#ended]} by this candidate itself`)
    }
    if (this.#ending !== undefined) throw this.lost('was asked to end, and may have ended')
    if (this.#loss !== undefined) throw this.#loss
    if (this.remainingMs() <= this.#marginMs) throw this.lose('reached its deadline without being renewed')
  }

  /** @throws LeaseLostError unless the row says that this write of mine was applied */
  assertApplied(reply: WriteReply, request: HolderWrite): void {
    if (reply.granted || isOwnWrite(reply.record, request)) return
    const { record } = reply
    const isVacant = record !== undefined && record.holder === undefined
    if (!isVacant || record.attempt !== request.attempt || record.fencingToken !== request.fencingToken) {
      throw this.replaced(record)
    }
    // An earlier end of mine was applied and its answer lost: no other candidate has a part in that.
    const how = record.endedBy === 'completed' || record.endedBy === 'continued' ? record.endedBy : 'released'
    this.finishEnd(how)
    throw this.lost(`was ${ENDED_TEXT[how]} before, by a request whose answer was lost`)
  }

  async watchDeadline(): Promise<void> {
    while (!this.over.aborted && !this.isLost) {
      const leftMs = this.deadline.remainingMs() - this.#marginMs
      if (leftMs > 0) await this.#tenancy.clock.sleep(Math.ceil(leftMs), this.over)
      // While an end is under way, nothing is known to be lost.
      else if (this.#ending !== undefined) await this.pauseBeforeRetry()
      else this.lose('reached its deadline without being renewed')
    }
  }

  /** Aborts the signal `drainMs` before the invocation ends, so that the work continues in another one. */
  async askAtInvocationEnd(): Promise<void> {
    const { clock, remainingMs, drainMs } = this.#tenancy
    for (let leftMs = remainingMs() - drainMs; !this.over.aborted; leftMs = remainingMs() - drainMs) {
      if (leftMs > 0) {
        await clock.sleep(Math.min(Math.ceil(leftMs), LONGEST_SLEEP_MS), this.over)
        continue
      }
      return this.requestHandOver(
        'deadline',
        'Return lease.handOver(state) now, so that the next invocation continues.',
      )
    }
  }

  /** Aborts the signal; this candidate leads on until it hands over. */
  requestHandOver(reason: HandOverReason, whatToDo: string): void {
    const { lease } = this.tenure
    const message = `The leader of lease "${lease}" should hand over, but still leads (${reason}). ${whatToDo}`
    this.#abort.abort(new HandOverRequestedError(message, { lease, reason }))
  }

  async pauseBeforeRetry(atMostMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock, leaseMs } = this.#tenancy
    await clock.sleep(Math.min(leaseMs / 12, atMostMs), this.over)
  }

  beginEnd(ending: Ending): void {
    this.#ending = ending
  }

  /** The end was refused, and no try of it can still arrive: the task may go on, or ask for another end. */
  withdrawEnd(): void {
    this.#ending = undefined
  }

  finishEnd(how: Ended): void {
    this.#ended = how
    this.#stopTimers()
  }

  /** Stops the timers and aborts the signal without a request: a lease that is still held expires by itself. */
  abandon(): void {
    this.#stopTimers()
    if (this.#ended === 'completed' || this.isLost) return
    this.#loss = this.lost('was given up')
    this.#abort.abort(this.#loss)
  }

  #stopTimers(): void {
    this.#timers.abort(OVER)
    this.#abort.stopListening()
  }

  replaced(record?: LeaseRecord): LeaseLostError {
    this.#ended = 'replaced'
    const by = record?.holder === undefined ? '' : ` by "${record.holder}" with token ${record.fencingToken}`
    return this.lose(`was taken over${by}`)
  }

  lose(how: string, cause?: StaleTokenError): LeaseLostError {
    const error = this.lost(how, cause)
    const { lease, candidate, fencingToken } = this.tenure
    if (this.isLost) return error
    this.#tenancy.notify({ kind: 'lost', lease, candidate, fencingToken, error })
    this.#loss = error
    this.#abort.abort(error)
    this.#tenancy.standing?.onLoss()
    return error
  }

  lost(how: string, cause?: StaleTokenError): LeaseLostError {
    const { lease, candidate, fencingToken } = this.tenure
    return new LeaseLostError(
      `"${candidate}" no longer leads: lease "${lease}" with token ${fencingToken} ${how}. ` +
        'Stop the task; what it wrote with the fence stays right.',
      { lease, cause },
    )
  }

  /** The time to write while leading: before the deadline, whatever the clock says from one reading to the next. */
  now(): Instant {
    const { wallMs, monotonicMs } = instantAfter(this.#base, this.#tenancy.clock)
    return { wallMs: Math.min(wallMs, this.deadline.expiresAtMs), monotonicMs }
  }

  /** The wall clock agrees with DynamoDB's: a tenure of months must not add up the drift of the monotonic clock. */
  rebase(): void {
    const now = instantOf(this.#tenancy.clock)
    this.deadline.recover(now, (now.monotonicMs - this.#base.monotonicMs) * RECOVERY)
    this.#base = now
  }

  /** The time to write with an end: never before the acquire, which was compared with DynamoDB's clock. */
  endMs(): number {
    const { askedAt, clock } = this.#tenancy
    return Math.max(askedAt.wallMs, endOf(this.#base, clock))
  }
}
