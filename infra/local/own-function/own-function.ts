/** A function of the user's own as the task of a run, deployed as an ElectedSchedule would deploy it. */
import { count, secondsOf, timeOf } from '../../programs/text.ts'
import type { Attempt } from '../lambda-host/lambda-host.ts'
import { leaseIn, NO_OBSERVATIONS, type ObservedLease, type TryOutcome } from '../observe/outcome.ts'
import type { MissingTable } from '../observe/wire.ts'
import type { Task, TaskContext } from '../run/task.ts'
import { concludeElection } from '../run/verdict.ts'
import { type OwnPlace, ownOutcomeOf } from './outcome.ts'

/** The protocol refuses future ticks, so the first one lies far enough in the past for any run. */
const FIRST_TICK_PERIODS_AGO = 10_000
/** The terminal mentions an invocation that takes longer, once. */
const LONG_MS = 10_000

export function ownFunction({ path, directory }: { readonly path: string; readonly directory: string }) {
  return (context: TaskContext): Task => {
    const { candidates, display } = context
    const { lease, leaseMs } = context.lease
    const outcomes = new OwnOutcomes({ lease, directory, leaseMs }, context)
    /** During the wait for a retry the function is expected to be silent. */
    let quietUntil = 0
    let hasWarned = false
    return {
      name: path,
      showsLogs: true,
      firstTickMs: (periodMs, nowMs) => (Math.floor(nowMs / periodMs) - FIRST_TICK_PERIODS_AGO) * periodMs,

      introduce: (firstTick) => {
        const minutes = (candidates[0]?.schedule.periodMs ?? 0) / 60_000
        const of = `${count(candidates.length, 'candidate')}, lease ${lease} of ${secondsOf(leaseMs)}`
        display.note(`${path}: ${of}, a tick every ${minutes} min from ${timeOf(firstTick)}`)
      },

      tickStarts: () => {
        quietUntil = performance.now()
      },

      progress: () => {
        if (hasWarned || performance.now() - quietUntil < LONG_MS) return
        hasWarned = true
        const limit = `its time-out is ${secondsOf(candidates[0]?.lambda.timeoutMs ?? 0)}`
        display.note(`    … ${path} has not returned for ${LONG_MS / 1000} s; ${limit}`)
      },

      outcomeOf: (attempt) => {
        quietUntil = Math.max(quietUntil, performance.now() + (attempt.retryInMs ?? 0))
        return outcomes.read(attempt)
      },

      conclude: async (end) => concludeElection(end, context.options),
    }
  }
}

/** The names of its keys are those of the request, if it has them. */
const hintOnTable = ({ tables, keys }: MissingTable): string => {
  const flags = tables.map((table) => `--table ${table}:${keys.length > 0 ? keys.join(':') : 'KEY'}`)
  const what = tables.length === 1 ? `The table ${tables[0]} does not exist` : 'One of its tables does not exist'
  const key = keys.length === 0 ? ', where KEY is the name of its partition key' : ''
  return `${what}. Create it with ${flags.join(' or ')}${key}.`
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
    const hints = [
      ...(observed === undefined ? [] : this.#hintsOn(observed)),
      ...observations.missingTables.map(hintOnTable),
    ]
    for (const hint of hints) if (this.#isNew(hint)) this.#warn(hint)
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
        `It requests the lease for ${secondsOf(requestedMs)}, but LEASE_MS is ${leaseMs}: Lambda's shortened retries ` +
          'may come before it expires. Omit the option leaseMs, so that LEASE_MS applies, or run with --time-scale 1.',
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
