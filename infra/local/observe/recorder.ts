/**
 * Reads the events of the election off the wire, so that any function with the library can be watched. It stands at
 * both ends: at the function it sees what is sent and received, at the service what is applied. It changes nothing.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Interceptor, Reply } from '../lambda-host/interceptor.ts'
import { describeRequest, describeResult } from './descriptions.ts'
import type { Entry } from './entries.ts'
import {
  afterAnswer,
  afterRequest,
  doneOf,
  lastStepOf,
  NO_OBSERVATIONS,
  type Observations,
  type TryOutcome,
} from './outcome.ts'
import { type Step, shortened, TenureLogs } from './tenure-logs.ts'
import { type Sender, type Tenure, Tenures } from './tenures.ts'
import { answerOf, leaseRequestOf, missingTableOf } from './wire.ts'

export interface RecorderOptions {
  readonly leaseTable: string
  readonly add: (entry: Entry) => void
  readonly now?: () => number
}

interface Attempt extends Sender {
  /** Those before it leads. */
  readonly steps: Step[]
  /** By lease: it may lead several at once. */
  readonly tenures: Map<string, Tenure>
  /** Of the last grant. */
  last?: Tenure
  observations: Observations
  isDone: boolean
}

/** Requests of a killed invocation may still arrive. */
const KEPT_ATTEMPTS = 500
const MAX_STEPS_WITHOUT_LEADING = 300

/** A function may try the same table again and again. */
const MAX_MISSING = 10

/** Carries the service's reply to the other end of the same request. */
const passages = new AsyncLocalStorage<{ reply?: Reply }>()

export class Recorder {
  readonly logs = new TenureLogs()
  readonly #leaseTable: string
  readonly #add: (entry: Entry) => void
  readonly #now: () => number
  readonly #tenures: Tenures
  readonly #attempts = new Map<string, Attempt>()
  #staleRefused = 0
  #lateCompletions = 0
  readonly #unguarded = new Map<string, number>()

  constructor({ leaseTable, add, now = Date.now }: RecorderOptions) {
    this.#leaseTable = leaseTable
    this.#add = add
    this.#now = now
    this.#tenures = new Tenures(leaseTable, add, now)
  }

