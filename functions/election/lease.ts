import type { Clock } from './clock.ts'
import { LeaseLostError, LeaseStoreError, StaleTokenError } from './errors.ts'
import { type Fenceable, fence, idempotencyKey, seenToken } from './fencing.ts'
import { type HolderWrite, isOwnWrite, type LeaseRecord, type Tenure } from './rules.ts'
import type { Effects, LeaseStore, Row, TransactItem, WriteInput, WriteReply } from './stores/store.ts'
import { missedTicks } from './tick.ts'

/** What a leader holds while its task runs. */
export interface Lease {
  readonly name: string
  readonly candidate: string
  /** Higher than the token of every leader before. */
  readonly fencingToken: number
  /** The tick being worked, canonical ISO-8601 UTC; absent for a lease without ticks. */
  readonly tick?: string
  readonly lastCompletedTick?: string
  /** How many ticks between `lastCompletedTick` and `tick` nobody completed; known where the period is. */
  readonly missedTicks?: number
  /** What an earlier leader of this very tick saved, or this one did. */
  readonly checkpoint?: unknown
  /** What the leader of an earlier tick saved without ever completing it. */
  readonly unfinished?: { readonly tick: string; readonly state: unknown }
  /** Aborts with a LeaseLostError a margin before the deadline, and at once when a write learns that another leads. */
  readonly signal: AbortSignal
  /** Milliseconds until this candidate must stop, by the earlier of two clocks; 0 where it must have. */
  remainingMs(): number
  /** @throws LeaseLostError unless this candidate may still act as the leader */
  assertHeld(): void
  /** Extends the lease: one request. Needed only with `heartbeat: false`. @throws LeaseLostError, LeaseStoreError */
  renew(): Promise<void>
  /** Stores plain data (up to about 300 KB) for whoever finishes this tick, and extends the lease: one request. @throws LeaseLostError, LeaseStoreError, InvalidOptionError */
  saveCheckpoint(state: unknown): Promise<void>
  /** Gives up the lease without completing the tick, so that another candidate may. @throws LeaseLostError, LeaseStoreError */
  release(): Promise<void>
  /**
   * Records the tick as done and gives up the lease, which returning from the task does too. With `items`, in one
   * transaction with them: exactly once per tick. @throws LeaseLostError, LeaseStoreError, TransactionCanceledException of your own conditions
   */
  complete(items?: readonly TransactItem[]): Promise<void>
  /** The Put, Update or Delete input with the token's condition added. Pure: sends nothing. */
  fence<Input extends Fenceable>(input: Input): Input
  /** Raises a row's token to this leader's and returns the row: what is read so, no older leader can still change. One write. @throws StaleTokenError, LeaseLostError */
  claim(key: ClaimInput): Promise<Row>
  /** Fences the input and sends it; returns its `Attributes`. @throws StaleTokenError, LeaseLostError, and other failed conditions as they are */
  send(input: WriteInput): Promise<Row | undefined>
  /** Sends all of `items` or nothing, and only while the lease row still says that this candidate leads. @throws LeaseLostError, TransactionCanceledException of your own conditions */
  transact(items: readonly TransactItem[]): Promise<void>
  /** A key of idempotency for a third party, from the business unit alone: ('charge', customer, period). */
  idempotencyKey(...unit: readonly (string | number)[]): string
}

export interface ClaimInput {
  readonly TableName: string
  readonly Key: Record<string, unknown>
  readonly ConditionExpression?: string
  readonly ExpressionAttributeNames?: Record<string, string>
  readonly ExpressionAttributeValues?: Record<string, unknown>
}

export interface Tenancy {
  readonly store: LeaseStore
  readonly clock: Clock
  /** The row as this candidate's acquire left it. */
  readonly record: LeaseRecord & { readonly holder: string }
  /** Both clocks, read before the acquire was sent: the deadline counts from there. */
  readonly askedAt: { readonly wallMs: number; readonly monotonicMs: number }
  readonly leaseMs: number
  readonly heartbeat: boolean
  readonly periodMs: number | undefined
  /** The caller's own signal, which aborts the lease's too. */
  readonly signal: AbortSignal | undefined
  /** The lease never reaches past this: the invocation's end and the grace for killing it. Infinity outside Lambda. */
  readonly latestExpiryMs: number
}

