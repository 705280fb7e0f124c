/**
 * Reads the events of the election off the wire, so that any function that uses the library can be watched. It stands at
 * both ends: at the function it sees what is sent and received, at the service what was really applied. It changes nothing.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call, Interceptor, Reply } from '../lambda-host/interceptor.ts'
import { describeRequest, describeResult } from './descriptions.ts'
import type { Effect, Entry } from './entries.ts'
import { afterAnswer, afterRequest, NO_OBSERVATIONS, type Observations } from './observations.ts'
import { doneOf, lastStepOf, type TryOutcome } from './outcome.ts'
import { type Step, shortened, TenureLogs } from './tenure-logs.ts'
import {
  type Acquire,
  type Answer,
  answerOf,
  endIn,
  gatewayStatusOf,
  grantOf,
  isRefusal,
  type LeaseRequest,
  leaseRequestOf,
  otherWritesOf,
} from './wire.ts'

export interface RecorderOptions {
  readonly leaseTable: string
  readonly add: (entry: Entry) => void
  readonly now?: () => number
}

export interface Leader {
  readonly requestId: string
  readonly candidate: number
  /** See `Began`. */
  readonly tenure: number
  readonly token: number
}

interface Tenure extends Leader {
  readonly lease: string
  /** It ended its tenure in the row, even if the reply was lost. */
  hasEnded: boolean
  /** Its invocation has ended. */
  isDone: boolean
  /** The token of its successor. */
  successor?: number
}

/** One attempt of one request id. */
interface Attempt {
  readonly candidate: number
  readonly invocation: string
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

/** Carries the service's reply to the other end of the same request. */
const passages = new AsyncLocalStorage<{ reply?: Reply }>()

export class Recorder {
  readonly logs = new TenureLogs()
  readonly #leaseTable: string
  readonly #add: (entry: Entry) => void
  readonly #now: () => number
  readonly #attempts = new Map<string, Attempt>()
  /** The tenure that the row of each lease names. */
  readonly #current = new Map<string, Tenure>()
  #tenures = 0
  #staleRefused = 0

  constructor({ leaseTable, add, now = Date.now }: RecorderOptions) {
    this.#leaseTable = leaseTable
    this.#add = add
    this.#now = now
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
    const reply = await forward()
    const attempt = this.#attempts.get(call.requestId)
    if (attempt === undefined) return reply
    const passage = passages.getStore()
    if (passage !== undefined) passage.reply = reply
    const request = leaseRequestOf(call, this.#leaseTable)
    const answer = answerOf(reply)
    this.#applied(attempt, call, request, answer)
    attempt.observations = afterAnswer(attempt.observations, request, answer, attempt.last?.token)
    return reply
  }

  /** An attempt begins; its requests carry this request id. */
  invocationStarted(requestId: string, candidate: number, tick: string, retry: number): void {
    const atMs = this.#now()
    const invocation = `${requestId}/${retry}`
    const description = `${retry === 0 ? 'Invoked' : 'Retried by Lambda'} for the tick ${tick}`
    this.#attempts.set(requestId, {
      ...{ candidate, invocation, steps: [{ atMs, description }], tenures: new Map() },
      ...{ observations: NO_OBSERVATIONS, isDone: false },
    })
    const surplus = this.#attempts.size > KEPT_ATTEMPTS
    const oldest = surplus ? [...this.#attempts].find(([, { isDone }]) => isDone)?.[0] : undefined
    if (oldest !== undefined) this.#attempts.delete(oldest)
    this.#add({ kind: 'invoked', atMs, candidate, invocation, tick, retry })
  }

  /** @param more the last log lines, and when Lambda retries the event, if it does */
  invocationEnded(
    requestId: string,
    outcome: TryOutcome,
    {
      logs,
      retryInMs,
    }: { readonly logs?: readonly string[] | undefined; readonly retryInMs?: number | undefined } = {},
  ): void {
    const attempt = this.#attempts.get(requestId)
    if (attempt === undefined) return
    const atMs = this.#now()
    attempt.isDone = true
    this.#log(attempt, { atMs, ...lastStepOf(outcome, logs) })
    for (const tenure of attempt.tenures.values()) tenure.isDone = true
    const { candidate, invocation } = attempt
    const retryAtMs = retryInMs === undefined ? {} : { retryAtMs: atMs + retryInMs }
    this.#add({ kind: 'done', atMs, candidate, invocation, ...retryAtMs, ...doneOf(outcome) })
  }

  /** A fault was injected into an invocation, or a candidate, or the whole run. */
  faultInjected(description: string, on: { readonly candidate?: number; readonly requestId?: string } = {}): void {
    const atMs = this.#now()
    const attempt = on.requestId === undefined ? undefined : this.#attempts.get(on.requestId)
    if (attempt !== undefined) this.#log(attempt, { atMs, description, isFault: true })
    this.#add({ kind: 'fault', atMs, candidate: on.candidate ?? attempt?.candidate, description })
  }

