/**
 * Reads the events of the election off the wire, so that any function with the library can be watched. It stands at
 * both ends: at the function it sees what is sent and received, at the service what is applied. It changes nothing.
 */
// @ts-nocheck

import { AsyncLocalStorage } from 'node:async_hooks'
import { property } from '../../../functions/election/json.ts'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import { describeRequest, describeResult } from './descriptions.ts'
import type { Entry } from './entries.ts'
import { lastStepOf, type Observations, type ObservedLease, type TryOutcome, whyRefused } from './outcome.ts'
import { type Step, shortened, TenureLogs } from './tenure-logs.ts'
import { type Tenure, Tenures } from './tenures.ts'
import {
  type Answer,
  answerOf,
  isRefusal,
  isStandingBy,
  type LeaseRequest,
  leaseRequestOf,
  missingTableOf,
} from './wire.ts'

interface Requested {
  leaseMs: number
  tick: string | undefined
  refusedAs?: ObservedLease['refusedAs']
  tenure?: Tenure
}

interface Attempt {
  readonly candidate: number
  /** Empty for a server. */
  readonly tick: string
  /** Those before it leads. */
  readonly steps: Step[]
  /** By name, in the order of their first acquire: it may lead several at once. */
  readonly leases: Map<string, Requested>
  /** Of the last grant. */
  last?: Tenure
  readonly missingTables: Observations['missingTables'][number][]
  isDone: boolean
}

/** Requests of a killed invocation may still arrive. */
const KEPT_ATTEMPTS = 500
const MAX_STEPS_WITHOUT_LEADING = 300
/** The feed gets the beginning of an error; the log gets all of it. */
const MAX_MESSAGE = 1_000

/** Carries the service's reply to the other end of the same request. */
const passages = new AsyncLocalStorage<{ reply?: Reply }>()

export class Recorder {
  readonly logs = new TenureLogs()
  readonly #leaseTable: string
  readonly #add: (entry: Entry) => void
  readonly #now: () => number
  readonly #tenures: Tenures
  readonly #attempts = new Map<string, Attempt>()

  constructor(options: { leaseTable: string; add: (entry: Entry) => void; now?: () => number }) {
    const { leaseTable, add, now = Date.now } = options
    this.#leaseTable = leaseTable
    this.#add = add
    this.#now = now
    this.#tenures = new Tenures(leaseTable, add, now)
  }

