/** Checks every change and every refusal of the lease row against true time (S1, S2, S4, L1, L2, L4). */
// @ts-nocheck

import type { HolderWrite } from '../../../functions/election/rules.ts'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import type { Row } from '../../../functions/election/testing/dynamodb/database.ts'
import { type Exchange, LEASE_KEY, LEASES, type LeaseRow, leaseRow, nameOf, type Tenure } from './records.ts'
import { isProvablyWrong } from './request-watch.ts'
import { longestLeaseMs, SKEW_MS } from './setting.ts'
import type { World } from './world.ts'

export type Acquire = Extract<LeaseRequest, { readonly kind: 'acquire' }>
type Change = HolderWrite | Extract<LeaseRequest, { readonly kind: 'giveBack' }>

export class LeaseWatch {
  /** By token. */
  readonly tenures = new Map<number, Tenure>()
  /** By period: the tenure that completed its tick, and when. */
  readonly completed = new Map<number, { readonly tenure: Tenure; readonly atMs: number }>()
  row: LeaseRow | undefined
  readonly #world: World
  #stored: Row | undefined

  constructor(world: World) {
    this.#world = world
  }

  /** The holder by the row, whether or not the lease has expired. */
  get holder(): Tenure | undefined {
    return this.row?.holder === undefined ? undefined : this.tenures.get(this.row.token)
  }

  get highestToken(): number {
    return Math.max(0, ...this.tenures.keys())
  }

  get highestCompleted(): number {
    return Math.max(...this.completed.keys())
  }

  /** The row as it is in the table, also after an operator has changed it. */
  read(): void {
    this.#stored = this.#world.database.row(LEASES, LEASE_KEY)
    if (this.#stored !== undefined) this.row = leaseRow(this.#stored)
  }

  /** Called after DynamoDB has applied or refused a request. */
  applied(exchange: Exchange, answer: Answer): void {
    const { lease: request } = exchange
    const stored = this.#world.database.row(LEASES, LEASE_KEY)
    const before = this.row
    if (stored?.['ttl'] !== undefined) {
      this.#world.broken('S4', 'the lease row has a time to live, so DynamoDB will forget which ticks are done')
    }
    if (stored === undefined || stored === this.#stored) {
      // A transaction that is sent again with its token succeeds and changes nothing.
      if (answer.status === 200 || request === undefined || request.kind === 'guard') return
      if (request.kind === 'acquire') this.#refused(exchange, request, before)
      return
    }
    this.#stored = stored
    const after = leaseRow(stored)
    this.row = after
    const isNewTenure = after.token !== before?.token || after.attempt !== before.attempt
    if (request?.kind === 'acquire') this.#granted(exchange, request, before, after)
    else if (before === undefined || isNewTenure) {
      this.#world.broken('S2', `${exchange.place} (${request?.kind}) changed the token or the attempt`)
    } else if (request === undefined || request.kind === 'guard') {
      this.#world.wrong(`${exchange.place} changed the lease row with an unknown request`)
    } else this.#written(exchange, request, before, after)
  }

  #granted(exchange: Exchange, request: Acquire, before: LeaseRow | undefined, after: LeaseRow): void {
    const { process, place } = exchange
    const attempt = this.#world.requests.attempts.get(after.attempt)
    if (attempt === undefined) {
      this.#world.broken('S2', `${place} acquired under an attempt that it did not send`)
      return
    }
    if (after.token <= this.highestToken) {
      this.#world.broken('S2', `${place} was granted token ${after.token} after ${this.highestToken}`)
    }
    if (attempt.isGranted && before?.attempt === after.attempt) {
      this.#world.broken('S2', `${place} was granted a second time, for a copy of one request`)
    }
    const period = this.#periodOf(after.tick)
    if (period <= this.highestCompleted) {
      this.#world.broken('S4', `${place} was granted the tick ${after.tick}, which is done`)
    }
    const olderMs = before === undefined ? 0 : before.writtenAtMs - request.nowMs
    if (olderMs > SKEW_MS) {
      this.#world.broken('L2', `${place} was granted though the row is ${olderMs} ms newer: its sender has given up`)
    }
    const continues = this.#world.continuations.granted(place, request, attempt, before)
    const tenure: Tenure = {
      token: after.token,
      attempt: after.attempt,
      tick: after.tick,
      period,
      process,
      holder: after.holder ?? '',
      // The sender of a copy learns the answer to the original, which was refused.
      isUnclaimed: exchange.settled || exchange.arrivals > 1 || process.state === 'dead',
      untilWallMs: after.expiresAtMs,
      untilMonotonicMs: attempt.sentMonotonicMs + after.expiresAtMs - request.nowMs,
      expiresAtMs: after.expiresAtMs,
      hasWrongClock: Math.abs(attempt.offsetMs) > SKEW_MS / 2,
      continues,
      ...{ ended: undefined, requestedEnd: undefined, invocation: undefined, lease: undefined },
    }
    this.#takenOver(tenure, before)
    attempt.isGranted = true
    this.tenures.set(after.token, tenure)
  }

  #periodOf(tick: string | undefined): number {
    return Math.floor(Date.parse(tick ?? '') / this.#world.setting.periodMs)
  }

