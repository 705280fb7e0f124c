import { acquireLease } from '../acquire.ts'
import { jitter } from '../clock.ts'
import { withDefaults } from '../defaults.ts'
import { type HandOverReason, InvalidOptionError, InvalidTickError, LeaseStoreError } from '../errors.ts'
import type { Lease } from '../lease.ts'
import { LeaseHandle } from '../lease-handle.ts'
import { type Settings, settingsOfChecked } from '../options.ts'
import type { LeaseRecord } from '../rules.ts'
import type { CandidateRow, Look, StandingStore } from '../stores/store.ts'
import { Candidacy } from './candidacy.ts'
import { decide, openTransfer } from './decision.ts'
import { type Leader, leaderOf, Order, stateOf } from './observe.ts'
import { assertElectionOptions, type ElectionOptions, type Times } from './options.ts'

/** The lease of a server that leads until it hands over, or loses it. */
export interface StandingLease extends Lease {
  /**
   * What candidates and observers see of this leader, such as its address: plain data of at most 4 KB. One request; it
   * also extends the lease. @throws InvalidOptionError, LeaseLostError, LeaseStoreError
   */
  proclaim(value: unknown): Promise<void>
}

export interface Health {
  /** `idle` if no campaign is under way. */
  readonly role: 'leader' | 'standby' | 'idle'
  /** How long ago the row was read or renewed last, in milliseconds. */
  readonly seenAgoMs?: number
  /** By how much the last timer was late, in milliseconds: a long delay loses the lease. */
  readonly eventLoopDelayMs: number
  /** The last request that failed, until one succeeds. */
  readonly lastError?: unknown
}

const DEFAULT_LEASE_MS = 15_000
/** How long the lease is kept for the candidate that it is handed over to. */
const RESERVED_MS = 10_000
/** How long a request for a transfer stands. */
const TRANSFER_MS = 60_000
/** How often a candidate looks that the leader hands over to. */
const TAKE_OVER_POLL_MS = 75
const FIRST_BACKOFF_MS = 250
const LONGEST_BACKOFF_MS = 30_000

/**
 * Stands for a lease on a server that stays: it waits until it leads, leads until it loses the lease or hands over, and
 * waits again.
 * @example
 * await using election = new Election({ lease: 'scheduler' })
 * for await (const lease of election.campaign({ signal: stopping })) {
 *   await runUntil(lease.signal)
 * }
 */
export class Election implements AsyncDisposable {
  readonly lease: string
  readonly candidate: string
  readonly #options: ElectionOptions
  readonly #times: Times
  readonly #settings: Settings
  readonly #store: StandingStore
  readonly #candidacy: Candidacy
  readonly #over = new AbortController()
  #campaign: Promise<void> | undefined
  #leading: LeaseHandle | undefined
  /** To whom this leader hands over, once that is known. */
  #successor: string | undefined
  #nominated: Promise<void> | undefined
  #seenAtMs: number | undefined
  #eventLoopDelayMs = 0
  #lastError: unknown

  /** @throws InvalidOptionError for a wrong option, or a store that has no `standing` */
  constructor(options: ElectionOptions = {}) {
    this.#times = assertElectionOptions(options)
    this.#options = options
    const { store, lease, candidate, leaseMs, maxClockSkewMs, onEvent, clock } = options
    const given = Object.entries({ store, lease, candidate, leaseMs, maxClockSkewMs, onEvent, clock })
    const complete = withDefaults(Object.fromEntries(given.filter(([, value]) => value !== undefined)))
    this.#settings = settingsOfChecked({ leaseMs: DEFAULT_LEASE_MS, ...complete })
    if (this.#settings.store.standing === undefined) {
      throw new InvalidOptionError('An Election needs a store with `standing`, such as a DynamoDBLeaseStore.')
    }
    this.#store = this.#settings.store.standing
    this.lease = this.#settings.lease
    this.candidate = this.#settings.candidate
    this.#candidacy = new Candidacy(this.#settings, this.#times, options, this.#store)
  }

