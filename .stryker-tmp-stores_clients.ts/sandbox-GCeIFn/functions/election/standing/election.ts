// @ts-nocheck
import { hostname } from 'node:os'
import { withDefaults } from '../defaults.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Lease } from '../lease.ts'
import { settingsOfChecked } from '../options.ts'
import type { CandidateRow } from '../stores/store.ts'
import { Candidacy } from './candidacy.ts'
import { type Health, Vitals } from './health.ts'
import { type Leader, observeLeaders, readLeader } from './observe.ts'
import { assertElectionOptions, type ElectionOptions } from './options.ts'
import { stand } from './standby.ts'
import type { Parts, StandingTenure } from './tenure.ts'

/** The lease of a server that leads until it hands over, or loses it. */
export interface StandingLease extends Lease {
  /**
   * What candidates and observers see of this leader, such as its address: plain data of at most 4 KB. One request; it
   * also extends the lease. @throws InvalidOptionError, LeaseLostError, LeaseStoreError
   */
  proclaim(value: unknown): Promise<void>
}

const DEFAULT_LEASE_MS = 15_000

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
  readonly #parts: Parts
  readonly #over = new AbortController()
  #campaign: Promise<void> | undefined
  #tenure: StandingTenure | undefined

  /** @throws InvalidOptionError for a wrong option, or a store that has no `standing` */
  constructor(options: ElectionOptions = {}) {
    const times = assertElectionOptions(options)
    const { store, lease, candidate = hostname(), leaseMs, maxClockSkewMs, onEvent, clock, preempt } = options
    const given = Object.entries({ store, lease, candidate, leaseMs, maxClockSkewMs, onEvent, clock })
    const complete = withDefaults(Object.fromEntries(given.filter(([, value]) => value !== undefined)))
    const asGiven = settingsOfChecked({ leaseMs: DEFAULT_LEASE_MS, ...complete })
    const { standing } = asGiven.store
    if (standing === undefined) {
      throw new InvalidOptionError('An Election needs a store with `standing`, such as a DynamoDBLeaseStore.')
    }
    const vitals = new Vitals(asGiven)
    const settings = { ...asGiven, clock: vitals.clock }
    const candidacy = new Candidacy(settings, times, options, standing, vitals)
    this.#parts = { settings, times, preempt, store: standing, candidacy, vitals }
    this.lease = settings.lease
    this.candidate = settings.candidate
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
    const { settings, times, candidacy, vitals } = this.#parts
    const ended = Promise.withResolvers<void>()
    this.#campaign = ended.promise
    using over = firstOf(this.#over.signal, signal)
    over.signal.addEventListener('abort', () => this.#tenure?.requestHandOver('resign'))
    try {
      for (let next = await this.#stand(over.signal); next !== undefined; next = await this.#stand(over.signal)) {
        const beganAtMs = settings.clock.monotonicMs()
        try {
          if (!over.signal.aborted) yield next.lease
        } finally {
          await next.end()
          this.#tenure = undefined
        }
        // Turns that end at once must not become a loop of requests.
        const leftMs = beganAtMs + times.pollMs - settings.clock.monotonicMs()
        if (leftMs > 0) await vitals.pause(leftMs, over.signal)
      }
    } finally {
      await candidacy.leave().catch(() => undefined) // the row expires
      this.#campaign = undefined
      ended.resolve()
    }
  }

  async #stand(over: AbortSignal): Promise<StandingTenure | undefined> {
    this.#tenure = await stand(this.#parts, over)
    return this.#tenure
  }

  /** Who leads now. @param options.consistent reads the row as it is now, at twice the price */
  async leader(options: { readonly consistent?: boolean } = {}): Promise<Leader | undefined> {
    return (await readLeader(this.#parts, options)).leader
  }

  /** At once the present leader, then every change in order; `leader` is absent while the lease is vacant. */
  async *observe({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<{ readonly leader?: Leader }> {
    using over = firstOf(this.#over.signal, signal)
    yield* observeLeaders(this.#parts, over.signal)
  }

  /** Who stands, the best first; at most 200, and none that has not written its row for three refreshes. */
  async candidates(): Promise<readonly CandidateRow[]> {
    const rows = await this.#parts.candidacy.all()
    return rows.toSorted((a, b) => b.merit - a.merit || (a.name < b.name ? -1 : 1))
  }

  /**
   * Hands the lease over, if this candidate leads, and goes on standing. `lease.signal` asks the turn to end; once it
   * has ended, the lease is kept for `to` for 10 s, or for the best other candidate. If it has not ended after
   * `drainMs`, the lease is left to expire, kept for no candidate: any may lead then.
   */
  async resign({ to, drainMs }: { readonly to?: string; readonly drainMs?: number } = {}): Promise<void> {
    const tenure = this.#tenure
    if (tenure === undefined) return
    const { over } = tenure.lease
    tenure.requestHandOver('resign', { to, drainMs })
    const { promise, resolve } = Promise.withResolvers<void>()
    over.addEventListener('abort', () => resolve())
    if (over.aborted) resolve()
    await promise
  }

  /** For a readiness probe. */
  health(): Health {
    const isLeading = (this.#tenure?.lease.remainingMs() ?? 0) > 0
    return this.#parts.vitals.health(this.#campaign === undefined ? 'idle' : isLeading ? 'leader' : 'standby')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { settings, times } = this.#parts
    this.#over.abort()
    const ended = new AbortController()
    const late = settings.clock.sleep(times.drainMs, ended.signal)
    await Promise.race([this.#campaign, late]).finally(() => ended.abort())
  }
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