  #written(exchange: Exchange, request: Change, before: LeaseRow, after: LeaseRow): void {
    const tenure = this.tenures.get(after.token)
    if (tenure === undefined) return
    const place = `${exchange.place} (${request.kind})`
    const isOwn = tenure.process === exchange.process && request.attempt === tenure.attempt
    if (!isOwn || before.holder === undefined) {
      this.#world.broken('S1', `${place} changed the tenure of ${nameOf(tenure)}, which is not its own`)
    }
    if (after.expiresAtMs < before.expiresAtMs) {
      this.#world.broken('S1', `${place} shortens the lease, while its leader believes in the longer one`)
    }
    tenure.expiresAtMs = after.expiresAtMs
    if (request.kind === 'giveBack') {
      tenure.ended = after.endedBy
      this.#checkGiveBack(tenure, place, after)
      return
    }
    if (request.step <= before.step) {
      this.#world.broken('S1', `${place}, a copy of step ${request.step}, was applied after step ${before.step}`)
    }
    const futureMs = after.writtenAtMs - exchange.sentAtMs
    if (!tenure.hasWrongClock && futureMs > SKEW_MS / 2 + 1) {
      this.#world.broken('L2', `${place} stamps the row ${futureMs} ms into the future`)
    }
    this.#checkClosed(tenure, before, after, place)
    if (request.kind === 'advance') this.#completed(this.#periodOf(request.tick), tenure)
    if (after.holder === undefined) this.#ended(request, tenure, after, place)
  }

  /** L4: every tick that the completed one rises over was told to the leader. */
  #checkClosed({ lease }: Tenure, before: LeaseRow, after: LeaseRow, place: string): void {
    if (after.completedTick === before.completedTick || lease === undefined) return
    const { periodMs } = this.#world.setting
    const from =
      before.completedTick === undefined ? this.#periodOf(after.firstTick) : this.#periodOf(before.completedTick) + 1
    for (let period = from; period < this.#periodOf(after.completedTick); period++) {
      const tick = new Date(period * periodMs).toISOString()
      if (!lease.missed.includes(tick) && !this.#world.operator.isPaused(period))
        this.#world.broken('L4', `${place} closes ${tick}, which was in no missed ticks`)
    }
  }

  #completed(period: number, tenure: Tenure): void {
    if (this.completed.has(period)) {
      this.#world.broken('S4', `${nameOf(tenure)} completed a tick that was completed before`)
    }
    this.completed.set(period, { tenure, atMs: this.#world.timeline.nowMs })
  }

  #ended(request: HolderWrite, tenure: Tenure, after: LeaseRow, place: string): void {
    const { kind } = request
    tenure.ended = after.endedBy
    this.#world.continuations.released(request, tenure, after, place)
    const stillRuns = tenure.invocation?.task === 'running' && tenure.process.state !== 'dead'
    if (stillRuns && tenure.requestedEnd === undefined) {
      this.#world.broken('S1', `${place} gave up the lease while the task of ${nameOf(tenure)} still ran`)
    }
    if (kind !== 'complete') return
    if (tenure.requestedEnd === 'release') {
      this.#world.wrong(`${place} completed the tick ${tenure.tick}, which its task had given up`)
    }
    this.#completed(tenure.period, tenure)
  }

  /** A candidate that learned from the answer that its clock is far wrong must not stamp the row by that clock. */
  #checkGiveBack({ attempt: id, process }: Tenure, place: string, { writtenAtMs }: LeaseRow): void {
    const attempt = this.#world.requests.attempts.get(id)
    const { nowMs } = this.#world.timeline
    const isKnown = attempt?.knowsGrant === true && isProvablyWrong(attempt, process, nowMs)
    if (!isKnown || writtenAtMs <= nowMs + SKEW_MS / 2) return
    this.#world.broken('L2', `${place} stamps the row ${writtenAtMs - nowMs} ms into the future`)
  }

  /** A timely acquire from a right clock must not be refused for longer than the protocol says. */
  #refused({ place }: Exchange, request: Acquire, row: LeaseRow | undefined): void {
    const attempt = this.#world.requests.attempts.get(request.attempt)
    if (row === undefined || attempt === undefined || this.#periodOf(request.tick) <= this.highestCompleted) return
    const { sentAtMs } = attempt
    const hasWrongClock = Math.abs(attempt.offsetMs) > SKEW_MS / 2
    if (request.nowMs < row.pausedUntilMs) return
    if (row.holder === undefined) {
      const isDelayed = row.writtenAtMs > request.nowMs + SKEW_MS || row.attempt === request.attempt // A6, A5
      if (!isDelayed && !hasWrongClock) this.#world.continuations.refused(place, request, sentAtMs, row)
      return
    }
    const tenure = this.tenures.get(row.token)
    if (tenure === undefined || tenure.hasWrongClock || hasWrongClock || row.attempt === request.attempt) return
    const expiredMs = sentAtMs - row.expiresAtMs
    if (expiredMs >= 2 * SKEW_MS) {
      this.#world.broken('L2', `${place} was refused ${expiredMs} ms after the lease's expiry`)
    }
    const deadMs = sentAtMs - (tenure.process.diedMs ?? sentAtMs)
    if (deadMs >= longestLeaseMs(this.#world.setting) + 2 * SKEW_MS) {
      this.#world.broken('L1', `${place} was refused ${deadMs} ms after ${nameOf(tenure)} died`)
    }
  }

  #takenOver(tenure: Tenure, before: LeaseRow | undefined): void {
    const old = before?.holder === undefined ? undefined : this.tenures.get(before.token)
    if (before === undefined || old === undefined) return
    // It may have replaced the old leader too soon, and its successor may lead too soon.
    if (tenure.hasWrongClock) old.hasWrongClock = true
    this.#world.reached('lease taken over while the old leader is frozen', old.process.state === 'frozen')
    this.#world.reached('lease taken over from a dead leader', old.process.state === 'dead')
    old.ended ??= 'replaced'
  }
}