  /**
   * One turn of the loop is one tenure. Losing the lease is the next turn. Leaving the loop, or aborting `signal`,
   * hands over and ends the campaign; a request that fails never does. While a turn runs, no other one begins.
   * @throws InvalidOptionError if a campaign of this election is under way; InvalidTickError if the lease has ticks
   */
  async *campaign({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<StandingLease, void, void> {
    if (this.#campaign !== undefined) {
      throw new InvalidOptionError(`This election campaigns for lease "${this.lease}" already: make another Election.`)
    }
    const ended = Promise.withResolvers<void>()
    this.#campaign = ended.promise
    using over = firstOf(this.#over.signal, signal)
    over.signal.addEventListener('abort', () => this.#requestHandOver('resign'))
    try {
      for (let lease = await this.#stand(over.signal); lease !== undefined; lease = await this.#stand(over.signal)) {
        this.#leading = lease
        const beganAtMs = this.#settings.clock.monotonicMs()
        try {
          if (!over.signal.aborted) yield lease
        } finally {
          await this.#end(lease)
        }
        // Turns that end at once must not become a loop of requests.
        const leftMs = beganAtMs + this.#times.pollMs - this.#settings.clock.monotonicMs()
        if (leftMs > 0) await this.#sleep(leftMs, over.signal)
      }
    } finally {
      await this.#candidacy.leave().catch(() => undefined) // the row expires
      this.#campaign = undefined
      ended.resolve()
    }
  }

  /** Who leads now. @param options.consistent reads the row as it is now, at twice the price */
  async leader(options: { readonly consistent?: boolean } = {}): Promise<Leader | undefined> {
    const askedAtMs = this.#settings.clock.wallMs()
    const { record } = await this.#store.read(this.lease, options)
    return this.#leaderIn(record, askedAtMs)
  }

  /** At once the present leader, then every change in order; `leader` is absent while the lease is vacant. */
  async *observe({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<{ readonly leader?: Leader }> {
    const order = new Order()
    using over = firstOf(this.#over.signal, signal)
    let before: string | undefined
    for (let failures = 0; !over.signal.aborted; ) {
      try {
        const askedAtMs = this.#settings.clock.wallMs() // an answer that comes late shows the row of then
        const { record } = await this.#store.read(this.lease)
        failures = 0
        const leader = this.#leaderIn(record, askedAtMs)
        if (order.isCurrent(record, leader === undefined) && stateOf(leader) !== before) {
          before = stateOf(leader)
          yield leader === undefined ? {} : { leader }
        }
      } catch (error) {
        if (!(error instanceof LeaseStoreError)) throw error
        failures++
      }
      await this.#sleep(failures === 0 ? this.#times.pollMs * jitter() : this.#backoffMs(failures), over.signal)
    }
  }

  /** Who stands, the best first; at most 200. */
  async candidates(): Promise<readonly CandidateRow[]> {
    const rows = await this.#store.candidates(this.lease)
    return rows.toSorted((a, b) => b.merit - a.merit || (a.name < b.name ? -1 : 1))
  }

  /**
   * Hands the lease over, if this candidate leads, and goes on standing. `lease.signal` asks the turn to end; once it
   * has ended, or after `drainMs`, the lease is kept for `to` for 10 s, or for the best other candidate.
   */
  async resign({ to, drainMs }: { readonly to?: string; readonly drainMs?: number } = {}): Promise<void> {
    const lease = this.#leading
    if (lease === undefined) return
    this.#requestHandOver('resign', { to, drainMs })
    const { promise, resolve } = Promise.withResolvers<void>()
    lease.over.addEventListener('abort', () => resolve())
    if (lease.over.aborted) resolve()
    await promise
  }

  /** For a readiness probe. */
  health(): Health {
    const isLeading = (this.#leading?.remainingMs() ?? 0) > 0
    const role = this.#campaign === undefined ? 'idle' : isLeading ? 'leader' : 'standby'
    const seenAgoMs = this.#seenAtMs === undefined ? undefined : this.#settings.clock.monotonicMs() - this.#seenAtMs
    return {
      role,
      ...(seenAgoMs === undefined ? {} : { seenAgoMs }),
      eventLoopDelayMs: this.#eventLoopDelayMs,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    const ended = new AbortController()
    const late = this.#settings.clock.sleep(this.#times.drainMs, ended.signal)
    await Promise.race([this.#campaign, late]).finally(() => ended.abort())
  }

  /** Looks, decides and sleeps until this candidate leads; undefined once the campaign is over. */
  async #stand(over: AbortSignal): Promise<LeaseHandle | undefined> {
    for (let failures = 0; !over.aborted; ) {
      let pauseMs: number
      try {
        const next = await this.#step()
        if (next instanceof LeaseHandle) return next
        pauseMs = next
        failures = 0
        this.#lastError = undefined
      } catch (error) {
        if (error instanceof InvalidOptionError || error instanceof InvalidTickError) throw error
        this.#lastError = error
        pauseMs = this.#backoffMs(++failures)
      }
      await this.#sleep(pauseMs, over)
    }
    return undefined
  }

  /** One look at the row, and what follows from it. @returns the lease, or how long to sleep */
  async #step(): Promise<LeaseHandle | number> {
    const { clock } = this.#settings
    if (this.#candidacy.dueInMs <= 0) await this.#candidacy.refresh()
    const look = await this.#store.read(this.lease)
    this.#seenAtMs = clock.monotonicMs()
    this.#candidacy.checkClock(look.clockReading)
    const known = decide(this.#candidacy.view(look.record))
    // Who stands may have changed since the last refresh.
    const isNews = known.kind === 'acquire' && look.record !== undefined && (await this.#lookAgain())
    const view = this.#candidacy.view(look.record)
    const decision = isNews ? decide(view) : known
    const pollMs = Math.min(this.#times.pollMs * jitter(), Math.max(0, this.#candidacy.dueInMs))
    switch (decision.kind) {
      case 'acquire': {
        if (!(await this.#candidacy.isHealthy())) {
          await this.#candidacy.standBack()
          return pollMs
        }
        const lease = await acquireLease({ ...this.#settings, standing: this.#renewalHooks() })
        if (!(lease instanceof LeaseHandle)) return clamp(lease.retryAfterMs ?? pollMs, TAKE_OVER_POLL_MS, pollMs)
        this.#successor = undefined
        this.#nominated = undefined
        lease.start()
        return lease
      }
      case 'requestTransfer': {
        const { fencingToken } = decision
        const request = { lease: this.lease, fencingToken, to: this.candidate, nowMs: view.nowMs }
        const reply = await this.#store.requestTransfer({ ...request, untilMs: view.nowMs + TRANSFER_MS })
        return reply.granted ? TAKE_OVER_POLL_MS : pollMs
      }
      case 'takeOver':
        return TAKE_OVER_POLL_MS
      case 'wait':
        return decision.untilMs === undefined ? pollMs : clamp(decision.untilMs - view.nowMs, 1, pollMs)
    }
  }

  async #lookAgain(): Promise<boolean> {
    try {
      return await this.#candidacy.lookAgain()
    } catch (error) {
      this.#lastError = error
      return false // an older list of candidates is better than no leader
    }
  }

  /** After a turn: hands over or, if no other candidate is there, releases the lease. */
  async #end(lease: LeaseHandle): Promise<void> {
    try {
      if (lease.ended === undefined && lease.remainingMs() > 0) {
        await (this.#nominated ?? (this.#successor === undefined ? this.#nominate(lease, undefined) : undefined))
        const to = this.#successor
        await (to === undefined || to === this.candidate ? lease.release() : lease.resign(to, RESERVED_MS))
      }
    } catch (error) {
      this.#lastError = error // another candidate leads, or the lease expires
    } finally {
      lease.abandon()
      this.#leading = undefined
    }
  }

  #requestHandOver(reason: HandOverReason, { to, drainMs = this.#times.drainMs }: Drain = {}): void {
    const lease = this.#leading
    if (lease === undefined) return
    lease.requestHandOver(reason, 'End this turn of the campaign: the lease is then free for another candidate.')
    if (to !== undefined) this.#successor = to
    if (reason === 'unhealthy') this.#standBack()
    if (reason !== 'transfer' && reason !== 'paused') this.#nominated ??= this.#nominate(lease, to)
    void this.#abandonAfter(drainMs, lease)
  }

  /** The row names the successor while this leader stops its work, so that the successor looks often. */
  async #nominate(lease: LeaseHandle, given: string | undefined): Promise<void> {
    try {
      const to = given ?? (await this.#candidacy.successor())
      this.#successor ??= to
      if (to === undefined) return
      const nowMs = this.#settings.clock.wallMs()
      const { fencingToken } = lease
      await this.#store.requestTransfer({ lease: this.lease, fencingToken, to, nowMs, untilMs: nowMs + TRANSFER_MS })
    } catch (error) {
      this.#lastError = error // the lease is released for all
    }
  }

  async #abandonAfter(drainMs: number, lease: LeaseHandle): Promise<void> {
    await this.#settings.clock.sleep(drainMs, lease.over)
    if (lease.over.aborted) return
    lease.abandon()
    this.#standBack()
  }

  #standBack(): void {
    this.#candidacy.standBack().catch((error: unknown) => {
      this.#lastError = error
    })
  }

  #renewalHooks() {
    return {
      beforeRenewal: async () => {
        if (!(await this.#candidacy.isHealthy())) this.#requestHandOver('unhealthy')
        if (this.#candidacy.dueInMs <= 0) this.#candidacy.refresh().catch((error: unknown) => (this.#lastError = error))
      },
      onLook: (look: Look) => this.#onLook(look),
      onLoss: () => this.#standBack(), // the turn still runs
    }
  }

  /** What others wrote on the row, and DynamoDB's clock. */
  #onLook({ record, clockReading }: Look): void {
    const { clock } = this.#settings
    this.#seenAtMs = clock.monotonicMs()
    this.#lastError = undefined
    if (!this.#candidacy.checkClock(clockReading)) this.#requestHandOver('clock')
    else if (clockReading !== undefined) this.#leading?.rebase()
    if (record === undefined) return
    const nowMs = clock.wallMs()
    if ((record.pausedUntilMs ?? 0) > nowMs) this.#requestHandOver('paused')
    const to = openTransfer(record, nowMs)
    const mayLeaveAtMs = record.acquiredAtMs + (this.#options.preempt?.minTenureMs ?? 0)
    if (to !== undefined && to !== this.candidate && mayLeaveAtMs <= nowMs) this.#requestHandOver('transfer', { to })
  }

  #leaderIn(record: LeaseRecord | undefined, nowMs = this.#settings.clock.wallMs()): Leader | undefined {
    return leaderOf(record, nowMs, this.#settings.maxClockSkewMs)
  }

  /** With jitter, so that an outage does not end with all candidates at once; never longer than a lease. */
  #backoffMs(failures: number): number {
    const longestMs = Math.min(LONGEST_BACKOFF_MS, this.#settings.leaseMs / 1.5)
    return Math.min(longestMs, FIRST_BACKOFF_MS * 2 ** (failures - 1)) * jitter()
  }

  async #sleep(pauseMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#settings
    const beganAtMs = clock.monotonicMs()
    const ms = Math.max(1, Math.ceil(pauseMs)) // a shorter sleep may take no time
    await clock.sleep(ms, signal)
    if (!signal.aborted) this.#eventLoopDelayMs = Math.max(0, clock.monotonicMs() - beganAtMs - ms)
  }
}

interface Drain {
  readonly to?: string | undefined
  readonly drainMs?: number | undefined
}

function clamp(ms: number, leastMs: number, mostMs: number): number {
  return Math.max(leastMs, Math.min(ms, mostMs))
}

/** Aborts with the first of the two, and listens to them only until it is disposed of. */
function firstOf(own: AbortSignal, callers: AbortSignal | undefined) {
  const first = new AbortController()
  const abort = () => first.abort()
  const sources = [own, ...(callers === undefined ? [] : [callers])]
  for (const source of sources) source.addEventListener('abort', abort)
  if (sources.some(({ aborted }) => aborted)) abort()
  const letGo = () => {
    for (const source of sources) source.removeEventListener('abort', abort)
  }
  return { signal: first.signal, [Symbol.dispose]: letGo }
}