const LONGEST_MARGIN_MS = 1_000

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
  #expiresAtMs: number
  #deadlineMonotonicMs: number
  #step = 0
  #queue: Promise<unknown> = Promise.resolve()
  #ended: 'completed' | 'released' | 'replaced' | undefined
  /** Asked to complete or release, and not known to be refused: somebody else may lead already. */
  #ending = false

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
    this.#expiresAtMs = record.expiresAtMs
    const lengthMs = record.expiresAtMs - askedAt.wallMs
    this.#deadlineMonotonicMs = askedAt.monotonicMs + lengthMs
    this.#marginMs = Math.min(LONGEST_MARGIN_MS, lengthMs / 10)
  }

  /** Starts the heartbeat and the watch over the deadline. Both end with the lease; no timer survives it. */
  start(): void {
    void this.#watchDeadline()
    if (this.#tenancy.heartbeat) void this.#keepRenewing()
  }

  /** Ends both without a request: for a leader that must leave its task behind. The lease then expires by itself. */
  abandon(): void {
    this.#timers.abort()
  }

  /** How the lease ended, if it has; `replaced` where a write learned that another candidate leads. */
  get ended(): 'completed' | 'released' | 'replaced' | undefined {
    return this.#ended
  }

  get checkpoint(): unknown {
    return this.#checkpoint
  }

  remainingMs(): number {
    return this.#ended !== undefined || this.#ending ? 0 : this.#untilDeadlineMs()
  }

  #untilDeadlineMs(): number {
    const { clock } = this.#tenancy
    const byWallMs = this.#expiresAtMs - clock.wallMs()
    const byMonotonicMs = this.#deadlineMonotonicMs - clock.monotonicMs()
    return Math.max(0, Math.min(byWallMs, byMonotonicMs))
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
    await this.#end('released', (step, nowMs) => ({
      ...this.#tenure,
      kind: 'release',
      step,
      nowMs,
      endedBy: 'released',
    }))
  }

  /** Release for a task that threw. */
  async fail(errorName: string): Promise<void> {
    await this.#end('released', (step, nowMs) => ({
      ...this.#tenure,
      kind: 'release',
      step,
      nowMs,
      endedBy: 'failed',
      errorName,
    }))
  }

  async complete(items: readonly TransactItem[] = []): Promise<void> {
    const send = (request: HolderWrite) =>
      items.length === 0 ? this.#tenancy.store.write(request) : this.#effects().completeWith(request, items)
    const tick = this.tick === undefined ? {} : { tick: this.tick }
    await this.#end('completed', (step, nowMs) => ({ ...this.#tenure, kind: 'complete', step, nowMs, ...tick }), send)
  }

  /** The work is done: a completion that got no answer is worth asking again until the lease expires. */
  async completeWithRetries(): Promise<void> {
    for (;;) {
      try {
        return await this.complete()
      } catch (error) {
        if (!isUnanswered(error) || this.#untilDeadlineMs() === 0) throw error
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
      const { clock, store, leaseMs, latestExpiryMs } = this.#tenancy
      const wallMs = clock.wallMs()
      const monotonicMs = clock.monotonicMs()
      const expiresAtMs = Math.max(this.#expiresAtMs, Math.min(wallMs + leaseMs, latestExpiryMs))
      await this.#write(write(++this.#step, wallMs, expiresAtMs), (request) => store.write(request))
      // A wall clock that was set back must not stretch the monotonic deadline, nor a frozen monotonic clock the other.
      this.#deadlineMonotonicMs = Math.min(
        this.#deadlineMonotonicMs + (expiresAtMs - this.#expiresAtMs),
        monotonicMs + (expiresAtMs - wallMs),
      )
      this.#expiresAtMs = expiresAtMs
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
      if (this.#ended !== undefined) throw this.#lost(`was ${this.#ended} before`)
      this.#ending = true
      try {
        await this.#write(write(++this.#step, this.#tenancy.clock.wallMs()), send)
      } catch (error) {
        this.#ending = isUnanswered(error)
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
    while (!stop.aborted && !this.#loss.signal.aborted && this.#expiresAtMs < latestExpiryMs) {
      const dueInMs = this.#untilDeadlineMs() - (leaseMs * 2) / 3
      if (dueInMs > 0)
        await clock.sleep(Math.ceil(dueInMs), stop) // then look again: a checkpoint extends the lease as well
      else await this.renew().catch(() => this.#breathe()) // tried until the deadline, of which #watchDeadline tells
    }
  }

  /** Between two tries of a request that got no answer. */
  async #breathe(): Promise<void> {
    await this.#tenancy.clock.sleep(this.#tenancy.leaseMs / 12, this.#timers.signal)
  }

  async #watchDeadline(): Promise<void> {
    const stop = this.#timers.signal
    while (!stop.aborted && !this.#loss.signal.aborted) {
      const leftMs = this.#untilDeadlineMs() - this.#marginMs
      if (leftMs <= 0) this.#lose('reached its deadline without being renewed')
      else await this.#tenancy.clock.sleep(Math.ceil(leftMs), stop)
    }
  }

  #replaced(record?: LeaseRecord): LeaseLostError {
    this.#ended = 'replaced'
    const by = record?.holder === undefined ? '' : ` by "${record.holder}" with token ${record.fencingToken}`
    const error = this.#lose(`was taken over${by}`)
    this.#timers.abort()
    return error
  }

  #lose(how: string): LeaseLostError {
    const error = this.#lost(how)
    this.#loss.abort(error)
    return error
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
    return new StaleTokenError(
      `The row was already written under token ${seen} of lease "${this.name}"; this leader has ${this.fencingToken} and was replaced. Nothing was written.`,
      { lease: this.name, fencingToken: this.fencingToken, seenToken: seen, cause: error },
    )
  }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof LeaseStoreError && error.retryable
}

/** The name under which a failed tenure is recorded: the error's class, never its message, which may hold a secret. */
export function errorNameOf(error: unknown): string {
  return error instanceof Error ? error.name.slice(0, 100) : 'Error'
}
