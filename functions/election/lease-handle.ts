import type { Clock } from './clock.ts'
import { Deadline, endOf, type Instant, instantAfter } from './deadline.ts'
import type { Tell } from './election-event.ts'
import { InvalidOptionError, LeaseError, LeaseLostError, LeaseStoreError, StaleTokenError } from './errors.ts'
import { FencedWrites } from './fenced-writes.ts'
import { type Fenceable, fence, idempotencyKey } from './fencing.ts'
import { whileInvocationLasts } from './invocation.ts'
import type { ClaimInput, Lease } from './lease.ts'
import { type HolderWrite, isHeldBy, isOwnWrite, type LeaseRecord, type Tenure } from './rules.ts'
import { eitherSignal, unlessAborted } from './signals.ts'
import type { Effects, LeaseStore, Row, TransactItem, WriteInput, WriteReply } from './stores/store.ts'
import { missedTicks } from './tick.ts'
import { Turns } from './turns.ts'
import { copied, plainState } from './values.ts'

export interface Tenancy {
  readonly store: LeaseStore
  readonly clock: Clock
  /** The row as this candidate's acquire left it. */
  readonly record: LeaseRecord & { readonly holder: string }
  /** Before the acquire was sent: the deadline counts from there. */
  readonly askedAt: Instant
  readonly leaseMs: number
  readonly heartbeat: boolean
  readonly periodMs: number | undefined
  /** The caller's own signal, which aborts the lease's too. */
  readonly signal: AbortSignal | undefined
  /** Until the invocation ends, in milliseconds, and the part of that which is kept for the answer; Infinity outside Lambda. */
  readonly remainingMs: () => number
  readonly answerMs: number
  /** The lease never reaches past this: the invocation's end and the grace for killing it. Infinity outside Lambda. */
  readonly latestExpiryMs: number
  readonly tell: Tell
}

const LONGEST_MARGIN_MS = 1_000
/** Between two tries of an end, in milliseconds. */
const LONGEST_PAUSE_MS = 1_000

/** A release after a failed task is only a courtesy: the lease expires by itself, and the task's error must get out. */
const RELEASE_TRIES = 3

type Ended = 'completed' | 'released'

/** An end that was asked for. Every send of it is the same write, under the same step, so that it is done once. */
interface Ending {
  readonly how: Ended
  /** Once the signal aborts, the answer is not waited for. */
  send(signal: AbortSignal): Promise<void>
}

/** The leader's handle: serializes the writes of the lease row, keeps the lease, and tracks its deadline. */
export class LeaseHandle implements Lease {
  readonly name: string
  readonly candidate: string
  readonly fencingToken: number
  declare readonly tick?: string
  declare readonly lastCompletedTick?: string
  declare readonly missedTicks?: number
  declare readonly unfinished?: { readonly tick: string; readonly state: unknown }
  readonly signal: AbortSignal

  readonly #tenancy: Tenancy
  readonly #tenure: Tenure
  readonly #loss = new AbortController()
  readonly #timers = new AbortController()
  readonly #marginMs: number
  #checkpoint: unknown
  readonly #deadline: Deadline
  #step = 0
  /**
   * One request at a time on the lease row: two at once would conflict, or overtake each other. Renewals go ahead: a leader
   * with many effects to guard must not lose its lease for want of a turn.
   */
  readonly #turns = new Turns(1)
  /** A guarded transaction has the turn. */
  #guarding = false
  /** The task's own writes of the lease row that wait or are under way, and how many have ended. */
  readonly #taskWrites = new Set<Promise<unknown>>()
  #taskWritesEnded = 0
  /** Of two ends, the second learns what became of the first. */
  readonly #ends = new Turns(1)
  readonly #writes: FencedWrites
  #ended: Ended | 'replaced' | undefined
  /** Sent, and not refused: it may have been applied, so that another may lead already. */
  #ending: Ending | undefined
  /** Aborted once an end is sent: a renewal is obsolete then. */
  #renewals = new AbortController()

