/**
 * Watches the lease row in true time, with the eyes of somebody who sees everything. What it finds broken rests on what
 * happened alone, never on what the code under test says that should have happened.
 */
import type { Lease } from '../../../functions/election/index.ts'
import type { Row, SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import type { Answer, Exchange } from './exchange.ts'
import { numberOf, placeholder } from './exchange.ts'
import type { Findings } from './findings.ts'
import { type Asked, isCertainlyWrong } from './request-watch.ts'
import { longestLeaseMs, type Setting, SKEW_MS } from './setting.ts'
import {
  LEASE_KEY,
  LEASES,
  type LeaseRow,
  leaseRow,
  nameOf,
  type OnLease,
  onLease,
  placeholderOf,
  type Tenure,
} from './tenure.ts'
import type { Timeline } from './timeline.ts'

export class LeaseWatch {
  readonly tenures = new Map<number, Tenure>()
  /** Periods whose tick was completed, however the row may look. */
  readonly completed = new Map<number, Tenure>()
  readonly completedAtMs = new Map<number, number>()
  highestCompleted = Number.NEGATIVE_INFINITY
  readonly #setting: Setting
  readonly #timeline: Timeline
  readonly #database: SimulatedDynamoDB
  readonly #findings: Findings
  readonly #asked: ReadonlyMap<string, Asked>
  #row: LeaseRow | undefined
  #stored: Row | undefined
  #highestToken = 0

  constructor(
    setting: Setting,
    timeline: Timeline,
    database: SimulatedDynamoDB,
    findings: Findings,
    asked: ReadonlyMap<string, Asked>,
  ) {
    this.#asked = asked
    this.#setting = setting
    this.#timeline = timeline
    this.#database = database
    this.#findings = findings
  }

  get row(): LeaseRow | undefined {
    return this.#row
  }

  /** Who holds the lease by the row, expired or not. */
  get holder(): Tenure | undefined {
    return this.#row?.holder === undefined ? undefined : this.tenures.get(this.#row.token)
  }

  applied(exchange: Exchange, answer: Answer): void {
    const request = onLease(exchange)
    if (request === undefined || request.kind === 'guard') return
    const before = this.#row
    const stored = this.#database.row(LEASES, LEASE_KEY)
    const after = leaseRow(stored)
    if (after === undefined) {
      if (before !== undefined)
        this.#findings.broken('S4', 'the lease row was deleted, and with it which ticks are done')
      return
    }
    if (stored?.['ttl'] !== undefined) {
      this.#findings.broken('S4', 'the lease row has a time to live, so that DynamoDB will forget which ticks are done')
    }
    if (answer.status !== 200) {
      if (request.kind === 'acquire') this.#refused(exchange, request, before)
      else this.#situationOfRefusal(exchange, request, before)
      return
    }
    // A transaction sent again under its own token is answered as done, and does nothing.
    if (stored === this.#stored) return
    this.#stored = stored
    this.#row = after
    if (before === undefined || after.token !== before.token || after.attempt !== before.attempt) {
      this.#granted(exchange, request, before, after)
    } else this.#written(exchange, request, before, after)
  }

  /** The row must be there even where nobody writes it. */
  swept(): void {
    if (this.#row !== undefined && this.#database.row(LEASES, LEASE_KEY) === undefined) {
      this.#findings.broken('S4', 'DynamoDB deleted the lease row, and with it which ticks are done')
    }
  }

  endAsked({ fencingToken }: Lease, how: 'release' | 'complete'): void {
    const tenure = this.tenures.get(fencingToken)
    if (tenure !== undefined) tenure.endAsked = how
  }

  #granted(exchange: Exchange, { kind, body }: OnLease, before: LeaseRow | undefined, after: LeaseRow): void {
    const { process, place } = exchange
    const asked = this.#asked.get(after.attempt)
    if (kind !== 'acquire' || asked === undefined) {
      this.#findings.broken('S2', `${place} (${kind}) changed the token or the attempt`)
      return
    }
    if (after.token <= this.#highestToken) {
      this.#findings.broken(
        'S2',
        `${place} was granted token ${after.token}, but ${this.#highestToken} was given before`,
      )
    }
    if (asked.granted && before?.attempt === after.attempt)
      this.#findings.broken('S2', `${place} was granted a second time, for a second copy of one request`)
    const period = Math.floor(Date.parse(after.tick) / this.#setting.periodMs)
    if (period <= this.highestCompleted) {
      this.#findings.broken('S4', `${place} was granted the tick ${after.tick}, which is done`)
    }
    const suspect = Math.abs(asked.offsetMs) > SKEW_MS / 2
    const nowMs = numberOf(placeholderOf({ body }, ':now')) ?? 0
    if (before !== undefined && before.writtenAtMs > nowMs + SKEW_MS) {
      const olderMs = before.writtenAtMs - nowMs
      this.#findings.broken(
        'L2',
        `${place} was granted though it is ${olderMs} ms older than the row: a lease for nobody`,
      )
    }
    const tenure: Tenure = {
      token: after.token,
      attempt: after.attempt,
      tick: after.tick,
      period,
      process,
      holder: after.holder ?? '',
      grantedAtMs: this.#timeline.nowMs,
      // Or the sender will hear of the original, which was refused.
      isGhost: exchange.settled || exchange.arrivals > 1 || process.state === 'dead',
      untilWallMs: after.expiresAtMs,
      untilMonotonicMs: asked.monotonicMs + after.expiresAtMs - nowMs,
      expiresAtMs: after.expiresAtMs,
      step: 0,
      suspect,
      ended: undefined,
      endAsked: undefined,
      invocation: undefined,
      lease: undefined,
    }
    this.#judgeExpiry(tenure, asked.atMs, place)
    this.#situationOfGrant(tenure, before, nowMs)
    asked.granted = true
    this.#highestToken = Math.max(this.#highestToken, after.token)
    this.tenures.set(after.token, tenure)
  }

  #judgeExpiry(tenure: Tenure, sentAtMs: number, place: string): void {
    const longestMs = sentAtMs + longestLeaseMs(this.#setting) + SKEW_MS / 2
    if (tenure.suspect || tenure.expiresAtMs <= longestMs + 1) return
    this.#findings.broken('L1', `${place} holds the lease for ${tenure.expiresAtMs - sentAtMs} ms, longer than it may`)
  }

  #written(exchange: Exchange, { kind, body }: OnLease, before: LeaseRow, after: LeaseRow): void {
    const { process, place } = exchange
    const tenure = this.tenures.get(after.token)
    if (tenure === undefined) return
    const isOwn = tenure.process === process && placeholder(body, ':attempt') === tenure.attempt
    if (!isOwn || before.holder === undefined) {
      this.#findings.broken('S1', `${place} (${kind}) changed the tenure of ${nameOf(tenure)}, which is not its own`)
    }
    const step = numberOf(placeholderOf({ body }, ':step'))
    if (step !== undefined && step <= before.step) {
      this.#findings.broken('S1', `${place} (${kind}), a copy of step ${step}, was applied after step ${before.step}`)
    }
    if (after.expiresAtMs < before.expiresAtMs) {
      this.#findings.broken('S1', `${place} (${kind}) shortens a lease whose leader believes in the longer one`)
    }
    if (step !== undefined && !tenure.suspect && after.writtenAtMs > exchange.sentAtMs + SKEW_MS / 2 + 1) {
      this.#findings.broken(
        'L2',
        `${place} (${kind}) stamps the row ${after.writtenAtMs - exchange.sentAtMs} ms into the future`,
      )
    }
    tenure.step = after.step
    tenure.expiresAtMs = after.expiresAtMs
    this.#judgeExpiry(tenure, exchange.sentAtMs, place)
    if (after.holder === undefined) this.#ended(exchange, kind, tenure, after)
  }

  #ended({ place }: Exchange, kind: OnLease['kind'], tenure: Tenure, after: LeaseRow): void {
    const { invocation } = tenure
    tenure.ended = after.endedBy
    if (kind === 'giveBack') {
      this.#judgeGiveBack(tenure, place, after)
      return
    }
    const stillRuns = invocation?.task === 'running' && tenure.process.state !== 'dead'
    if (stillRuns && tenure.endAsked === undefined) {
      this.#findings.broken('S1', `${place} (${kind}) gave up the lease while the task of ${nameOf(tenure)} still ran`)
    }
    if (kind !== 'complete') return
    if (tenure.endAsked === 'release') {
      this.#findings.wrong(`${place} completed the tick ${tenure.tick}, which its task had given up`)
    }
    if (this.completed.has(tenure.period)) {
      this.#findings.broken('S4', `${nameOf(tenure)} completed the tick ${tenure.tick}, which was completed before`)
    }
    this.completed.set(tenure.period, tenure)
    this.completedAtMs.set(tenure.period, this.#timeline.nowMs)
    this.highestCompleted = Math.max(this.highestCompleted, tenure.period)
  }

  /** Who was told of the grant, and by that answer that its clock is far wrong, must not stamp the row by that clock. */
  #judgeGiveBack({ attempt, process }: Tenure, place: string, { writtenAtMs }: LeaseRow): void {
    const asked = this.#asked.get(attempt)
    const { nowMs } = this.#timeline
    if (asked === undefined || !asked.told || !isCertainlyWrong(asked, process, nowMs)) return
    if (writtenAtMs <= nowMs + SKEW_MS / 2) return
    this.#findings.broken('L2', `${place} gives back a row that it stamps ${writtenAtMs - nowMs} ms into the future`)
  }

  /** An acquire that came in time and from a good clock must not be refused for longer than the protocol says. */
  #refused(exchange: Exchange, { body }: OnLease, row: LeaseRow | undefined): void {
    const attempt = placeholder(body, ':attempt') ?? ''
    const asked = this.#asked.get(attempt)
    const period = Math.floor(Date.parse(placeholder(body, ':tick') ?? '') / this.#setting.periodMs)
    if (row === undefined || asked === undefined || period <= this.highestCompleted) return
    const nowMs = numberOf(placeholderOf({ body }, ':now')) ?? 0
    const suspect = Math.abs(asked.offsetMs) > SKEW_MS / 2
    if (row.holder === undefined) {
      if (row.writtenAtMs <= nowMs + SKEW_MS && row.attempt === attempt) {
        this.#findings.reached('delayed copy of a granted acquire refused by A5')
      } else if (row.writtenAtMs > nowMs + SKEW_MS) this.#findings.reached('delayed acquire refused by A6')
      else if (!suspect) this.#findings.broken('L2', `${exchange.place} was refused a lease that is free`)
      return
    }
    const tenure = this.tenures.get(row.token)
    if (tenure === undefined || tenure.suspect || suspect || row.attempt === attempt) return
    if (asked.atMs >= row.expiresAtMs + 2 * SKEW_MS) {
      this.#findings.broken(
        'L2',
        `${exchange.place} was refused ${asked.atMs - row.expiresAtMs} ms after the lease's expiry`,
      )
    }
    const diedMs = tenure.process.diedMs
    if (diedMs !== undefined && asked.atMs >= diedMs + longestLeaseMs(this.#setting) + 2 * SKEW_MS) {
      this.#findings.broken(
        'L1',
        `${exchange.place} was refused ${asked.atMs - diedMs} ms after ${nameOf(tenure)} died`,
      )
    }
  }

  #situationOfGrant(tenure: Tenure, before: LeaseRow | undefined, nowMs: number): void {
    if (tenure.isGhost) this.#findings.reached('delayed acquire won for nobody')
    const old = before?.holder === undefined ? undefined : this.tenures.get(before.token)
    if (before === undefined || old === undefined) return
    if (tenure.suspect) old.suspect = true // it may have been replaced too soon, and so may its successor lead too soon
    const sinceMs = nowMs - before.expiresAtMs - SKEW_MS
    if (sinceMs >= 0 && sinceMs <= 10) this.#findings.reached('acquired within 10 ms of expiry plus the clock budget')
    if (old.process.state === 'frozen') this.#findings.reached('lease taken over while the old leader is frozen')
    if (old.process.state === 'dead') this.#findings.reached('lease taken over from a dead leader')
    old.ended ??= 'replaced'
  }

  #situationOfRefusal(exchange: Exchange, { kind, body }: OnLease, row: LeaseRow | undefined): void {
    if (row === undefined || kind === 'giveBack') return
    const attempt = placeholder(body, ':attempt')
    if (row.attempt !== attempt) {
      this.#findings.reached('late write of a replaced leader refused by H1')
      if (kind === 'complete' && exchange.operation === 'TransactWriteItems') {
        this.#findings.reached('stale completion with effects refused')
      }
    } else if (row.holder !== undefined && exchange.settled) {
      this.#findings.reached('delayed copy of a holder’s write refused by H2')
    }
  }
}
