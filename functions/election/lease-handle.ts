import { checkedState, readState } from './checkpoint.ts'
import { copiedItems, Ends } from './ends.ts'
import { HandOverError, type HandOverReason, InvalidOptionError, StaleTokenError } from './errors.ts'
import { FencedWrites } from './fenced-writes.ts'
import { type Fenceable, fence, idempotencyKey } from './fencing.ts'
import { type Ended, Leadership, type Tenancy } from './leadership.ts'
import type { ClaimInput, Lease } from './lease.ts'
import { missedTicks } from './missed.ts'
import { announcementOf, plainState } from './plain-data.ts'
import { Renewals } from './renewals.ts'
import { RowWrites } from './row-writes.ts'
import type { Checkpoint } from './rules.ts'
import { show } from './show.ts'
import { effectsOf, type Row, type TransactItem, type WriteInput } from './stores/store.ts'
import { TickWork } from './tick-work.ts'
import { Turns } from './turns.ts'
import { copied } from './values.ts'

const MAX_MISSED = 1_000

/** The leader's handle: what the task sees as its `Lease`, and what starts and ends its tenure. */
export class LeaseHandle implements Lease {
  readonly name: string
  readonly candidate: string
  readonly fencingToken: number
  declare readonly tick?: string
  declare readonly lastCompletedTick?: string
  declare unfinished?: { readonly tick: string; readonly state: unknown }

  readonly #tenancy: Tenancy
  readonly #leadership: Leadership
  readonly #rowWrites: RowWrites
  readonly #renewals: Renewals
  readonly #ends: Ends
  #fencedWrites: FencedWrites | undefined
  readonly #work: TickWork
  /** A state whose check takes longer must not be saved after a newer one. */
  readonly #checks = new Turns(1)
  #missedBeforeOwn: readonly string[] | undefined

  constructor(tenancy: Tenancy) {
    const { record } = tenancy
    const { lease, holder, fencingToken, tick, completedTick, checkpoint } = record
    this.#tenancy = tenancy
    this.#leadership = new Leadership(tenancy)
    this.#rowWrites = new RowWrites(tenancy)
    this.#renewals = new Renewals(tenancy, this.#leadership, this.#rowWrites)
    this.#work = new TickWork(tick, checkpoint)
    this.#ends = new Ends(tenancy, this.#leadership, this.#rowWrites, this.#renewals, this.#work)
    this.name = lease
    this.candidate = holder
    this.fencingToken = fencingToken
    if (tick !== undefined) this.tick = tick
    if (completedTick !== undefined) this.lastCompletedTick = completedTick
    const isOlder = checkpoint?.tick !== undefined && tick !== undefined && checkpoint.tick < tick
    if (isOlder && checkpoint.tick > (completedTick ?? '')) {
      this.unfinished = { tick: checkpoint.tick, state: checkpoint.state }
    }
  }

