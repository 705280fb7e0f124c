/** One tick: all candidates are invoked at once; the tick is over when all of them have ended, retries included. */
import { randomUUID } from 'node:crypto'
import type { AsyncInvocation, Attempt, LambdaHost } from '../lambda-host/lambda-host.ts'
import type { TryOutcome } from '../observe/outcome.ts'
import { type Candidate, eventOf } from '../stack/schedules.ts'

export interface Try {
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

type Scheduled = TickCandidate & { readonly event: unknown }

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
      hasFrozen: [...this.#open].some(this.#context.isFrozen),
    }
  }

  readonly has = (requestId: string): boolean => this.#requests.has(requestId)

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

/** `standby` and `failed` count invocations, retries too; `tookOver`, ticks that the first leader did not complete. */
export type Tally = Readonly<typeof NOTHING>

const NOTHING = { ticks: 0, completed: 0, completedTwice: 0, standby: 0, failed: 0, tookOver: 0 }

/** The ticks that are not over, and the totals of all; bounded, because a run may last for days. */
export class RunningTicks {
  readonly #open = new Set<RunningTick>()
  #over: Tally = NOTHING

  add(tick: RunningTick): void {
    this.#open.add(tick)
    void tick.over.then(() => {
      this.#open.delete(tick)
      this.#over = tallyOf([tick.record()], this.#over)
    })
  }

  readonly tally = (): Tally =>
    tallyOf(
      [...this.#open].map((tick) => tick.record()),
      this.#over,
    )
  readonly overdue = (): number => this.#over.ticks - this.#over.completed
  readonly over = (): Promise<unknown> => Promise.all([...this.#open].map((tick) => tick.over))
  readonly continueSelf: RunningTick['continueSelf'] = (...invoke) =>
    [...this.#open].some((tick) => tick.continueSelf(...invoke))

  /** See `RunningTick.deliverAgain`. Does nothing for a request of a tick that is over. */
  readonly deliverAgain = async (requestId: string): Promise<void> => {
    for (const tick of this.#open) if (tick.has(requestId)) await tick.deliverAgain(requestId)
  }
}

export function tallyOf(records: readonly TickRecord[], before: Tally = NOTHING): Tally {
  const tries = records.flatMap((record) => record.tries)
  const ended = (status: Try['outcome']['status']) => tries.filter(({ outcome }) => outcome.status === status).length
  const completions = records.map((record) => completionsOf(record).length)
  return {
    ticks: before.ticks + records.length,
    completed: before.completed + completions.filter((times) => times > 0).length,
    completedTwice: before.completedTwice + completions.filter((times) => times > 1).length,
    standby: before.standby + ended('standby'),
    failed: before.failed + ended('failed'),
    tookOver: before.tookOver + records.filter(wasTakenOver).length,
  }
}