  readonly atFunction: Interceptor = async (call, forward) => {
    const attempt = this.#attempts.get(call.requestId)
    if (attempt === undefined || isStandingBy(call, this.#leaseTable)) return forward()
    const description = describeRequest(call, this.#leaseTable)
    const step: Step = { atMs: this.#now(), description, request: shortened(call.body) }
    const request = leaseRequestOf(call, this.#leaseTable)
    if (request?.kind === 'acquire' && attempt.last?.entry.end !== undefined) attempt.steps.push(step)
    else this.#log(attempt, step)
    if (request?.kind === 'acquire') {
      const { lease, tick, expiresAtMs, nowMs } = request
      const before = attempt.leases.get(lease)
      attempt.leases.set(lease, { ...before, tick, leaseMs: Math.max(expiresAtMs - nowMs, before?.leaseMs ?? 0) })
    }
    const passage: { reply?: Reply } = {}
    let received: Reply | 'hangUp' = 'hangUp'
    try {
      received = await passages.run(passage, () => forward())
      return received
    } finally {
      const replies = { ...passage, received, successor: attempt.last?.entry.successor }
      step.result = describeResult(call, this.#leaseTable, replies)
      step.tookMs = this.#now() - step.atMs
      const shown = received === 'hangUp' ? passage.reply : received
      if (shown !== undefined) step.answer = shortened(answerOf(shown).body, shown.body)
    }
  }

  readonly atService: Interceptor = async (call, forward) => {
    const sender = this.#attempts.get(call.requestId)?.last
    const wasReplaced = sender !== undefined && this.#tenures.isReplaced(sender)
    const reply = await forward()
    const attempt = this.#attempts.get(call.requestId)
    if (attempt === undefined) return reply
    const passage = passages.getStore()
    if (passage !== undefined) passage.reply = reply
    const request = leaseRequestOf(call, this.#leaseTable)
    const answer = answerOf(reply)
    this.#acquired(attempt, call, request, answer)
    const tenure = request === undefined ? attempt.last : attempt.leases.get(request.lease)?.tenure
    if (tenure !== undefined) {
      this.#tenures.applied(tenure, call, request, answer, wasReplaced && sender === tenure)
    }
    const missing = missingTableOf(call, answer)
    if (missing !== undefined) attempt.missingTables.push(missing)
    return reply
  }

  #acquired(attempt: Attempt, { requestId }: Call, request: LeaseRequest | undefined, answer: Answer): void {
    if (request?.kind !== 'acquire') return
    const requested = attempt.leases.get(request.lease)
    if (requested === undefined) return
    if (answer.error === undefined) {
      const tenure = this.#tenures.begin(requestId, attempt.candidate, request, answer.body)
      attempt.last = tenure
      attempt.leases.set(request.lease, { leaseMs: requested.leaseMs, tick: requested.tick, tenure })
      this.logs.add(tenure.entry.number, ...attempt.steps.splice(0))
    } else if (isRefusal(answer.error) && requested.tenure === undefined) {
      // After a grant, it is the repetition of an acquire whose reply was lost.
      requested.refusedAs = whyRefused(property(answer.body, 'Item'), request.tick)
    }
  }

  invocationStarted(requestId: string, candidate: number, tick: string, retry: number): void {
    this.#begin(requestId, candidate, `${retry === 0 ? 'Invoked' : 'Retried by Lambda'} for the tick ${tick}`, tick)
  }

  /** Each process of a server is one attempt, which may lead again and again. */
  serverStarted(requestId: string, candidate: number, pid: number): void {
    this.#begin(requestId, candidate, `Process ${pid} starts`)
    this.#add({ kind: 'standby', atMs: this.#now(), candidate, reason: `process ${pid} starts` })
  }

  #begin(requestId: string, candidate: number, description: string, tick = ''): void {
    this.#attempts.set(requestId, {
      ...{ candidate, tick, steps: [{ atMs: this.#now(), description }], leases: new Map() },
      ...{ missingTables: [], isDone: false },
    })
    const isFull = this.#attempts.size > KEPT_ATTEMPTS
    const oldest = isFull ? [...this.#attempts].find(([, { isDone }]) => isDone)?.[0] : undefined
    if (oldest !== undefined) this.#attempts.delete(oldest)
  }

  invocationEnded(requestId: string, outcome: TryOutcome, logs?: readonly string[]): void {
    const attempt = this.#attempts.get(requestId)
    if (attempt === undefined) return
    const { candidate, tick, leases, last } = attempt
    const atMs = this.#now()
    attempt.isDone = true
    this.#log(attempt, { atMs, ...lastStepOf(outcome, logs) })
    const { errorType: name, errorMessage = '' } = outcome.status === 'failed' ? outcome.error : {}
    const error = name === undefined ? undefined : { name, message: errorMessage.slice(0, MAX_MESSAGE) }
    for (const { tenure } of leases.values()) {
      if (tenure !== undefined) this.#tenures.change(tenure, { doneAtMs: atMs, error })
    }
    if (last !== undefined) return
    if (outcome.status === 'standby') this.#add({ kind: 'standby', atMs, candidate, reason: outcome.reason })
    if (error === undefined) return
    const number = this.#tenures.nextNumber()
    this.logs.add(number, ...attempt.steps)
    this.#add({ kind: 'failure', atMs, number, candidate, tick, error })
  }

  /** @param how such as `killed by SIGKILL` */
  serverEnded(requestId: string, how: string, logs: readonly string[]): void {
    const attempt = this.#attempts.get(requestId)
    if (attempt === undefined) return
    const [atMs, tenure] = [this.#now(), this.#tenures.leading(requestId)]
    attempt.isDone = true
    this.#log(attempt, { atMs, description: `The process ended: ${how}`, trace: logs })
    if (tenure !== undefined) this.#tenures.change(tenure, { doneAtMs: atMs, error: { name: 'Exit', message: how } })
  }

  faultInjected(description: string, on: { readonly candidate?: number; readonly requestId?: string } = {}): void {
    const atMs = this.#now()
    const attempt = on.requestId === undefined ? undefined : this.#attempts.get(on.requestId)
    if (attempt !== undefined) this.#log(attempt, { atMs, description, isFault: true })
    this.#add({ kind: 'fault', atMs, candidate: on.candidate ?? attempt?.candidate, description })
  }

  leader(): string | undefined {
    return this.#tenures.leading()?.requestId
  }

  isLeading(requestId: string): boolean {
    return this.#tenures.leading(requestId) !== undefined
  }

  candidateOf(requestId: string): number | undefined {
    return this.#attempts.get(requestId)?.candidate
  }

  /** Of the last attempt of this request; nothing if it is no longer kept. */
  observations(requestId: string): Observations {
    const attempt = this.#attempts.get(requestId)
    const leases = [...(attempt?.leases ?? [])].map(([lease, { tenure, ...requested }]) => ({
      ...{ lease, ...requested, token: tenure?.entry.token, ended: tenure?.entry.end },
    }))
    return { leases, missingTables: attempt?.missingTables ?? [] }
  }

  readonly staleRefused = (): number => this.#tenures.stale.refused
  readonly lateCompletions = (): number => this.#tenures.stale.completions
  readonly unguardedWrites = (): Readonly<Record<string, number>> => Object.fromEntries(this.#tenures.stale.unguarded)

  #log(attempt: Attempt, step: Step): void {
    if (attempt.last !== undefined) this.logs.add(attempt.last.entry.number, step)
    else if (attempt.steps.length < MAX_STEPS_WITHOUT_LEADING) attempt.steps.push(step)
  }
}
