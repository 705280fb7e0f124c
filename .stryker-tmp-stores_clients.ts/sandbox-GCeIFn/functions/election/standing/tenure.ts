// @ts-nocheck
import { acquireLease } from '../acquire.ts'
import type { HandOverReason } from '../errors.ts'
import type { Tenancy } from '../leadership.ts'
import { LeaseHandle } from '../lease-handle.ts'
import type { Standby } from '../not-won.ts'
import type { Settings } from '../options.ts'
import type { Look, StandingStore } from '../stores/store.ts'
import type { Candidacy } from './candidacy.ts'
import { openTransfer } from './decision.ts'
import type { Vitals } from './health.ts'
import type { ElectionOptions, Times } from './options.ts'

/** What the parts of one Election share. */
export interface Parts {
  readonly settings: Settings
  readonly times: Times
  readonly preempt: ElectionOptions['preempt']
  readonly store: StandingStore
  readonly candidacy: Candidacy
  readonly vitals: Vitals
}

export interface Drain {
  readonly to?: string | undefined
  readonly drainMs?: number | undefined
}

type Hooks = NonNullable<Tenancy['standing']>

/** How long the lease is kept for the candidate that it is handed over to. */
const RESERVED_MS = 10_000
/** How long a request for a transfer stands. */
export const TRANSFER_MS = 60_000

/** One tenure of a server: it is asked to hand over, and ends when its turn of the campaign has ended. */
export class StandingTenure implements Hooks {
  readonly lease: LeaseHandle
  readonly #parts: Parts
  /** To whom this leader hands over, once that is known. */
  #successor: string | undefined
  #nominated: Promise<void> | undefined

  private constructor(parts: Parts, lease: LeaseHandle) {
    this.#parts = parts
    this.lease = lease
  }

  static async acquire(parts: Parts): Promise<StandingTenure | Standby> {
    let tenure: StandingTenure | undefined
    const standing: Hooks = {
      beforeRenewal: async () => tenure?.beforeRenewal(),
      onLook: (look) => tenure?.onLook(look),
      onLoss: () => tenure?.onLoss(),
    }
    const lease = await acquireLease({ ...parts.settings, standing })
    if (!(lease instanceof LeaseHandle)) return lease
    tenure = new StandingTenure(parts, lease)
    lease.start()
    return tenure
  }

  /** After its turn: hands over or, if no other candidate is there, releases the lease. */
  async end(): Promise<void> {
    const { lease } = this
    const { vitals, settings } = this.#parts
    try {
      if (lease.ended === undefined && lease.remainingMs() > 0) {
        await (this.#nominated ?? (this.#successor === undefined ? this.#nominate(undefined) : undefined))
        const to = this.#successor
        await (to === undefined || to === settings.candidate ? lease.release() : lease.resign(to, RESERVED_MS))
      }
    } catch (error) {
      vitals.failed(error) // another candidate leads, or the lease expires
    } finally {
      lease.abandon()
    }
  }

  requestHandOver(reason: HandOverReason, { to, drainMs = this.#parts.times.drainMs }: Drain = {}): void {
    this.lease.requestHandOver(reason, 'End this turn of the campaign: the lease is then free for another candidate.')
    if (to !== undefined) this.#successor = to
    if (reason === 'unhealthy') this.#standBack()
    if (reason !== 'transfer' && reason !== 'paused') this.#nominated ??= this.#nominate(to)
    void this.#abandonAfter(drainMs)
  }

  /** The row names the successor while this leader stops its work, so that the successor looks often. */
  async #nominate(given: string | undefined): Promise<void> {
    const { settings, store, candidacy, vitals } = this.#parts
    try {
      const to = given ?? (await candidacy.successor())
      this.#successor ??= to
      if (to === undefined) return
      const nowMs = settings.clock.wallMs()
      const { name: lease, fencingToken } = this.lease
      await store.requestTransfer({ lease, fencingToken, to, nowMs, untilMs: nowMs + TRANSFER_MS })
    } catch (error) {
      vitals.failed(error) // the lease is released for all
    }
  }

  async #abandonAfter(drainMs: number): Promise<void> {
    const { over } = this.lease
    await this.#parts.settings.clock.sleep(drainMs, over)
    if (over.aborted) return
    this.lease.abandon()
    this.#standBack()
  }

  #standBack(): void {
    const { candidacy, vitals } = this.#parts
    candidacy.standBack().catch((error: unknown) => vitals.failed(error, 'candidates'))
  }

  async beforeRenewal(): Promise<void> {
    const { candidacy } = this.#parts
    if (!(await candidacy.isHealthy())) this.requestHandOver('unhealthy')
    if (candidacy.dueInMs <= 0) candidacy.refresh().catch(() => undefined) // its error is shown
  }

  /** The turn still runs. */
  onLoss(): void {
    this.#standBack()
  }

  /** What others wrote on the row, and DynamoDB's clock. */
  onLook({ record, clockReading }: Look): void {
    const { settings, candidacy, vitals, preempt } = this.#parts
    vitals.seen()
    vitals.succeeded()
    if (!candidacy.checkClock(clockReading)) this.requestHandOver('clock')
    else if (clockReading !== undefined) this.lease.rebase()
    if (record === undefined) return
    const nowMs = settings.clock.wallMs()
    if ((record.pausedUntilMs ?? 0) > nowMs) this.requestHandOver('paused')
    const to = openTransfer(record, nowMs)
    const mayLeaveAtMs = record.acquiredAtMs + (preempt?.minTenureMs ?? 0)
    if (to !== undefined && to !== settings.candidate && mayLeaveAtMs <= nowMs) this.requestHandOver('transfer', { to })
  }
}
