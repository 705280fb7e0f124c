/** Reads what the tries of the user's own function came to, and says in a terminal what it would not show, each thing once. */

import type { Attempt } from '../lambda-host/lambda-host.ts'
import { leaseIn, NO_OBSERVATIONS, type Observations } from '../observe/observations.ts'
import type { TryOutcome } from '../observe/outcome.ts'
import { hintsOn } from './own-hints.ts'
import { type OwnPlace, ownOutcomeOf } from './own-outcome.ts'

export interface OwnReaderOptions {
  readonly seen: (requestId: string) => Observations | undefined
  readonly warn: (text: string) => void
}

type Reader = (attempt: Pick<Attempt, 'requestId' | 'ending'>) => TryOutcome

/** @param place with the length of the lease that the function is told of, in LEASE_MS */
export function ownReader(place: OwnPlace & { readonly leaseMs: number }, { seen, warn }: OwnReaderOptions): Reader {
  const isNew = onceEach()

  return ({ requestId, ending }) => {
    const all = seen(requestId) ?? NO_OBSERVATIONS
    const asked = leaseIn(all, place.lease)
    for (const hint of asked === undefined ? [] : hintsOn(asked, place.leaseMs)) if (isNew(hint)) warn(hint)
    const outcome = ownOutcomeOf(ending, all, place)
    if (outcome.status === 'completed' && outcome.thrown !== undefined) {
      const { errorType, errorMessage, trace = [] } = outcome.thrown
      const lines = [`${errorType}: ${errorMessage}`, ...trace.slice(1)]
      warn(`Token ${outcome.fencingToken} had completed its tick when it failed: ${lines.join('\n        ')}`)
    }
    if (outcome.status !== 'failed' || asked !== undefined) return outcome
    // Before the election it is the same for all candidates and ticks: a module that cannot be loaded, a lease not asked for.
    const { errorType, errorMessage, trace = [] } = outcome.error
    return { ...outcome, isTold: !isNew(JSON.stringify([errorType, errorMessage, trace])) }
  }
}

function onceEach(): (text: string) => boolean {
  const known = new Set<string>()
  return (text) => known.size < known.add(text).size
}