  /** The interceptor nearest to the function. */
  readonly atFunction: Interceptor = async (call, forward) => {
    const attempt = this.#attempts.get(call.requestId)
    if (attempt === undefined) return forward()
    const description = describeRequest(call, this.#leaseTable)
    const step: Step = { atMs: this.#now(), description, request: shortened(call.body) }
    this.#log(attempt, step)
    attempt.observations = afterRequest(attempt.observations, leaseRequestOf(call, this.#leaseTable))
    const passage: { reply?: Reply } = {}
    let received: Reply | 'hangUp' = 'hangUp'
    try {
      received = await passages.run(passage, () => forward())
      return received
    } finally {
      const replies = { ...passage, received, successor: attempt.last?.successor }
      step.result = describeResult(call, this.#leaseTable, replies)
      step.tookMs = this.#now() - step.atMs
      const shown = received === 'hangUp' ? passage.reply : received
      if (shown !== undefined) step.answer = shortened(answerOf(shown).body, shown.body)
    }
  }

  /** The interceptor nearest to the service. */
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
    if (answer.error === undefined && request?.kind === 'acquire') {
      const tenure = this.#tenures.begin(attempt, request, answer.body)
      attempt.last = tenure
      attempt.tenures.set(request.lease, tenure)
      this.logs.begin(tenure.tenure, attempt.steps)
    }
    const tenure = request === undefined ? attempt.last : attempt.tenures.get(request.lease)
    const stale = tenure && this.#tenures.applied(tenure, call, request, answer, wasReplaced && sender === tenure)
    const { refused = 0, isLateEnd = false, unguarded = [] } = stale ?? {}
    this.#staleRefused += refused
    if (isLateEnd) this.#lateCompletions += 1
    for (const table of unguarded) this.#unguarded.set(table, (this.#unguarded.get(table) ?? 0) + 1)
    const observations = afterAnswer(attempt.observations, request, answer, attempt.last?.token)
    const missing = missingTableOf(call, answer)
    attempt.observations = {
      ...observations,
      staleWritesRefused: observations.staleWritesRefused + refused,
      missingTables: [...observations.missingTables, ...(missing === undefined ? [] : [missing])].slice(0, MAX_MISSING),
    }
    return reply
  }

  invocationStarted(requestId: string, candidate: number, tick: string, retry: number): void {
    const atMs = this.#now()
    const invocation = `${requestId}/${retry}`
    const description = `${retry === 0 ? 'Invoked' : 'Retried by Lambda'} for the tick ${tick}`
    this.#attempts.set(requestId, {
      ...{ requestId, candidate, invocation, steps: [{ atMs, description }], tenures: new Map() },
      ...{ observations: NO_OBSERVATIONS, isDone: false },
    })
    const isFull = this.#attempts.size > KEPT_ATTEMPTS
    const oldest = isFull ? [...this.#attempts].find(([, { isDone }]) => isDone)?.[0] : undefined
    if (oldest !== undefined) this.#attempts.delete(oldest)
    this.#add({ kind: 'invoked', atMs, candidate, invocation, tick, retry })
  }

  /** @param ended the last log lines, and when Lambda retries the event, if it does */
  invocationEnded(
    requestId: string,
    outcome: TryOutcome,
    ended: { readonly logs?: readonly string[] | undefined; readonly retryInMs?: number | undefined } = {},
  ): void {
    const attempt = this.#attempts.get(requestId)
    if (attempt === undefined) return
    const atMs = this.#now()
    attempt.isDone = true
    this.#log(attempt, { atMs, ...lastStepOf(outcome, ended.logs) })
    for (const tenure of attempt.tenures.values()) tenure.isDone = true
    const { candidate, invocation } = attempt
    const retryAtMs = ended.retryInMs === undefined ? {} : { retryAtMs: atMs + ended.retryInMs }
    this.#add({ kind: 'done', atMs, candidate, invocation, ...retryAtMs, ...doneOf(outcome) })
  }

  /** A fault was injected into an invocation, or a candidate, or the whole run. */
  faultInjected(description: string, on: { readonly candidate?: number; readonly requestId?: string } = {}): void {
    const atMs = this.#now()
    const attempt = on.requestId === undefined ? undefined : this.#attempts.get(on.requestId)
    if (attempt !== undefined) this.#log(attempt, { atMs, description, isFault: true })
    this.#add({ kind: 'fault', atMs, candidate: on.candidate ?? attempt?.candidate, description })
  }

  leader(): Pick<Tenure, 'requestId' | 'candidate' | 'token'> | undefined {
    return this.#tenures.leading()
  }

  isLeading(requestId: string): boolean {
    return this.#tenures.leading(requestId) !== undefined
  }

  candidateOf(requestId: string): number | undefined {
    return this.#attempts.get(requestId)?.candidate
  }

  /** Of the last attempt of this request; undefined if it is no longer kept. */
  observations(requestId: string): Observations | undefined {
    return this.#attempts.get(requestId)?.observations
  }

  staleRefused(): number {
    return this.#staleRefused
  }

  /** Completions of replaced leaders, which the lease row refused. */
  lateCompletions(): number {
    return this.#lateCompletions
  }

  /** By table: accepted writes of replaced leaders that neither fence nor guard protected. */
  unguardedWrites(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#unguarded)
  }

  #log(attempt: Attempt, step: Step): void {
    if (attempt.last !== undefined) this.logs.add(attempt.last.tenure, step)
    else if (attempt.steps.length < MAX_STEPS_WITHOUT_LEADING) attempt.steps.push(step)
  }
}
