// @ts-nocheck
import type { ClockReading } from '../clock.ts'
import { certainlyOff, certainSkew } from '../clock-skew.ts'
import { InvalidOptionError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { LeaseRecord } from '../rules.ts'
import type { CandidateRow, StandingStore } from '../stores/store.ts'
import { longestSilenceMs, successor, type View } from './decision.ts'
import type { Vitals } from './health.ts'
import type { ElectionOptions, Times } from './options.ts'

type Asked = Pick<ElectionOptions, 'merit' | 'eligible' | 'healthy' | 'preempt'>

/** This candidate's row, and what it knows of the others. */
export class Candidacy {
  readonly #settings: Settings
  readonly #times: Times
  readonly #asked: Asked
  readonly #store: StandingStore
  readonly #vitals: Vitals
  #me: CandidateRow
  /** Since it stands: another identity in its row is then that of a process that stands too, not of an earlier one. */
  #hasWritten = false
  #others: readonly CandidateRow[] = []
  #refreshedAtMs = Number.NEGATIVE_INFINITY
  #queriedAtMs = Number.NEGATIVE_INFINITY
  #isClockRight = true
  #isSkewShown = false
  /** The first look after a refresh may report that the clock is off still, or right again. */
  #isClockReportDue = false
  /** As the caller's functions said at the last refresh. */
  #mayLead = false
  /** The refresh that is under way. */
  #refreshing: Promise<void> = Promise.resolve()

  constructor(settings: Settings, times: Times, asked: Asked, store: StandingStore, vitals: Vitals) {
    this.#settings = settings
    this.#times = times
    this.#asked = asked
    this.#store = store
    this.#vitals = vitals
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
    this.#refreshedAtMs = this.#settings.clock.monotonicMs()
    this.#isClockReportDue = true
    this.#refreshing = this.#refresh()
    try {
      await this.#refreshing
    } catch (error) {
      this.#vitals.failed(error, 'candidates')
      throw error
    }
  }

  async #refresh(): Promise<void> {
    const { merit = 0, eligible } = this.#asked
    const [isEligible, isHealthy] = [await this.#ask(eligible), await this.isHealthy()]
    const value = typeof merit === 'function' ? await this.#inTime(merit, this.#me.merit) : merit
    this.#mayLead = isEligible && isHealthy
    const isShared = await this.#put({ merit: Number.isFinite(value) ? value : 0 })
    await this.#query()
    if (!isShared) this.#vitals.succeeded('candidates')
  }

  /** @returns whether the row is shared with another process */
  async #put(changes: Partial<CandidateRow> = {}): Promise<boolean> {
    const eligible = this.#mayLead && this.#isClockRight
    this.#me = { ...this.#me, ...changes, eligible, seenAtMs: this.#settings.clock.wallMs() }
    const { lease, name, identity } = this.#me
    const replaced = await this.#store.putCandidate(this.#me)
    const isShared = this.#hasWritten && replaced !== undefined && replaced !== identity
    this.#hasWritten = true
    if (isShared) {
      const message = `Another process stands under the name "${name}": give each a \`candidate\` of its own.`
      this.#vitals.failed(new InvalidOptionError(message, { lease }), 'candidates')
    }
    return isShared
  }

  /** For a candidate that is not healthy, or whose work has not stopped: it leads again after the next refresh. */
  async standBack(): Promise<void> {
    await this.#refreshing.catch(() => undefined)
    this.#mayLead = false
    this.#refreshedAtMs = Number.NEGATIVE_INFINITY
    await this.#put()
  }

  async leave(): Promise<void> {
    await this.#refreshing.catch(() => undefined) // a row that is written later would stay
    this.#refreshedAtMs = Number.NEGATIVE_INFINITY
    this.#hasWritten = false
    await this.#store.removeCandidate(this.#me)
  }

  /** False too if the caller's function fails, or does not answer within a sixth of the lease. */
  async isHealthy(): Promise<boolean> {
    return await this.#ask(this.#asked.healthy)
  }

  async #ask(question: (() => boolean | Promise<boolean>) | undefined): Promise<boolean> {
    return question === undefined || (await this.#inTime(question, false))
  }

  /** What the caller's function returns, or `otherwise` if it fails or takes too long. */
  async #inTime<T>(ask: () => T | Promise<T>, otherwise: T): Promise<T> {
    const { clock, leaseMs } = this.#settings
    const answered = new AbortController()
    const late = clock.sleep(leaseMs / 6, answered.signal).then(() => otherwise)
    const answer = Promise.resolve()
      .then(ask)
      .catch(() => otherwise)
    return await Promise.race([answer, late]).finally(() => answered.abort())
  }

  /** Whether this machine's clock may be right, by the answer to a look. */
  checkClock(reading: ClockReading | undefined): boolean {
    const { offsetMs, isWrong } = certainSkew(this.#settings, reading)
    this.#isClockRight = !isWrong
    if (reading !== undefined) this.#reportClock(offsetMs)
    return this.#isClockRight
  }

  /** Not at each look: an event costs a metric, and only some looks show for certain that a clock is off. */
  #reportClock(offsetMs: number): void {
    const [isShown, isDue] = [this.#isSkewShown, this.#isClockReportDue]
    const isNews = this.#isClockRight ? isShown && isDue : !isShown || isDue
    if (!isNews) return
    const { notify, lease, candidate } = this.#settings
    this.#isSkewShown = !this.#isClockRight
    this.#isClockReportDue = false
    notify({ kind: 'clockRead', lease, candidate, offsetMs })
    if (this.#isClockRight) this.#vitals.succeeded('clock')
    else this.#vitals.failed(certainlyOff(this.#settings, offsetMs), 'clock')
  }

  /** What this candidate knows. */
  view(record: LeaseRecord | undefined): View {
    const { clock, maxClockSkewMs } = this.#settings
    const { refreshMs, headStartMs } = this.#times
    return {
      record,
      me: { ...this.#me, eligible: this.#mayLead && this.#isClockRight },
      candidates: this.#others,
      nowMs: clock.wallMs(),
      maxClockSkewMs,
      refreshMs,
      headStartMs,
      preempt: this.#asked.preempt,
    }
  }

  /** Reads the others again, unless that was just done. @returns whether it was necessary */
  async lookAgain(): Promise<boolean> {
    const isOld = this.#settings.clock.monotonicMs() - this.#queriedAtMs > this.#times.pollMs
    if (isOld) await this.#query()
    return isOld
  }

  /** The best other candidate that is alive. */
  async successor(): Promise<string | undefined> {
    await this.#query()
    return successor(this.view(undefined))?.name
  }

  /** All that are alive, or at least those that are read. */
  async all(): Promise<readonly CandidateRow[]> {
    const { lease, clock, maxClockSkewMs } = this.#settings
    const seenSinceMs = clock.wallMs() - longestSilenceMs(this.#times.refreshMs, maxClockSkewMs)
    return await this.#store.candidates(lease, { seenSinceMs })
  }

  async #query(): Promise<void> {
    this.#others = await this.all()
    this.#queriedAtMs = this.#settings.clock.monotonicMs()
  }
}
