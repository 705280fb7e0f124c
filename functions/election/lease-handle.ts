import type { Clock } from './clock.ts'
import { Deadline, type Instant, instantAfter } from './deadline.ts'
import type { Tell } from './election-event.ts'
import { InvalidOptionError, LeaseLostError, LeaseStoreError, StaleTokenError } from './errors.ts'
import { type Fenceable, fence, idempotencyKey, seenToken } from './fencing.ts'
import type { ClaimInput, Lease } from './lease.ts'
import { type HolderWrite, isOwnWrite, type LeaseRecord, type Tenure } from './rules.ts'
import type { Effects, LeaseStore, Row, TransactItem, WriteInput, WriteReply } from './stores/store.ts'
import { missedTicks } from './tick.ts'

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
  /** The lease never reaches past this: the invocation's end and the grace for killing it. Infinity outside Lambda. */
  readonly latestExpiryMs: number
  readonly tell: Tell
}

const LONGEST_MARGIN_MS = 1_000

/** The lease in its leader's hands: sends its writes one by one, keeps it alive, and knows when it is over. */
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
  #queue: Promise<unknown> = Promise.resolve()
  #ended: 'completed' | 'released' | 'replaced' | undefined
  /** Being asked to complete or release: somebody else may lead already. */
  #ending = false
  /** Sends again the end that got no answer: the very same one, so that a release never turns into a completion. */
  #unansweredEnd: (() => Promise<void>) | undefined

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
    this.signal =
      tenancy.signal === undefined ? this.#loss.signal : AbortSignal.any([this.#loss.signal, tenancy.signal])
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
  get ended(): 'completed' | 'released' | 'replaced' | undefined {
    return this.#ended
  }

  get checkpoint(): unknown {
    return this.#checkpoint
  }

  remainingMs(): number {
    return this.#ended !== undefined || this.#ending ? 0 : this.#deadline.remainingMs()
  }

  assertHeld(): void {
    this.#assertLeading()
    this.signal.throwIfAborted()
  }

  #assertLeading(): void {
    if (this.#ended === 'completed' || this.#ended === 'released') {
      throw this.#lost(`was ${this.#ended} by this candidate itself`)
    }
    if (this.#ending) throw this.#lost('was asked to end, and may have')
    if (this.remainingMs() <= this.#marginMs) this.#lose('reached its deadline without being renewed')
    this.#loss.signal.throwIfAborted()
  }

  async renew(): Promise<void> {
    await this.#extend((step, nowMs, expiresAtMs) => ({ ...this.#tenure, kind: 'renew', step, nowMs, expiresAtMs }))
  }

  async saveCheckpoint(state: unknown): Promise<void> {
    if (state === undefined || typeof state === 'function') {
      throw new InvalidOptionError(
        `saveCheckpoint was given ${typeof state}. Give plain data; null or {} where there is nothing to say.`,
        { lease: this.name },
      )
    }
    const checkpoint = this.tick === undefined ? { state } : { tick: this.tick, state }
    await this.#extend((step, nowMs, expiresAtMs) => ({
      ...this.#tenure,
      kind: 'saveCheckpoint',
      step,
      nowMs,
      expiresAtMs,
      checkpoint,
    }))
    this.#checkpoint = state
  }

  async release(): Promise<void> {
    await this.#release({ endedBy: 'released' })
  }

  /** Release for a task that threw. */
  async fail(errorName: string): Promise<void> {
    await this.#release({ endedBy: 'failed', errorName })
  }

  async #release(how: { readonly endedBy: 'released' | 'failed'; readonly errorName?: string }): Promise<void> {
    await this.#end('released', (step, nowMs) => ({ ...this.#tenure, kind: 'release', step, nowMs, ...how }))
  }

  async complete(items: readonly TransactItem[] = []): Promise<void> {
    const send = (request: HolderWrite) =>
      items.length === 0 ? this.#tenancy.store.write(request) : this.#effects().completeWith(request, items)
    const tick = this.tick === undefined ? {} : { tick: this.tick }
    await this.#end('completed', (step, nowMs) => ({ ...this.#tenure, kind: 'complete', step, nowMs, ...tick }), send)
  }

  /**
   * Ends the lease after the task: completes it, or repeats the end that the task asked for and that got no answer. Worth
   * asking again until the lease expires, for the work is done.
   */
  async endWithRetries(): Promise<void> {
    for (;;) {
      try {
        return await (this.#unansweredEnd ?? (() => this.complete()))()
      } catch (error) {
        if (!isUnanswered(error) || this.#deadline.remainingMs() === 0) throw error
        await this.#breathe()
      }
    }
  }

  fence<Input extends Fenceable>(input: Input): Input {
    return fence(input, this.name, this.fencingToken)
  }

  async claim(key: ClaimInput): Promise<Row> {
    const row = await this.send({ ...key, UpdateExpression: '', ReturnValues: 'ALL_NEW' })
    return row ?? {}
  }

  async send(input: WriteInput): Promise<Row | undefined> {
    this.assertHeld()
    const fenced: WriteInput = { ...this.fence(input), ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }
    try {
      return await this.#effects().send(fenced)
    } catch (error) {
      throw this.#staleToken(error) ?? error
    }
  }

  async transact(items: readonly TransactItem[]): Promise<void> {
    this.assertHeld()
    await this.#exclusively(async () => {
      this.assertHeld() // an earlier request in the queue may have taken its time, or learned of the loss
      const { granted } = await this.#effects().transact(this.#tenure, items)
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
  async #extend(write: (step: number, nowMs: number, expiresAtMs: number) => HolderWrite): Promise<void> {
    this.#assertLeading()
    await this.#exclusively(async () => {
      this.#assertLeading()
      const { store, leaseMs, latestExpiryMs } = this.#tenancy
      const askedAt = this.#now()
      const expiresAtMs = Math.max(this.#deadline.expiresAtMs, Math.min(askedAt.wallMs + leaseMs, latestExpiryMs))
      await this.#write(write(++this.#step, askedAt.wallMs, expiresAtMs), (request) => store.write(request))
      this.#deadline.extend(askedAt, expiresAtMs)
      this.#assertLeading()
    })
  }

  /** Tried even after the deadline, and the answer believed: the row knows better than our clock who leads. */
  async #end(
    how: 'completed' | 'released',
    write: (step: number, nowMs: number) => HolderWrite,
    send: (request: HolderWrite) => Promise<WriteReply> = (request) => this.#tenancy.store.write(request),
  ): Promise<void> {
    await this.#exclusively(async () => {
      if (this.#ended === how) return
      if (this.#ended !== undefined) throw this.#lost(`was ${this.#ended} before`)
      this.#ending = true
      try {
        await this.#write(write(++this.#step, this.#now().wallMs), send)
      } catch (error) {
        this.#ending = isUnanswered(error)
        this.#unansweredEnd = this.#ending ? () => this.#end(how, write, send) : undefined
        throw error
      }
      this.#ended = how
      this.#timers.abort()
    })
  }

  async #write(request: HolderWrite, send: (request: HolderWrite) => Promise<WriteReply>): Promise<void> {
    const reply = await send(request)
    if (!reply.granted && !isOwnWrite(reply.record, request)) throw this.#replaced(reply.record)
  }

  /** One lease sends one request at a time: two on the same row would conflict, or overtake each other. */
  async #exclusively<T>(send: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(send)
    this.#queue = turn.catch(() => undefined)
    return await turn
  }

  async #keepRenewing(): Promise<void> {
    const { clock, leaseMs, latestExpiryMs } = this.#tenancy
    const stop = this.#timers.signal
    while (!stop.aborted && !this.#loss.signal.aborted && this.#deadline.expiresAtMs < latestExpiryMs) {
      const dueInMs = this.#deadline.remainingMs() - (leaseMs * 2) / 3
      if (dueInMs > 0) {
        await clock.sleep(Math.ceil(dueInMs), stop) // then look again: a checkpoint extends the lease as well
      } else {
        await this.renew().catch(() => undefined) // tried until the deadline, of which #watchDeadline tells
        await this.#breathe() // where the clocks disagree it may be due again at once
      }
    }
  }

  /** The time to write down. */
  #now(): Instant {
    return instantAfter(this.#tenancy.askedAt, this.#tenancy.clock)
  }

  /** Between two tries of the same write. */
  async #breathe(): Promise<void> {
    await this.#tenancy.clock.sleep(this.#tenancy.leaseMs / 12, this.#timers.signal)
  }

  async #watchDeadline(): Promise<void> {
    const stop = this.#timers.signal
    while (!stop.aborted && !this.#loss.signal.aborted) {
      const leftMs = this.#deadline.remainingMs() - this.#marginMs
      if (leftMs <= 0) this.#lose('reached its deadline without being renewed')
      else await this.#tenancy.clock.sleep(Math.ceil(leftMs), stop)
    }
  }

  #replaced(record?: LeaseRecord): LeaseLostError {
    this.#ended = 'replaced'
    const by = record?.holder === undefined ? '' : ` by "${record.holder}" with token ${record.fencingToken}`
    return this.#lose(`was taken over${by}`)
  }

  #lose(how: string): LeaseLostError {
    const error = this.#lost(how)
    if (!this.#loss.signal.aborted) this.#tenancy.tell({ kind: 'lost', ...this.#self(), error })
    this.#loss.abort(error)
    return error
  }

  #self() {
    return { lease: this.name, candidate: this.candidate, fencingToken: this.fencingToken }
  }

  #lost(how: string): LeaseLostError {
    return new LeaseLostError(
      `"${this.candidate}" no longer leads: lease "${this.name}" with token ${this.fencingToken} ${how}. Stop the task; what it wrote with the fence stays right.`,
      { lease: this.name },
    )
  }

  #staleToken(error: unknown): StaleTokenError | undefined {
    if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException' || !('Item' in error))
      return undefined
    const seen = seenToken(error.Item, this.name)
    if (seen === undefined || seen <= this.fencingToken) return undefined
    const stale = new StaleTokenError(
      `The row was already written under token ${seen} of lease "${this.name}"; this leader has ${this.fencingToken} and was replaced. Nothing was written.`,
      { lease: this.name, fencingToken: this.fencingToken, seenToken: seen, cause: error },
    )
    this.#tenancy.tell({ kind: 'staleWriteRefused', ...this.#self(), error: stale })
    return stale
  }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof LeaseStoreError && error.retryable
}

/** The name under which a failed tenure is recorded: the error's class, never its message, which may hold a secret. */
export function errorNameOf(error: unknown): string {
  return error instanceof Error ? String(error.name).slice(0, 100) : 'Error'
}
