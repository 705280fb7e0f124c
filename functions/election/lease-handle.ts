import { copiedItems, Ends } from './ends.ts'
import { InvalidOptionError, StaleTokenError } from './errors.ts'
import { FencedWrites } from './fenced-writes.ts'
import { type Fenceable, fence, idempotencyKey } from './fencing.ts'
import { type Ended, Leadership, type Tenancy } from './leadership.ts'
import type { ClaimInput, Lease } from './lease.ts'
import { Renewals } from './renewals.ts'
import { RowWrites } from './row-writes.ts'
import { show } from './show.ts'
import { effectsOf, type Row, type TransactItem, type WriteInput } from './stores/store.ts'
import { missedTicks } from './tick.ts'
import { copied, plainState } from './values.ts'

/** The leader's handle: what the task sees as its `Lease`, and what starts and ends its tenure. */
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
  readonly #leadership: Leadership
  readonly #rowWrites: RowWrites
  readonly #renewals: Renewals
  readonly #ends: Ends
  readonly #fencedWrites: FencedWrites
  #checkpoint: unknown

  constructor(tenancy: Tenancy) {
    const { record, periodMs } = tenancy
    const { lease, holder, fencingToken, tick, completedTick, checkpoint } = record
    this.#tenancy = tenancy
    this.#leadership = new Leadership(tenancy)
    this.#rowWrites = new RowWrites(tenancy)
    this.#renewals = new Renewals(tenancy, this.#leadership, this.#rowWrites)
    this.#ends = new Ends(tenancy, this.#leadership, this.#rowWrites, this.#renewals)
    this.#fencedWrites = new FencedWrites(lease, fencingToken)
    this.signal = this.#leadership.signal
    this.name = lease
    this.candidate = holder
    this.fencingToken = fencingToken
    if (tick !== undefined) this.tick = tick
    if (completedTick !== undefined) this.lastCompletedTick = completedTick
    if (tick !== undefined && completedTick !== undefined && periodMs !== undefined) {
      this.missedTicks = missedTicks(completedTick, tick, periodMs)
    }
    if (checkpoint !== undefined && checkpoint.tick === tick) this.#checkpoint = checkpoint.state
    if (checkpoint?.tick !== undefined && tick !== undefined && checkpoint.tick < tick) {
      this.unfinished = { tick: checkpoint.tick, state: checkpoint.state }
    }
  }

  /** Starts the heartbeat and the watch over the deadline. Both end with the lease; no timer is left behind. */
  start(): void {
    void this.#leadership.watchDeadline()
    if (this.#tenancy.heartbeat) void this.#renewals.keepRenewing()
  }

  /** For a leader whose task failed, or is left running: the signal aborts whatever is still running. */
  abandon(): void {
    this.#leadership.abandon()
  }

  get ended(): Ended | 'replaced' | undefined {
    return this.#leadership.ended
  }

  get checkpoint(): unknown {
    return this.#checkpoint
  }

  remainingMs(): number {
    return this.#leadership.remainingMs()
  }

  assertHeld(): void {
    this.#leadership.assertLeading()
    this.signal.throwIfAborted()
  }

  async renew(): Promise<void> {
    await this.#renewals.renew()
  }

  async saveCheckpoint(given: unknown): Promise<void> {
    const state = plainState(given, this.name)
    await this.#renewals.saveCheckpoint(this.tick === undefined ? { state } : { tick: this.tick, state })
    this.#checkpoint = state
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
    return fence(input, this.name, this.#fencedWrites.unnumbered(input))
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
      return await this.#fencedWrites.send(copied(input), effects, () => this.assertHeld())
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