  /** Starts the heartbeat and the watch over the deadline. Both end with the lease; no timer is left behind. */
  start(): void {
    if (this.#tenancy.continueBy !== undefined) void this.#leadership.askAtInvocationEnd()
    if (this.#tenancy.heartbeat) void this.#renewals.keepRenewing()
    else void this.#leadership.watchDeadline()
  }

  /** Before the task starts. @throws CheckpointError; what `assertHeld` throws, since a migration may take its time */
  async readCheckpoint(): Promise<void> {
    const { checkpoint: options, record } = this.#tenancy
    const { checkpoint, tick } = record
    if (options === undefined || checkpoint === undefined) return
    const { unfinished } = this
    if (checkpoint.tick !== tick && unfinished === undefined) return // this leader uses it for no tick
    const state = await readState(options, checkpoint, this.name)
    this.#work.saved(state === undefined ? undefined : { ...checkpoint, state })
    if (state === undefined) delete this.unfinished
    else if (unfinished !== undefined) this.unfinished = { ...unfinished, state }
    this.assertHeld()
  }

  /** Stops the timers and aborts the signal, without a request: for a task that failed, or may still be running. */
  abandon(): void {
    this.#leadership.abandon()
  }

  get ended(): Ended | 'replaced' | undefined {
    return this.#leadership.ended
  }

  get checkpoint(): unknown {
    return this.#work.checkpoint
  }

  get signal(): AbortSignal {
    return this.#leadership.signal
  }

  get missed(): readonly string[] {
    this.#missedBeforeOwn ??= this.#missed(undefined, MAX_MISSED)
    return this.#missedBeforeOwn
  }

  #missed(closedTick: string | undefined, atMost: number): readonly string[] {
    const { record, occurrences, schedule } = this.#tenancy
    if (record.tick === undefined || occurrences === undefined) return []
    const since = closedTick === undefined ? record : { ...record, completedTick: closedTick }
    return missedTicks(since, record.tick, occurrences, atMost, schedule?.isRate ? schedule.floorMs : 0)
  }

  ticks({ atMost = Number.POSITIVE_INFINITY } = {}): AsyncIterable<string> {
    return this.#work.loop(
      atMost,
      (closedTick) => {
        this.assertHeld()
        return this.#missed(closedTick, 1)[0]
      },
      () => this.#advance([]),
    )
  }

  async advance(items: readonly TransactItem[] = []): Promise<void> {
    await this.#advance(items)
  }

