import type { Leadership, Tenancy } from './leadership.ts'
import type { RowWrites } from './row-writes.ts'
import { type Checkpoint, isHeldBy } from './rules.ts'
import { unlessAborted } from './signals.ts'

type Extension = { readonly kind: 'renew' } | { readonly kind: 'saveCheckpoint'; readonly checkpoint: Checkpoint }

/** The writes that extend the lease: renewals, by the heartbeat or the task, and checkpoints. */
export class Renewals {
  readonly #tenancy: Tenancy
  readonly #leadership: Leadership
  readonly #writes: RowWrites
  /** Aborts once an end is sent: a renewal is obsolete then. */
  #obsolete = new AbortController()

  constructor(tenancy: Tenancy, leadership: Leadership, writes: RowWrites) {
    this.#tenancy = tenancy
    this.#leadership = leadership
    this.#writes = writes
  }

  async renew(): Promise<void> {
    const obsolete = this.#obsolete.signal
    obsolete.throwIfAborted()
    this.#leadership.assertLeading()
    await this.#writes.renewal(() => this.#extend({ kind: 'renew' }, obsolete))
  }

  async saveCheckpoint(checkpoint: Checkpoint): Promise<void> {
    this.#leadership.assertLeading()
    await this.#writes.inTurn(() => this.#extend({ kind: 'saveCheckpoint', checkpoint }))
  }

  /** The heartbeat. A renewal that fails is tried again until the deadline, which `watchDeadline` watches. */
  async keepRenewing(): Promise<void> {
    const { clock, leaseMs, latestExpiryMs } = this.#tenancy
    const { deadline, over } = this.#leadership
    while (!over.aborted && !this.#leadership.isLost && deadline.expiresAtMs < latestExpiryMs) {
      const dueInMs = deadline.remainingMs() - (leaseMs * 2) / 3
      if (dueInMs > 0) {
        await clock.sleep(Math.ceil(dueInMs), over) // then look again: a checkpoint also extends the lease
      } else {
        await this.renew().catch(() => undefined)
        await this.#leadership.pauseBeforeRetry() // if the clocks disagree it may be due again at once
      }
    }
  }

  stop(reason: Error): void {
    this.#obsolete.abort(reason)
  }

  goOn(): void {
    this.#obsolete = new AbortController()
  }

  /** H3: an extension is never sent after the deadline, when another candidate may lead already. */
  async #extend(extension: Extension, obsolete?: AbortSignal): Promise<void> {
    this.#leadership.assertLeading()
    const { store, leaseMs, latestExpiryMs } = this.#tenancy
    const { tenure, deadline } = this.#leadership
    const askedAt = this.#leadership.now()
    const expiresAtMs = Math.max(deadline.expiresAtMs, Math.min(askedAt.wallMs + leaseMs, latestExpiryMs))
    const request = { ...tenure, ...extension, step: this.#writes.nextStep(), nowMs: askedAt.wallMs, expiresAtMs }
    const reply = await unlessAborted(store.write(request, obsolete), obsolete)
    if (!reply.granted && isHeldBy(reply.record, request) && reply.record.step > request.step) {
      // H2 alone refused it: a newer write of mine was applied first. It extended the lease, but saved no checkpoint.
      return request.kind === 'renew' ? undefined : await this.#extend(extension)
    }
    this.#leadership.assertApplied(reply, request)
    deadline.extend(askedAt, expiresAtMs)
    this.#leadership.assertLeading()
  }
}