  /** The candidate that leads and still runs; the first one if each candidate has a lease of its own. */
  leader(): Leader | undefined {
    return [...this.#current.values()].find(isAtWork)
  }

  isLeading(requestId: string): boolean {
    return [...this.#current.values()].some((tenure) => tenure.requestId === requestId && isAtWork(tenure))
  }

  candidateOf(requestId: string): number | undefined {
    return this.#attempts.get(requestId)?.candidate
  }

  /** What the last attempt of this request requested of the leases; undefined if it is no longer kept. */
  observations(requestId: string): Observations | undefined {
    return this.#attempts.get(requestId)?.observations
  }

  /** Refused writes of replaced leaders since the start. */
  staleRefused(): number {
    return this.#staleRefused
  }

  #log(attempt: Attempt, step: Step): void {
    if (attempt.last !== undefined) this.logs.add(attempt.last.tenure, step)
    else if (attempt.steps.length < MAX_STEPS_WITHOUT_LEADING) attempt.steps.push(step)
  }

  #applied(attempt: Attempt, call: Call, request: LeaseRequest | undefined, { body, error }: Answer): void {
    if (error === undefined && request?.kind === 'acquire') this.#began(attempt, call.requestId, request, body)
    const tenure = request === undefined ? attempt.last : attempt.tenures.get(request.lease)
    if (tenure === undefined) return
    const isReplaced = this.#current.get(tenure.lease) !== tenure
    const verdict = verdictOf(call, { body, error }, isReplaced)
    const isLateEnd = verdict === 'refused' && request?.kind === 'complete' && !tenure.hasEnded
    const writes = [...otherWritesOf(call, this.#leaseTable), ...(isLateEnd ? ['the completion of its tick'] : [])]
    if (verdict !== undefined) this.#addEffects(attempt, tenure, verdict, writes, isReplaced)
    if (error === undefined && request !== undefined) this.#leaseChanged(tenure, request)
  }

  #began(attempt: Attempt, requestId: string, { lease, tick, expiresAtMs, ...request }: Acquire, body: unknown): void {
    const { token, before } = grantOf({ lease, expiresAtMs, ...request }, body)
    const { candidate, invocation, steps } = attempt
    this.#tenures += 1
    const tenure: Tenure = {
      ...{ lease, requestId, candidate, tenure: this.#tenures, token },
      ...{ hasEnded: false, isDone: false },
    }
    const previous = this.#current.get(lease)
    if (previous !== undefined) previous.successor = token
    const replaced = before.holder === undefined ? undefined : previous?.tenure
    attempt.last = tenure
    attempt.tenures.set(lease, tenure)
    this.#current.set(lease, tenure)
    this.logs.begin(tenure.tenure, steps)
    const began = { tenure: tenure.tenure, token, candidate, invocation, tick, expiresAtMs, replaced }
    this.#add({ kind: 'began', atMs: this.#now(), ...began })
  }

  #addEffects(
    attempt: Attempt,
    { tenure, token, candidate }: Tenure,
    verdict: Effect['verdict'],
    writes: readonly string[],
    isReplaced: boolean,
  ): void {
    const suffix = verdict === 'accepted' && isReplaced ? ', though it is replaced' : ''
    const common = { kind: 'effect', atMs: this.#now(), tenure, token, candidate, verdict, times: 1 } as const
    for (const write of writes) this.#add({ ...common, what: write + suffix })
    if (verdict === 'accepted') return
    this.#staleRefused += writes.length
    const staleWritesRefused = attempt.observations.staleWritesRefused + writes.length
    attempt.observations = { ...attempt.observations, staleWritesRefused }
  }

  #leaseChanged(tenure: Tenure, request: LeaseRequest): void {
    const common = { atMs: this.#now(), tenure: tenure.tenure }
    if (request.kind === 'renew' || request.kind === 'saveCheckpoint') {
      this.#add({ kind: 'renewed', ...common, expiresAtMs: request.expiresAtMs })
    }
    const how = endIn(request)
    if (how === undefined) return
    tenure.hasEnded = true
    this.#add({ kind: 'ended', ...common, how })
  }
}

const isAtWork = ({ hasEnded, isDone }: Tenure) => !hasEnded && !isDone

/** Undefined for a request that changed nothing, for another reason than a newer leader. */
function verdictOf(call: Call, { body, error }: Answer, isReplaced: boolean): Effect['verdict'] | undefined {
  if (error !== undefined) return isReplaced && isRefusal(error) ? 'refused' : undefined
  return (gatewayStatusOf(call, body) ?? 200) < 300 ? 'accepted' : undefined
}
