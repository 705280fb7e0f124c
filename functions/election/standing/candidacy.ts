import { type ClockReading, certainOffsetMs } from '../clock.ts'
import type { Settings } from '../options.ts'
import type { LeaseRecord } from '../rules.ts'
import type { CandidateRow, StandingStore } from '../stores/store.ts'
import { successor, type View } from './decision.ts'
import type { ElectionOptions, Times } from './options.ts'

type Asked = Pick<ElectionOptions, 'merit' | 'eligible' | 'healthy' | 'preempt'>

/** This candidate's row, and what it knows of the others. */
export class Candidacy {
  readonly #settings: Settings
  readonly #times: Times
  readonly #asked: Asked
  readonly #store: StandingStore
  #me: CandidateRow
  #others: readonly CandidateRow[] = []
  #refreshedAtMs = Number.NEGATIVE_INFINITY
  #queriedAtMs = Number.NEGATIVE_INFINITY
  #isClockRight = true

  constructor(settings: Settings, times: Times, asked: Asked, store: StandingStore) {
    this.#settings = settings
    this.#times = times
    this.#asked = asked
    this.#store = store
    const { lease, candidate: name, clock } = settings
    const nowMs = clock.wallMs()
    const identity = crypto.randomUUID()
    this.#me = { lease, name, identity, merit: 0, eligible: false, sinceMs: nowMs, seenAtMs: nowMs }
  }

  /** Milliseconds until the row is due to be written again; 0 or less if it is. */
  get dueInMs(): number {
    return this.#refreshedAtMs + this.#times.refreshMs - this.#settings.clock.monotonicMs()
  }

  /** Asks the caller's functions, writes the row and reads those of the others: two requests. */
  async refresh(): Promise<void> {
    const { clock } = this.#settings
    const { merit = 0, eligible } = this.#asked
    const isEligible = (await eligible?.()) !== false && (await this.isHealthy())
    const value = typeof merit === 'function' ? await merit() : merit
    this.#me = {
      ...this.#me,
      merit: Number.isFinite(value) ? value : 0,
      eligible: isEligible && this.#isClockRight,
      seenAtMs: clock.wallMs(),
    }
    this.#refreshedAtMs = clock.monotonicMs()
    await this.#store.putCandidate(this.#me)
    await this.#query()
  }

  /** A candidate whose work has not stopped must not lead again before it has. */
  async standBack(): Promise<void> {
    this.#me = { ...this.#me, eligible: false, seenAtMs: this.#settings.clock.wallMs() }
    await this.#store.putCandidate(this.#me)
  }

  async leave(): Promise<void> {
    this.#refreshedAtMs = Number.NEGATIVE_INFINITY
    await this.#store.removeCandidate(this.#me)
  }

  /** False too if the caller's function fails, or does not answer within a sixth of the lease. */
  async isHealthy(): Promise<boolean> {
    const { healthy } = this.#asked
    if (healthy === undefined) return true
    const { clock, leaseMs } = this.#settings
    const answered = new AbortController()
    const late = clock.sleep(leaseMs / 6, answered.signal).then(() => false)
    const answer = Promise.resolve()
      .then(healthy)
      .catch(() => false)
    return await Promise.race([answer, late]).finally(() => answered.abort())
  }

  /** Whether this machine's clock may be right, by the answer to a look. */
  checkClock(reading: ClockReading | undefined): boolean {
    const offsetMs = reading === undefined ? 0 : certainOffsetMs(reading)
    this.#isClockRight = Math.abs(offsetMs) <= this.#settings.maxClockSkewMs / 2
    if (!this.#isClockRight) this.#me = { ...this.#me, eligible: false }
    return this.#isClockRight
  }

  /** What decides the next step; the others are read again if the lease is free, and they were read before that. */
  async view(record: LeaseRecord | undefined, isFree: boolean): Promise<View> {
    const { clock, maxClockSkewMs } = this.#settings
    const isOld = clock.monotonicMs() - this.#queriedAtMs > this.#times.pollMs
    if (isFree && isOld && record !== undefined) await this.#query()
    const { refreshMs, headStartMs } = this.#times
    return {
      record,
      me: this.#me,
      candidates: this.#others,
      nowMs: clock.wallMs(),
      maxClockSkewMs,
      refreshMs,
      headStartMs,
      preempt: this.#asked.preempt,
    }
  }

  /** The best other candidate that is alive. */
  async successor(): Promise<string | undefined> {
    await this.#query()
    const { clock, maxClockSkewMs } = this.#settings
    const { refreshMs } = this.#times
    const view = { me: this.#me, candidates: this.#others, nowMs: clock.wallMs(), refreshMs, maxClockSkewMs }
    return successor(view)?.name
  }

  async #query(): Promise<void> {
    this.#others = await this.#store.candidates(this.#me.lease)
    this.#queriedAtMs = this.#settings.clock.monotonicMs()
  }
}
