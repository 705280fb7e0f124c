/** One tick: all candidates are invoked at once; the tick is over when all of them have ended, retries included. */
// @ts-nocheck

import { randomUUID } from 'node:crypto'
import type { AsyncInvocation, Attempt, LambdaHost } from '../lambda-host/lambda-host.ts'
import type { TryOutcome } from '../observe/outcome.ts'
import { type Candidate, eventOf } from '../stack/schedules.ts'

export interface Try {
  /** From 1, in the order of the template's schedules. */
  readonly candidate: number
  readonly attempt: Attempt
  readonly outcome: TryOutcome
}

export type TickRecord = ReturnType<RunningTick['record']>

export interface TickCandidate extends Candidate, Pick<AsyncInvocation, 'clockSkewMs'> {
  readonly number: number
}

export interface TickContext {
  readonly host: Pick<LambdaHost, 'invokeAsync'>
  readonly candidates: readonly TickCandidate[]
  readonly outcomeOf: (attempt: Attempt) => TryOutcome
  readonly onStart: (requestId: string, candidate: number, tick: string, retry: number) => void
  readonly onTry: (tried: Try) => void
  /** The tick does not wait for a frozen request once another candidate has been invoked again. */
  readonly isFrozen: (requestId: string) => boolean
  readonly isReachable: (candidate: number) => boolean
}

interface Scheduled extends TickCandidate {
  readonly event: unknown
}

export class RunningTick {
  readonly #number: number
  readonly #tick: string
  readonly #context: TickContext
  readonly #candidates: readonly Scheduled[]
  readonly #tries: Try[] = []
  readonly #requests = new Map<string, Scheduled>()
  readonly #open = new Set<string>()
  /** Requests for which another candidate was invoked again. */
  readonly #hadRivals = new Set<string>()
  readonly #startedAt = performance.now()
  readonly #settled = Promise.withResolvers<void>()
  readonly #over = Promise.withResolvers<void>()
  /** Settles when all have ended except frozen ones whose rivals have been invoked again. */
  readonly settled = this.#settled.promise
  readonly over = this.#over.promise

  /** Invokes all candidates. @throws TemplateError if the input of a schedule is not JSON */
  constructor(number: number, tickMs: number, context: TickContext) {
    this.#number = number
    this.#tick = new Date(tickMs).toISOString()
    this.#context = context
    this.#candidates = context.candidates.map((one) => ({ ...one, event: eventOf(one.schedule, tickMs) }))
    for (const candidate of this.#candidates) void this.#invoke(candidate)
  }

  record() {
    return {
      number: this.#number,
      tick: this.#tick,
      tries: [...this.#tries],
      durationMs: performance.now() - this.#startedAt,
      /** A leader of this tick is still frozen. */
      hasFrozen: [...this.#open].some(this.#context.isFrozen),
    }
  }

  has(requestId: string): boolean {
    return this.#requests.has(requestId)
  }

  /** Invokes the function of this request again, with this event. False if the request is not of that function. */
  continueSelf(requestId: string, functionName: string, event: unknown): boolean {
    const candidate = this.#requests.get(requestId)
    if (candidate?.lambda.name !== functionName) return false
    void this.#invoke({ ...candidate, event })
    return true
  }

  /** Delivers a rival's event again: Scheduler and Lambda deliver at least once. Settles after its last retry. */
  async deliverAgain(requestId: string): Promise<void> {
    const rival = this.#rivalOf(requestId)
    this.#hadRivals.add(requestId)
    if (rival !== undefined) await this.#invoke(rival)
  }

  async #invoke(candidate: Scheduled): Promise<void> {
    const { host, outcomeOf, onTry, onStart } = this.#context
    const { number, lambda, event, clockSkewMs } = candidate
    const requestId = randomUUID()
    this.#requests.set(requestId, candidate)
    this.#open.add(requestId)
    const onAttempt = (attempt: Attempt) => {
      const tried = { candidate: number, attempt, outcome: outcomeOf(attempt) }
      this.#tries.push(tried)
      onTry(tried)
    }
    await host.invokeAsync(lambda, event, onAttempt, {
      requestId,
      onStart: (retry) => onStart(requestId, number, this.#tick, retry),
      ...(clockSkewMs === undefined ? {} : { clockSkewMs }),
    })
    this.#open.delete(requestId)
    const isWaitedFor = (one: string) => !this.#context.isFrozen(one) || !this.#hadRivals.has(one)
    if (![...this.#open].some(isWaitedFor)) this.#settled.resolve()
    if (this.#open.size === 0) this.#over.resolve()
  }

  #rivalOf(requestId: string): Scheduled | undefined {
    const { isFrozen, isReachable } = this.#context
    const candidate = this.#requests.get(requestId)
    const frozen = [...this.#open].filter(isFrozen).map((one) => this.#requests.get(one)?.number)
    const others = this.#candidates.filter(({ number }) => number !== candidate?.number)
    return others.find(({ number }) => isReachable(number) && !frozen.includes(number)) ?? others[0] ?? candidate
  }
}

export const completionsOf = ({ tries }: TickRecord) => tries.filter(({ outcome }) => outcome.status === 'completed')

/** Whether another invocation completed what the first leader had begun; that one may fail much later. */
export const wasTakenOver = (record: TickRecord): boolean =>
  completionsOf(record).length > 0 && (record.hasFrozen || record.tries.some(({ outcome }) => ledAndFailed(outcome)))

const ledAndFailed = (outcome: TryOutcome) => outcome.status === 'failed' && outcome.fencingToken !== undefined
