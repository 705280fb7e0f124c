/** Records what candidates send to the lease row and learn from the answers; checks extensions when they are sent. */
import type { HolderWrite } from '../../../functions/election/rules.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { type Exchange, isRefusal } from './exchange.ts'
import type { Findings } from './findings.ts'
import type { SimulatedProcess } from './process.ts'
import { SKEW_MS } from './setting.ts'
import type { Tenure } from './tenure.ts'
import type { World } from './world.ts'

/** One attempt to acquire; the times are those of its first request. */
export interface Attempt {
  readonly sentAtMs: number
  readonly sentMonotonicMs: number
  /** How wrong the sender's clock was. */
  readonly offsetMs: number
  /** The label of the invocation. */
  readonly by: string
  isGranted: boolean
  /** The sender learned of the grant from the answer to the granted request. */
  knowsGrant: boolean
  isAnswered: boolean
}

/** The Date header has whole seconds. */
const DATE_RESOLUTION_MS = 1_000

/** Whether an answer at `nowMs` proves that the sender's clock is off by more than half of the budget. */
export function isProvablyWrong(attempt: Attempt, process: SimulatedProcess, nowMs: number): boolean {
  const doubtMs = DATE_RESOLUTION_MS + nowMs - attempt.sentAtMs
  return process.offsetMs === attempt.offsetMs && Math.abs(attempt.offsetMs) > SKEW_MS / 2 + doubtMs
}

export class RequestWatch {
  readonly attempts = new Map<string, Attempt>()
  /** Invocations that a transaction under way refused. */
  readonly inConflict = new Set<string>()
  /** All requests to DynamoDB. */
  count = 0
  readonly #world: World
  readonly #findings: Findings
  /** The kinds of an invocation's requests on the lease row, in their order. */
  readonly #kinds = new Map<string, string[]>()
  /** Per token, the step of the last completion or extension that was sent. */
  readonly #completionStep = new Map<number, number>()
  readonly #extensionStep = new Map<number, number>()

  constructor(world: World) {
    this.#world = world
    this.#findings = world.findings
  }

  /** A completion was sent, and the lease is still held. */
  isCompleting({ token, ended }: Tenure): boolean {
    return ended === undefined && this.#completionStep.has(token)
  }

  kindsOf(invocation: string): readonly string[] {
    return this.#kinds.get(invocation) ?? []
  }

  sent({ process, place, lease: request }: Exchange): void {
    this.count++
    if (request === undefined) return
    this.#kinds.set(process.invocation, [...this.kindsOf(process.invocation), request.kind])
    switch (request.kind) {
      case 'acquire':
        this.#acquireSent(request.attempt, process)
        return
      case 'giveBack':
        if (this.attempts.get(request.attempt)?.isAnswered === false) {
          this.#findings.reached('acquire without any answer given back')
        }
        return
      case 'guard':
        return
      default: {
        const tenure = this.#world.leases.tenures.get(request.fencingToken)
        if (tenure?.attempt === request.attempt) this.#holderSent(request, tenure, place)
      }
    }
  }

  answered({ process, lease: request }: Exchange, answer: Answer): void {
    if (request === undefined) return
    if (JSON.stringify(answer.body).includes('TransactionConflict')) this.inConflict.add(process.invocation)
    if (request.kind === 'acquire') {
      const attempt = this.attempts.get(request.attempt)
      if (attempt === undefined) return
      if (answer.status === 200) attempt.knowsGrant = true
      if (answer.status === 200 || isRefusal(answer)) attempt.isAnswered = true
      return
    }
    const { row } = this.#world.leases
    if (!isRefusal(answer) || row?.attempt !== request.attempt) return
    if (request.kind === 'renew' && request.step === row.step) {
      this.#findings.reached('own renewal recognised after a lost reply')
    }
    if (request.kind === 'complete' && row.endedBy === 'completed') {
      this.#findings.reached('own completion recognised after a lost reply')
    }
  }

  #acquireSent(attempt: string, process: SimulatedProcess): void {
    if (this.attempts.has(attempt)) return
    this.attempts.set(attempt, {
      sentAtMs: this.#world.timeline.nowMs,
      sentMonotonicMs: process.monotonicMs(),
      offsetMs: process.offsetMs,
      by: process.invocation,
      ...{ isGranted: false, knowsGrant: false, isAnswered: false },
    })
  }

  #holderSent(request: HolderWrite, tenure: Tenure, place: string): void {
    const { step } = request
    if (request.kind === 'complete') {
      if (this.#completionStep.get(tenure.token) === step) this.#findings.reached('lost completion sent again')
      this.#completionStep.set(tenure.token, step)
    }
    if (request.kind !== 'renew' && request.kind !== 'saveCheckpoint') return
    const isRepeated = this.#extensionStep.get(tenure.token) === step
    this.#extensionStep.set(tenure.token, step)
    if (isRepeated) return
    const { process } = tenure
    if (process.wallMs() >= tenure.expiresAtMs || process.monotonicMs() >= tenure.untilMonotonicMs) {
      this.#findings.broken('S1', `${place} extends the lease after the deadline by its own clock; another may lead`)
    }
    const leaseMs = request.expiresAtMs - request.nowMs
    tenure.untilWallMs = Math.max(tenure.untilWallMs, request.expiresAtMs)
    tenure.untilMonotonicMs = Math.max(tenure.untilMonotonicMs, process.monotonicMs() + leaseMs)
  }
}