  constructor(tenancy: Tenancy) {
    const { record, askedAt, periodMs } = tenancy
    const { tick, completedTick, checkpoint } = record
    this.#tenancy = tenancy
    this.#tenure = {
      lease: record.lease,
      candidate: record.holder,
      attempt: record.attempt,
      fencingToken: record.fencingToken,
    }
    this.name = record.lease
    this.candidate = record.holder
    this.fencingToken = record.fencingToken
    if (tick !== undefined) this.tick = tick
    if (completedTick !== undefined) this.lastCompletedTick = completedTick
    if (tick !== undefined && completedTick !== undefined && periodMs !== undefined) {
      this.missedTicks = missedTicks(completedTick, tick, periodMs)
    }
    if (checkpoint !== undefined && checkpoint.tick === tick) this.#checkpoint = checkpoint.state
    if (checkpoint?.tick !== undefined && tick !== undefined && checkpoint.tick < tick) {
      this.unfinished = { tick: checkpoint.tick, state: checkpoint.state }
    }
    this.#writes = new FencedWrites(record.lease, record.fencingToken)
    this.signal = eitherSignal(this.#loss.signal, tenancy.signal, this.#timers.signal)
    this.#deadline = new Deadline(tenancy.clock, askedAt, record.expiresAtMs)
    this.#marginMs = Math.min(LONGEST_MARGIN_MS, (record.expiresAtMs - askedAt.wallMs) / 10)
  }

