/** Watches what is asked of the lease row, before anybody knows what becomes of it, and what the askers hear. */
import { type Answer, type Exchange, isRefusal, numberOf, placeholder } from './exchange.ts'
import type { Findings } from './findings.ts'
import type { SimulatedProcess } from './process.ts'
import { SKEW_MS } from './setting.ts'
import { type LeaseRow, type OnLease, onLease, placeholderOf, type Tenure } from './tenure.ts'
import type { Timeline } from './timeline.ts'

/** When an acquire's first try was sent, in true time and by its sender's monotonic clock. */
export interface Asked {
  readonly atMs: number
  readonly monotonicMs: number
  readonly offsetMs: number
  /** The invocation that asked. */
  readonly by: string
  granted: boolean
  /** The sender learned of the grant from the answer to the request that was granted. */
  told: boolean
  /** The sender learned anything at all. */
  answered: boolean
}

/** DynamoDB tells the time in whole seconds. */
export const DATE_RESOLUTION_MS = 1_000

/** Whether the answer to an acquire told, whatever it took, that its sender's clock is off by more than half of the budget. */
export function isCertainlyWrong(asked: Asked, process: SimulatedProcess, nowMs: number): boolean {
  const doubtMs = DATE_RESOLUTION_MS + nowMs - asked.atMs
  return process.offsetMs === asked.offsetMs && Math.abs(asked.offsetMs) > SKEW_MS / 2 + doubtMs
}

export class RequestWatch {
  /** Acquires, by their attempt. */
  readonly asked = new Map<string, Asked>()
  /** Invocations of which a request met a transaction under way. */
  readonly inConflict = new Set<string>()
  /** All requests to DynamoDB, of whatever kind. */
  count = 0
  readonly #timeline: Timeline
  readonly #findings: Findings
  readonly #requests = new Map<string, string[]>()
  /** Per token, the step of the last completion or extension that was sent. */
  readonly #completionAsked = new Map<number, number>()
  readonly #extensions = new Map<number, number>()

  constructor(timeline: Timeline, findings: Findings) {
    this.#timeline = timeline
    this.#findings = findings
  }

  /** A completion was sent, and the lease is still held. */
  isCompleting({ token, ended }: Tenure): boolean {
    return ended === undefined && this.#completionAsked.has(token)
  }

  /** What an invocation asked of the lease row, in its order. */
  requestsOf(label: string): readonly string[] {
    return this.#requests.get(label) ?? []
  }

  sent(exchange: Exchange, tenures: Iterable<Tenure>): void {
    this.count++
    const request = onLease(exchange)
    if (request === undefined) return
    const attempt = placeholder(request.body, ':attempt') ?? ''
    const { process } = exchange
    this.#requests.set(process.errand, [...this.requestsOf(process.errand), request.kind])
    if (request.kind === 'acquire') {
      if (this.asked.has(attempt)) return
      const { nowMs } = this.#timeline
      const asked = { atMs: nowMs, monotonicMs: process.monotonicMs(), offsetMs: process.offsetMs, by: process.errand }
      this.asked.set(attempt, { ...asked, granted: false, told: false, answered: false })
    } else if (request.kind === 'giveBack') {
      if (this.asked.get(attempt)?.answered === false) this.#findings.reached('acquire without any answer given back')
    } else this.#sentByHolder(exchange, request, tenures, attempt)
  }

  answered(exchange: Exchange, answer: Answer, row: LeaseRow | undefined): void {
    const request = onLease(exchange)
    if (request === undefined) return
    if ('__type' in answer.body && /TransactionConflict/.test(JSON.stringify(answer.body))) {
      this.inConflict.add(exchange.process.errand)
    }
    const attempt = placeholder(request.body, ':attempt') ?? ''
    const asked = this.asked.get(attempt)
    if (request.kind === 'acquire') {
      if (asked !== undefined && (answer.status === 200 || isRefusal(answer))) asked.answered = true
      if (asked !== undefined && answer.status === 200) asked.told = true
      return
    }
    if (!isRefusal(answer) || row === undefined || row.attempt !== attempt) return
    const step = numberOf(placeholderOf(request, ':step'))
    if (request.kind === 'renew' && step === row.step) {
      this.#findings.reached('own renewal recognised after a lost reply')
    }
    if (request.kind === 'complete' && row.endedBy === 'completed') {
      this.#findings.reached('own completion recognised after a lost reply')
    }
  }

  #sentByHolder(
    { process, place }: Exchange,
    { kind, body }: OnLease,
    tenures: Iterable<Tenure>,
    attempt: string,
  ): void {
    const tenure = [...tenures].findLast((one) => one.attempt === attempt)
    const step = numberOf(placeholderOf({ body }, ':step'))
    if (tenure === undefined || step === undefined) return
    if (kind === 'complete') {
      if (this.#completionAsked.get(tenure.token) === step) this.#findings.reached('lost completion sent again')
      this.#completionAsked.set(tenure.token, step)
    }
    if (kind !== 'renew' && kind !== 'saveCheckpoint') return
    const expiresAtMs = numberOf(placeholderOf({ body }, ':expiresAt')) ?? 0
    const nowMs = numberOf(placeholderOf({ body }, ':now')) ?? 0
    const isRepeated = this.#extensions.get(tenure.token) === step
    this.#extensions.set(tenure.token, step)
    if (isRepeated) return
    if (process.wallMs() >= tenure.expiresAtMs || process.monotonicMs() >= tenure.untilMonotonicMs) {
      this.#findings.broken(
        'S1',
        `${place} extends a lease whose deadline is over by its own clock, when another may lead`,
      )
    }
    tenure.untilWallMs = Math.max(tenure.untilWallMs, expiresAtMs)
    tenure.untilMonotonicMs = Math.max(tenure.untilMonotonicMs, process.monotonicMs() + expiresAtMs - nowMs)
  }
}
