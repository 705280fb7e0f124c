/** A function of the user's own as the task of a run, deployed as an ElectedSchedule would deploy it. */
// @ts-nocheck

import { count, secondsOf, timeOf } from '../../programs/text.ts'
import type { Attempt } from '../lambda-host/lambda-host.ts'
import { leaseIn, type Observations, outcomeOf, type TryOutcome } from '../observe/outcome.ts'
import type { Task, TaskContext } from '../run/task.ts'
import { concludeElection } from '../run/verdict.ts'
import { hintsOn, type OwnPlace, readableError } from './outcome.ts'

/** The protocol refuses future ticks, so the first one lies far enough in the past for any run. */
const FIRST_TICK_PERIODS_AGO = 10_000

export interface OwnFunctionOptions {
  readonly path: string
  readonly lease: string
  readonly env: Readonly<Record<string, string>>
  /** With the names of the partition key and, if there is one, of the sort key. Both are strings. */
  readonly table: readonly { readonly name: string; readonly keys: readonly string[] }[]
  readonly timeout: number
}

export function ownFunction({ path, directory }: { readonly path: string; readonly directory: string }) {
  return ({ candidates, display, lease: { lease, leaseMs }, recorder, options }: TaskContext): Task => {
    const place = { lease, directory, leaseMs }
    const warn = (text: string) => display.warn(`    ${text}`)
    const read = outcomeReader(place, (requestId) => recorder.observations(requestId), warn)
    return {
      name: path,
      showsLogs: true,
      firstTickMs: (periodMs, nowMs) => (Math.floor(nowMs / periodMs) - FIRST_TICK_PERIODS_AGO) * periodMs,

      introduce: (firstTick, periodMs) => {
        const of = `${count(candidates.length, 'candidate')}, lease ${lease} of ${secondsOf(leaseMs)}`
        display.note(`${path}: ${of}, a tick every ${periodMs / 60_000} min from ${timeOf(firstTick)}`)
      },

      outcomeOf: read,

      conclude: async (end) => concludeElection(end, options),
    }
  }
}

/** Reads the outcomes of the function's tries, and displays each thing worth knowing about them once. */
export function outcomeReader(
  place: OwnPlace,
  observationsOf: (requestId: string) => Observations,
  warn: (text: string) => void,
) {
  const known = new Set<string>()
  const isNew = (text: string) => known.size < known.add(text).size
  return ({ requestId, ending }: Pick<Attempt, 'requestId' | 'ending'>): TryOutcome => {
    const observations = observationsOf(requestId)
    for (const hint of hintsOn(observations, place)) if (isNew(hint)) warn(hint)
    const readable = ending.ok ? ending : { ...ending, error: readableError(ending.error, place.directory) }
    const outcome = outcomeOf(readable, observations, place.lease)
    if (outcome.status !== 'failed' || leaseIn(observations, place.lease) !== undefined) return outcome
    // Without an election all tries fail alike: a module cannot be loaded, a lease is not requested.
    return { ...outcome, isTold: !isNew(JSON.stringify(outcome.error)) }
  }
}
