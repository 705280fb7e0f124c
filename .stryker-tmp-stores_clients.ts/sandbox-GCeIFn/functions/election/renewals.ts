// @ts-nocheck
import type { Instant } from './deadline.ts'
import { LeaseStoreError } from './errors.ts'
import type { Leadership, Tenancy } from './leadership.ts'
import { isClosedAlready } from './refusal.ts'
import type { RowWrites } from './row-writes.ts'
import { type Checkpoint, type Closing, type HolderWrite, isHeldBy, type Tenure } from './rules.ts'
import { unlessAborted } from './signals.ts'
import { effectsOf, type Look, type TransactItem, type WriteReply } from './stores/store.ts'

/** Closes a missed tick. */
export type Advance = { readonly kind: 'advance'; readonly tick: string } & Closing

type Saved =
  | { readonly kind: 'saveCheckpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'proclaim'; readonly announcement: unknown }

type Extension = { readonly kind: 'renew' } | Saved | Advance

type Extended = Tenure & { readonly step: number; readonly nowMs: number; readonly expiresAtMs: number }

/** The writes that extend the lease: renewals, by the heartbeat or the task, checkpoints, and advances. */
export class Renewals {
  readonly #tenancy: Tenancy
  readonly #leadership: Leadership
  readonly #writes: RowWrites
  /** Aborts once an end is sent: a renewal under way is obsolete then. */
  #obsolete: AbortController | undefined
  #isStopped = false
  /** When the heartbeat sent its last renewal, by the monotonic clock; at first, when the acquire was sent. */
  #renewedAtMs: number

  constructor(tenancy: Tenancy, leadership: Leadership, writes: RowWrites) {
    this.#tenancy = tenancy
    this.#leadership = leadership
    this.#writes = writes
    this.#renewedAtMs = tenancy.askedAt.monotonicMs
  }

  async renew(): Promise<void> {
    if (this.#isStopped) throw this.#obsoleteError()
    this.#obsolete ??= new AbortController()
    const obsolete = this.#obsolete.signal
    this.#leadership.assertLeading()
    await this.#writes.renewal(async () => void (await this.#extend({ kind: 'renew' }, obsolete)))
  }

  async save(saved: Saved): Promise<void> {
    this.#leadership.assertLeading()
    await this.#writes.inTurn(() => this.#extend(saved))
  }

  /** @returns the tick up to which all are closed: this one, or a later one that an operator closed by hand */
  async advance(advance: Advance, items: readonly TransactItem[]): Promise<string> {
    this.#leadership.assertLeading()
    if (items.length === 0) return (await this.#writes.inTurn(() => this.#extend(advance))) ?? advance.tick
    await this.#writes.guarded(() => this.#advanceWith({ ...advance, closesOnce: true }, items))
    return advance.tick
  }

  /** The heartbeat. A renewal that fails is tried again until the deadline, which `watchDeadline` watches. */
  async keepRenewing(): Promise<void> {
    const { latestExpiryMs, standing, clock } = this.#tenancy
    const { deadline } = this.#leadership
    await this.#sleepUntilDue()
    void this.#leadership.watchDeadline() // which is later, so most tasks have one timer
    while (this.#isNeeded && deadline.expiresAtMs < latestExpiryMs) {
      await standing?.beforeRenewal()
      const sentAtMs = clock.monotonicMs()
      const renewed = () => {
        this.#renewedAtMs = sentAtMs
      }
      await this.renew().then(renewed, () => undefined)
      await this.#leadership.pauseBeforeRetry() // if the clocks disagree it may be due again at once
      await this.#sleepUntilDue()
    }
  }

  get #isNeeded(): boolean {
    return !this.#leadership.over.aborted && !this.#leadership.isLost
  }

  async #sleepUntilDue(): Promise<void> {
    const { clock, leaseMs, standing } = this.#tenancy
    const { deadline, over } = this.#leadership
    const dueInMs = () => {
      const inMs = deadline.remainingMs() - (leaseMs * 2) / 3
      // A leader that stays also looks: its other writes do not put that off.
      return standing === undefined ? inMs : Math.min(inMs, this.#renewedAtMs + leaseMs / 3 - clock.monotonicMs())
    }
    // It is read again after a sleep: a checkpoint also extends the lease.
    while (this.#isNeeded && dueInMs() > 0) await clock.sleep(Math.ceil(dueInMs()), over)
  }

  stop(): void {
    this.#isStopped = true
    this.#obsolete?.abort(this.#obsoleteError())
  }

  goOn(): void {
    this.#isStopped = false
    this.#obsolete = undefined
  }

  #obsoleteError(): Error {
    return this.#leadership.lost('was asked to end')
  }

  /** H3: an extension is never sent after the deadline, when another candidate may lead already. */
  #next(): { readonly askedAt: Instant; readonly fields: Extended } {
    this.#leadership.assertLeading()
    const { leaseMs, latestExpiryMs } = this.#tenancy
    const { tenure, deadline } = this.#leadership
    const askedAt = this.#leadership.now()
    const expiresAtMs = Math.max(deadline.expiresAtMs, Math.min(askedAt.wallMs + leaseMs, latestExpiryMs))
    return { askedAt, fields: { ...tenure, step: this.#writes.nextStep(), nowMs: askedAt.wallMs, expiresAtMs } }
  }

  /** @returns the completed tick of the row, if that is later than the one to close */
  async #extend(extension: Extension, obsolete?: AbortSignal): Promise<string | undefined> {
    const { askedAt, fields } = this.#next()
    const request = { ...fields, ...extension }
    const { store, standing } = this.#tenancy
    const isLooking = standing !== undefined && store.standing !== undefined && request.kind === 'renew'
    const sent = isLooking ? store.standing.renew(request, obsolete) : store.write(request, obsolete)
    const reply: WriteReply & { readonly look?: Look } = await unlessAborted(sent, obsolete)
    if (isOvertaken(reply, request)) {
      // The newer write extended the lease, but neither saved this checkpoint nor closed this tick.
      return request.kind === 'renew' ? undefined : await this.#extend(extension)
    }
    if (!reply.granted && isClosedAlready(reply.record, request)) return reply.record.completedTick
    this.#extended(reply, request, askedAt)
    if (reply.look !== undefined) standing?.onLook(reply.look)
    return undefined
  }

  async #advanceWith(advance: Advance, items: readonly TransactItem[]): Promise<void> {
    const { askedAt, fields } = this.#next()
    const request = { ...fields, ...advance }
    const effects = effectsOf(this.#tenancy.store, request.lease)
    const reply = await effects.completeWith(request, items, crypto.randomUUID())
    // With a new token: this transaction was not applied, and H2 keeps a late copy of it from being applied.
    if (isOvertaken(reply, request)) return await this.#advanceWith(advance, items)
    if (!reply.granted && isClosedAlready(reply.record, request)) {
      throw new LeaseStoreError(
        `Tick ${request.tick} of lease "${request.lease}" is closed already, so these items were not written. ` +
          'Either an earlier call of lease.advance was applied without an answer, or an operator closed the tick.',
        { lease: request.lease, retryable: false },
      )
    }
    this.#extended(reply, request, askedAt)
  }

  #extended(reply: WriteReply, request: HolderWrite & Extended, askedAt: Instant): void {
    this.#leadership.assertApplied(reply, request)
    this.#leadership.deadline.extend(askedAt, request.expiresAtMs)
    this.#leadership.assertLeading()
  }
}

/** H2 alone refused it: a newer write of mine was applied first. */
function isOvertaken(reply: WriteReply, request: HolderWrite): boolean {
  return !reply.granted && isHeldBy(reply.record, request) && reply.record.step > request.step
}
