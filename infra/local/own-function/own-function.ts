/** A function of the user's own as the task of a run, deployed as an ElectedSchedule would deploy it. */
import { count, secondsOf, timeOf } from '../../programs/text.ts'
import type { Attempt } from '../lambda-host/lambda-host.ts'
import { leaseIn, NO_OBSERVATIONS, type ObservedLease, type TryOutcome } from '../observe/outcome.ts'
import type { Task, TaskContext, TaskMaker } from '../run/task.ts'
import { type OwnPlace, ownOutcomeOf } from './outcome.ts'

/** The protocol refuses future ticks, so the first one lies far enough in the past for any run. */
const FIRST_TICK_PERIODS_AGO = 10_000
/** The terminal mentions an invocation that takes longer, once. */
const LONG_MS = 10_000

export interface OwnTask extends Pick<OwnPlace, 'directory'> {
  /** As given. */
  readonly path: string
}

export const ownFunction =
  (own: OwnTask): TaskMaker<undefined> =>
  (context) =>
    new OwnFunction(own, context)

class OwnFunction implements Task<undefined> {
  readonly name: string
  readonly #context: TaskContext
  readonly #outcomes: OwnOutcomes
  /** During the wait for a retry the function is expected to be silent. */
  #quietUntil = 0
  #hasWarned = false

  constructor({ path, directory }: OwnTask, context: TaskContext) {
    const { lease, leaseMs } = context.lease
    this.name = path
    this.#context = context
    this.#outcomes = new OwnOutcomes({ lease, directory, leaseMs }, context)
  }

  firstTickMs(periodMs: number, nowMs: number): number {
    return (Math.floor(nowMs / periodMs) - FIRST_TICK_PERIODS_AGO) * periodMs
  }

  introduce(firstTick: string): void {
    const { candidates, lease, display } = this.#context
    const minutes = (candidates[0]?.schedule.periodMs ?? 0) / 60_000
    const of = `${count(candidates.length, 'candidate')}, lease ${lease.lease} of ${secondsOf(lease.leaseMs)}`
    display.note(`${this.name}: ${of}, a tick every ${minutes} min from ${timeOf(firstTick)}`)
  }

  tickStarts(): void {
    this.#quietUntil = performance.now()
  }

  progress(): void {
    if (this.#hasWarned || performance.now() - this.#quietUntil < LONG_MS) return
    this.#hasWarned = true
    const timeoutMs = this.#context.candidates[0]?.lambda.timeoutMs ?? 0
    const limit = `its time-out is ${secondsOf(timeoutMs)}`
    this.#context.display.note(`    … ${this.name} has not returned for ${LONG_MS / 1000} s; ${limit}`)
  }

  outcomeOf(attempt: Attempt): TryOutcome {
    this.#quietUntil = Math.max(this.#quietUntil, performance.now() + (attempt.retryInMs ?? 0))
    return this.#outcomes.read(attempt)
  }

  async report(): Promise<undefined> {
    return undefined
  }
}

/** Leases end with the invocation, and timers are not exact. */
const TOLERANCE = 1.1

interface OutcomesContext extends Pick<TaskContext, 'recorder'> {
  readonly display: Pick<TaskContext['display'], 'warn'>
}

/** Reads the outcomes of the function's tries, and displays each thing worth knowing about them once. */
export class OwnOutcomes {
  readonly #place: OwnPlace & { readonly leaseMs: number }
  readonly #context: OutcomesContext
  readonly #known = new Set<string>()

  /** @param place with the LEASE_MS that the function gets */
  constructor(place: OwnPlace & { readonly leaseMs: number }, context: OutcomesContext) {
    this.#place = place
    this.#context = context
  }

  read({ requestId, ending }: Pick<Attempt, 'requestId' | 'ending'>): TryOutcome {
    const observations = this.#context.recorder.observations(requestId) ?? NO_OBSERVATIONS
    const observed = leaseIn(observations, this.#place.lease)
    for (const hint of observed === undefined ? [] : this.#hintsOn(observed)) if (this.#isNew(hint)) this.#warn(hint)
    const outcome = ownOutcomeOf(ending, observations, this.#place)
    if (outcome.status === 'completed' && outcome.thrown !== undefined) {
      const { errorType, errorMessage, trace = [] } = outcome.thrown
      const lines = [`${errorType}: ${errorMessage}`, ...trace.slice(1)]
      this.#warn(`Token ${outcome.fencingToken} failed after completing its tick: ${lines.join('\n        ')}`)
    }
    if (outcome.status !== 'failed' || observed !== undefined) return outcome
    // Without an election all tries fail alike: a module cannot be loaded, a lease is not requested.
    const { errorType, errorMessage, trace = [] } = outcome.error
    return { ...outcome, isTold: !this.#isNew(JSON.stringify([errorType, errorMessage, trace])) }
  }

  /** What in the request for the lease does not fit this run. */
  #hintsOn({ lease, leaseMs: requestedMs, tick }: ObservedLease): readonly string[] {
    const { leaseMs } = this.#place
    const hints: string[] = []
    if (requestedMs > leaseMs * TOLERANCE) {
      hints.push(
        `It requests the lease for ${secondsOf(requestedMs)}, but LEASE_MS is ${leaseMs}: with shortened delays, ` +
          "Lambda's retries may come before a dead leader's lease expires. Omit the option leaseMs, so that LEASE_MS " +
          'applies, or run with --time-scale 1.',
      )
    }
    if (tick === undefined) {
      hints.push(
        `It requests the lease "${lease}" without a tick, so its candidates may do the same tick's work one after ` +
          'the other. Pass the tick of the event to withLease: { …, tick: event.tick }.',
      )
    }
    return hints
  }

  #isNew(text: string): boolean {
    return this.#known.size < this.#known.add(text).size
  }

  #warn(text: string): void {
    this.#context.display.warn(`    ${text}`)
  }
}