  /** Starts the heartbeat and the watch over the deadline. Both end with the lease; no timer survives it. */
  start(): void {
    void this.#watchDeadline()
    if (this.#tenancy.heartbeat) void this.#keepRenewing()
  }

  /**
   * Ends both without a request, for a leader whose task failed or is left behind: a lease that is still held expires by
   * itself. Whatever of the task still runs is told by the signal.
   */
  abandon(): void {
    this.#timers.abort()
    if (this.#ended !== 'completed') this.#loss.abort(this.#lost('was given up'))
  }

  /** How the lease ended, if it has; `replaced` where a write learned that another candidate leads. */
  get ended(): Ended | 'replaced' | undefined {
    return this.#ended
  }

  get checkpoint(): unknown {
    return this.#checkpoint
  }

  remainingMs(): number {
    const isOver = this.#ended !== undefined || this.#ending !== undefined || this.#loss.signal.aborted
    return isOver ? 0 : this.#deadline.remainingMs()
  }

  assertHeld(): void {
    this.#assertLeading()
    this.signal.throwIfAborted()
  }

  #assertLeading(): void {
    if (this.#ended === 'completed' || this.#ended === 'released') {
      throw this.#lost(`was ${this.#ended} by this candidate itself`)
    }
    if (this.#ending !== undefined) throw this.#lost('was asked to end, and may have')
    this.#loss.signal.throwIfAborted()
    if (this.remainingMs() <= this.#marginMs) throw this.#lose('reached its deadline without being renewed')
  }

  async renew(): Promise<void> {
    const renewals = this.#renewals.signal
    renewals.throwIfAborted()
    await this.#extend(
      (step, nowMs, expiresAtMs) => ({ ...this.#tenure, kind: 'renew', step, nowMs, expiresAtMs }),
      renewals,
    )
  }

  async saveCheckpoint(state: unknown): Promise<void> {
    const given = plainState(state, this.name)
    const checkpoint = this.tick === undefined ? { state: given } : { tick: this.tick, state: given }
    await this.#extend((step, nowMs, expiresAtMs) => ({
      ...this.#tenure,
      kind: 'saveCheckpoint',
      step,
      nowMs,
      expiresAtMs,
      checkpoint,
    }))
    this.#checkpoint = given
  }

  async release(): Promise<void> {
    await this.#release({ endedBy: 'released' })
  }

  /** Release for a task that threw. */
  async fail(errorName: string): Promise<void> {
    await this.#release({ endedBy: 'failed', errorName }, RELEASE_TRIES)
  }

  async #release(
    how: { readonly endedBy: 'released' | 'failed'; readonly errorName?: string },
    tries = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { store } = this.#tenancy
    const write = (step: number) => (signal: AbortSignal) =>
      this.#write({ ...this.#tenure, kind: 'release', step, nowMs: this.#endMs(), ...how }, (request) =>
        store.write(request, signal),
      )
    await this.#end('released', write, { tries })
  }

  async complete(items: readonly TransactItem[] = []): Promise<void> {
    const given = copied(assertItems(items, 'complete'))
    const tick = this.tick === undefined ? {} : { tick: this.tick }
    const { store } = this.#tenancy
    const request = (step: number) =>
      ({ ...this.#tenure, kind: 'complete', step, nowMs: this.#endMs(), ...tick }) as const
    if (given.length === 0) {
      const write = (step: number) => (signal: AbortSignal) =>
        this.#write(request(step), (completion) => store.write(completion, signal))
      await this.#end('completed', write)
      return
    }
    const token = crypto.randomUUID()
    const write = (step: number) => {
      const first = request(step) // the token stands for this transaction, to the byte
      return () => this.#write(first, () => this.#effects().completeWith(first, given, token))
    }
    await this.#end('completed', write, { onlyOnce: true })
  }

  /** Ends the lease after the task: completes it, or asks again for the end that the task asked for and that got no answer. */
  async endAfterTask(): Promise<void> {
    await this.#ends.take(async () => undefined) // an end that the task has left on its way
    if (this.#ended === 'completed' || this.#ended === 'released') return
    const ending = this.#ending
    if (ending === undefined) return await this.complete()
    try {
      await this.#ends.take(() => this.#sendEnd(ending))
    } catch (cause) {
      if (cause instanceof LeaseError) throw cause
      throw new LeaseStoreError(
        `The task's own completion of lease "${this.name}" got no answer, and when asked again DynamoDB refused its items. The tick is not recorded as done.`,
        { lease: this.name, retryable: false, cause },
      )
    }
  }

  fence<Input extends Fenceable>(input: Input): Input {
    return fence(input, this.name, this.#writes.unnumbered(input))
  }

  async claim(key: ClaimInput): Promise<Row> {
    const row = await this.send({ ...key, UpdateExpression: '', ReturnValues: 'ALL_NEW' })
    return row ?? {}
  }

  async send(input: WriteInput): Promise<Row | undefined> {
    this.assertHeld()
    try {
      return await this.#writes.send(copied(input), this.#effects(), () => this.assertHeld())
    } catch (error) {
      if (error instanceof StaleTokenError) {
        this.#tenancy.tell({ kind: 'staleWriteRefused', ...this.#self(), error })
        this.#lose(`was taken over: a protected row was written under token ${error.seenToken}`, error)
      }
      throw error
    }
  }

  async transact(items: readonly TransactItem[]): Promise<void> {
    this.assertHeld()
    const given = copied(assertItems(items, 'transact'))
    const token = crypto.randomUUID()
    await this.#inTurn(async () => {
      this.assertHeld() // an earlier request may have taken its time, or learned of the loss
      this.#guarding = true
      const { granted } = await this.#effects()
        .transact(this.#tenure, given, token)
        .finally(() => {
          this.#guarding = false
        })
      if (!granted) throw this.#replaced()
    })
  }

  idempotencyKey(...unit: readonly (string | number)[]): string {
    return idempotencyKey(unit)
  }

  #effects(): Effects {
    const { effects } = this.#tenancy.store
    if (effects !== undefined) return effects
    throw new LeaseStoreError(
      `The store of lease "${this.name}" has no tables to write to. Use DynamoDBLeaseStore for send, claim, transact and complete(items).`,
      { lease: this.name, retryable: false },
    )
  }

  /** H3: an extension is never sent after the deadline, when another candidate may lead already. */
  async #extend(
    write: (step: number, nowMs: number, expiresAtMs: number) => HolderWrite,
    obsolete?: AbortSignal,
  ): Promise<void> {
    this.#assertLeading()
    const extend = async (): Promise<void> => {
      this.#assertLeading()
      const { store, leaseMs, latestExpiryMs } = this.#tenancy
      const askedAt = this.#now()
      const expiresAtMs = Math.max(this.#deadline.expiresAtMs, Math.min(askedAt.wallMs + leaseMs, latestExpiryMs))
      const request = write(++this.#step, askedAt.wallMs, expiresAtMs)
      const reply = await unlessAborted(store.write(request, obsolete), obsolete)
      if (!reply.granted && isHeldBy(reply.record, request) && reply.record.step > request.step) {
        // H2 alone: a newer write of mine was ahead. It has extended the lease, but did not save this checkpoint.
        return request.kind === 'renew' ? undefined : await extend()
      }
      this.#assertApplied(reply, request)
      this.#deadline.extend(askedAt, expiresAtMs)
      this.#assertLeading()
    }
    if (obsolete === undefined) return await this.#inTurn(extend)
    // A guarded transaction that hangs must not cost the lease. Side by side on one row, at worst they conflict once.
    const { clock, leaseMs } = this.#tenancy
    const sent = new AbortController()
    const patience = this.#guarding ? { patience: () => clock.sleep(leaseMs / 12, sent.signal) } : {}
    await this.#turns.take(extend, { ahead: true, ...patience }).finally(() => sent.abort())
  }

  async #inTurn<T>(send: () => Promise<T>): Promise<T> {
    const sent = this.#turns.take(send)
    this.#taskWrites.add(sent)
    try {
      return await sent
    } finally {
      this.#taskWrites.delete(sent)
      this.#taskWritesEnded++
    }
  }

  /**
   * Waits for what the task has left on its way, as long as some of it ends; meanwhile renewals go on. What hangs must not
   * hold up an end: if it arrives later, the vacant row refuses it.
   */
  async #taskWritesSettled(): Promise<void> {
    const { clock, leaseMs } = this.#tenancy
    for (let ended = -1; this.#taskWrites.size > 0 && ended !== this.#taskWritesEnded; ) {
      ended = this.#taskWritesEnded
      const patienceMs = Math.min(leaseMs / 3, Math.max(0, this.#invocationMs() / 2))
      const all = new AbortController()
      const settled = Promise.allSettled(this.#taskWrites)
      await Promise.race([settled, clock.sleep(patienceMs, all.signal)]).finally(() => all.abort())
    }
  }

  /** What is left of the invocation but for its answer, in milliseconds. */
  #invocationMs(): number {
    return this.#tenancy.remainingMs() - this.#tenancy.answerMs
  }

  /**
   * Tried even after the deadline, and the answer believed: the row knows better than our clock who leads. An end waits for
   * the task's own writes, not for a renewal, which may hang: if that arrives later, H1 refuses it, for the lease is vacant,
   * and H2 if it arrives under the same tenure.
   */
  async #end(
    how: Ended,
    write: (step: number) => Ending['send'],
    { tries = Number.POSITIVE_INFINITY, onlyOnce = false } = {},
  ): Promise<void> {
    await this.#ends.take(async () => {
      if (this.#ended === how && !onlyOnce) return
      if (this.#ended !== undefined) throw this.#lost(`was ${this.#ended} before`)
      await this.#taskWritesSettled()
      this.#renewals.abort(this.#lost('was asked to end'))
      const hanging = this.#taskWrites.size > 0 ? { patience: async () => undefined } : {}
      await this.#turns.take(() => this.#sendEnd({ how, send: write(++this.#step) }, tries), {
        ahead: true,
        ...hanging,
      })
    })
  }

  /**
   * Sends an end until the row grants or refuses it, the deadline is over or the invocation about to end: what the task did
   * is not thrown away, and what it came to is still reported.
   */
  async #sendEnd(ending: Ending, tries = Number.POSITIVE_INFINITY): Promise<void> {
    this.#ending = ending
    let mayArrive = false
    for (let tried = 1; ; tried++) {
      try {
        await this.#beforeInvocationEnds((signal) => ending.send(signal))
        break
      } catch (error) {
        const mayPass = error instanceof LeaseStoreError && error.retryable
        mayArrive ||= error instanceof LeaseStoreError && error.applied === 'unknown'
        if (!mayPass && !mayArrive) this.#goOn()
        const leftMs = this.#deadline.remainingMs()
        const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(50, leftMs / 4))
        const isOver = leftMs === 0 || this.#invocationMs() <= pauseMs || this.#timers.signal.aborted
        if (!mayPass || tried >= tries || isOver) throw error
        await this.#pauseBeforeRetry(pauseMs)
      }
    }
    this.#ended = ending.how
    this.#timers.abort()
  }

  /** Gives up a request that would leave no time to answer: half of what is kept for that, if there is still so much. */
  async #beforeInvocationEnds<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, remainingMs, answerMs } = this.#tenancy
    const unanswered = `DynamoDB has not answered the end of lease "${this.name}", and the invocation is about to end. Give the function more time if DynamoDB is this slow.`
    const leftMs = remainingMs()
    if (leftMs <= 0) return await send(new AbortController().signal) // over by its own account: Lambda decides
    const keptMs = Math.min(answerMs, leftMs) / 2
    return await whileInvocationLasts({ clock, lease: this.name, remainingMs, unanswered }, keptMs, send)
  }

  /** The end was refused, and no try of it can still arrive: the task may go on, or ask for another. */
  #goOn(): void {
    this.#ending = undefined
    this.#renewals = new AbortController()
  }

  async #write(request: HolderWrite, send: (request: HolderWrite) => Promise<WriteReply>): Promise<void> {
    this.#assertApplied(await send(request), request)
  }

  #assertApplied(reply: WriteReply, request: HolderWrite): void {
    if (reply.granted || isOwnWrite(reply.record, request)) return
    const { record } = reply
    const isVacant = record !== undefined && record.holder === undefined
    if (!isVacant || record.attempt !== request.attempt || record.fencingToken !== request.fencingToken) {
      throw this.#replaced(record)
    }
    // Ended by an earlier end of mine, whose answer was lost: no other candidate has a part in that.
    this.#ended = record.endedBy === 'completed' ? 'completed' : 'released'
    this.#timers.abort()
    throw this.#lost(`was ${this.#ended} before, by a request whose answer was lost`)
  }

  async #keepRenewing(): Promise<void> {
    const { clock, leaseMs, latestExpiryMs } = this.#tenancy
    const stop = this.#timers.signal
    while (!stop.aborted && !this.#loss.signal.aborted && this.#deadline.expiresAtMs < latestExpiryMs) {
      const dueInMs = this.#deadline.remainingMs() - (leaseMs * 2) / 3
      if (dueInMs > 0) {
        await clock.sleep(Math.ceil(dueInMs), stop) // then look again: a checkpoint extends the lease as well
      } else {
        await this.renew().catch(() => undefined) // tried until the deadline, which #watchDeadline watches
        await this.#pauseBeforeRetry() // if the clocks disagree it may be due again at once
      }
    }
  }

  /** The time to write down while leading: before the deadline, whatever the clock says from one reading to the next. */
  #now(): Instant {
    const { wallMs, monotonicMs } = instantAfter(this.#tenancy.askedAt, this.#tenancy.clock)
    return { wallMs: Math.min(wallMs, this.#deadline.expiresAtMs), monotonicMs }
  }

  /** The time to write down with an end: never before the acquire, which was compared with DynamoDB's clock. */
  #endMs(): number {
    const { askedAt, clock } = this.#tenancy
    return Math.max(askedAt.wallMs, endOf(askedAt, clock))
  }

  async #pauseBeforeRetry(atMostMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock, leaseMs } = this.#tenancy
    await clock.sleep(Math.min(leaseMs / 12, atMostMs), this.#timers.signal)
  }

  async #watchDeadline(): Promise<void> {
    const stop = this.#timers.signal
    while (!stop.aborted && !this.#loss.signal.aborted) {
      const leftMs = this.#deadline.remainingMs() - this.#marginMs
      if (leftMs > 0) await this.#tenancy.clock.sleep(Math.ceil(leftMs), stop)
      // An end under way is neither a loss nor known not to be one.
      else if (this.#ending !== undefined) await this.#pauseBeforeRetry()
      else this.#lose('reached its deadline without being renewed')
    }
  }

  #replaced(record?: LeaseRecord): LeaseLostError {
    this.#ended = 'replaced'
    const by = record?.holder === undefined ? '' : ` by "${record.holder}" with token ${record.fencingToken}`
    return this.#lose(`was taken over${by}`)
  }

  #lose(how: string, cause?: StaleTokenError): LeaseLostError {
    const error = this.#lost(how, cause)
    if (!this.#loss.signal.aborted) this.#tenancy.tell({ kind: 'lost', ...this.#self(), error })
    this.#loss.abort(error)
    return error
  }

  #self() {
    return { lease: this.name, candidate: this.candidate, fencingToken: this.fencingToken }
  }

  #lost(how: string, cause?: StaleTokenError): LeaseLostError {
    return new LeaseLostError(
      `"${this.candidate}" no longer leads: lease "${this.name}" with token ${this.fencingToken} ${how}. Stop the task; what it wrote with the fence stays right.`,
      { lease: this.name, cause },
    )
  }
}

function assertItems(items: readonly TransactItem[], call: string): readonly TransactItem[] {
  if (Array.isArray(items)) return items
  throw new InvalidOptionError(
    `lease.${call} takes a list of items of a transaction, like [{ Put: { TableName, Item } }].`,
  )
}