  async #advance(items: readonly TransactItem[]): Promise<string> {
    const given = copiedItems(items, 'advance')
    const tick = this.#work.missedTick
    if (tick === undefined) {
      throw new InvalidOptionError(
        'lease.advance() closes a missed tick in the loop of lease.ticks(), and no such tick is being worked. ' +
          'For the last tick of the loop, call lease.complete().',
      )
    }
    const closedTick = await this.#renewals.advance({ kind: 'advance', tick, ...this.#work.closing() }, given)
    this.#work.closed()
    return closedTick
  }

  giveUp(reason: string): void {
    this.#work.giveUp(reason)
  }

  remainingMs(): number {
    return this.#leadership.remainingMs()
  }

  assertHeld(): void {
    this.#leadership.assertLeading()
    this.#tenancy.signal?.throwIfAborted()
  }

  async renew(): Promise<void> {
    await this.#renewals.renew()
  }

  async saveCheckpoint(given: unknown): Promise<void> {
    const checkpoint = this.#work.checkpointOf(plainState(given, this.name))
    if (this.#tenancy.checkpoint === undefined) return await this.#save(checkpoint, checkpoint.state)
    const saved = this.#checks.take(async () => this.#save(...(await this.#checked(checkpoint))))
    await this.#rowWrites.ofTask(saved)
  }

  /** With the version of the option `checkpoint`; and the state as the task is to see it. */
  async #checked(checkpoint: Checkpoint): Promise<[checkpoint: Checkpoint, shown: unknown]> {
    const { checkpoint: options } = this.#tenancy
    if (options === undefined) return [checkpoint, checkpoint.state]
    const shown = await checkedState(options, copied(checkpoint.state), this.name)
    return [{ ...checkpoint, version: options.version }, shown]
  }

  async #save(checkpoint: Checkpoint, shown: unknown): Promise<void> {
    await this.#renewals.save({ kind: 'saveCheckpoint', checkpoint })
    this.#work.saved({ ...checkpoint, state: shown })
  }

  async handOver(given: unknown): Promise<void> {
    const { continueBy, maxContinuations, record } = this.#tenancy
    if (continueBy === undefined) {
      throw new InvalidOptionError(
        'lease.handOver needs the option continueBy, which starts the next invocation: selfInvoke() of ' +
          'tenure/continuation, and continues: true for the ElectedSchedule.',
        { lease: this.name },
      )
    }
    const checkpoint = this.#work.handedOver(plainState(given, this.name), record.acquiredAtMs)
    if (checkpoint.continuations > maxContinuations) {
      await this.saveCheckpoint(checkpoint.state)
      const error = new HandOverError(
        `The work of lease "${this.name}" was handed over ${maxContinuations} times already. Its state is saved, and ` +
          'a retry of the event continues from it. If the work is that long, raise the option maxContinuations.',
        { lease: this.name },
      )
      this.#ends.refuseHandOver(error)
      throw error
    }
    await this.#ends.handOver(checkpoint, async () => (await this.#checked(checkpoint))[0])
  }

  async proclaim(value: unknown): Promise<void> {
    await this.#renewals.save({ kind: 'proclaim', announcement: announcementOf(value, this.name) })
  }

  /** Aborts when this candidate needs no timer any more: the lease ended, or was given up. */
  get over(): AbortSignal {
    return this.#leadership.over
  }

  /** Asks the task to hand over, by `signal`. */
  requestHandOver(reason: HandOverReason, whatToDo: string): void {
    this.#leadership.requestHandOver(reason, whatToDo)
  }

  async resign(to: string, reservedMs: number): Promise<void> {
    await this.#ends.resign(to, reservedMs)
  }

  rebase(): void {
    this.#leadership.rebase()
  }

  async release(): Promise<void> {
    await this.#ends.release()
  }

  async fail(errorName: string): Promise<void> {
    await this.#ends.fail(errorName)
  }

  async complete(items: readonly TransactItem[] = []): Promise<void> {
    await this.#ends.complete(items)
  }

  async endAfterTask(): Promise<void> {
    await this.#ends.endAfterTask()
  }

  fence<Input extends Fenceable>(input: Input): Input {
    return fence(input, this.name, this.#fenced().unnumbered(input))
  }

  #fenced(): FencedWrites {
    this.#fencedWrites ??= new FencedWrites(this.name, this.fencingToken)
    return this.#fencedWrites
  }

  async claim(key: ClaimInput): Promise<Row> {
    const row = await this.send({ ...key, UpdateExpression: '', ReturnValues: 'ALL_NEW' })
    return row ?? {}
  }

  async send(input: WriteInput): Promise<Row | undefined> {
    assertTableName(input, this.name)
    this.assertHeld()
    const effects = effectsOf(this.#tenancy.store, this.name)
    try {
      return await this.#fenced().send(copied(input), effects, () => this.assertHeld())
    } catch (error) {
      if (error instanceof StaleTokenError) {
        const { name: lease, candidate, fencingToken } = this
        this.#tenancy.notify({ kind: 'staleWriteRefused', lease, candidate, fencingToken, error })
        this.#leadership.lose(`was taken over: a protected row was written under token ${error.seenToken}`, error)
      }
      throw error
    }
  }

  async transact(items: readonly TransactItem[]): Promise<void> {
    this.assertHeld()
    const given = copiedItems(items, 'transact')
    const token = crypto.randomUUID()
    await this.#rowWrites.guarded(async () => {
      this.assertHeld() // an earlier request may have taken its time, or found that the lease is lost
      const effects = effectsOf(this.#tenancy.store, this.name)
      const { granted } = await effects.transact(this.#leadership.tenure, given, token)
      if (!granted) throw this.#leadership.replaced()
    })
  }

  idempotencyKey(...unit: readonly (string | number)[]): string {
    return idempotencyKey(unit)
  }
}

/** DynamoDB's own error would not name the likely cause: an environment variable that is not set. */
function assertTableName(input: WriteInput, lease: string): void {
  const given: unknown = Object(input)['TableName']
  if (typeof given === 'string' && given !== '') return
  throw new InvalidOptionError(
    `A write by lease "${lease}" needs TableName, but it is ${show(given)}. Is the environment variable set? ` +
      'lease.send takes the input of a PutCommand, UpdateCommand or DeleteCommand.',
    { lease },
  )
}
