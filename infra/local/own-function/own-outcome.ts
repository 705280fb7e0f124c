/**
 * What a try of the user's own function came to. The wire tells first: the function may return an outcome, an answer of its
 * own or nothing. What it threw, and why it stood by, it knows best itself.
 */

import type { Ending } from '../lambda-host/environment.ts'
import { leaseIn, type Observations, type ObservedLease } from '../observe/observations.ts'
import { outcomeOf, type TryOutcome } from '../observe/outcome.ts'
import { readableError } from './own-trace.ts'

export interface OwnPlace {
  /** The lease that it is to ask for. */
  readonly lease: string
  /** From which its files are named. */
  readonly directory: string
}

export function ownOutcomeOf(ending: Ending, seen: Observations, { lease, directory }: OwnPlace): TryOutcome {
  const told = outcomeOf(ending)
  const one = leaseIn(seen, lease)
  const work = { staleWritesRefused: seen.staleWritesRefused }
  const thrown = ending.ok ? undefined : readableError(ending.error, ending.logs, directory)
  if (one?.ended === 'completed' && one.token !== undefined) {
    return { status: 'completed', fencingToken: one.token, work, ...(thrown === undefined ? {} : { thrown }) }
  }
  const failed = (error: { errorType: string; errorMessage: string }): TryOutcome => {
    const logs = told.status === 'failed' ? told.logs : []
    return { status: 'failed', error, logs, work, ledWithToken: one?.token }
  }
  if (thrown !== undefined) return failed(thrown)
  if (one === undefined) return failed(neverAsked(seen, lease))
  if (one.token !== undefined) return one.ended === 'released' ? { status: 'released' } : failed(unfinished(one))
  if (told.status === 'standby') return told
  if (one.refusedAs !== undefined) return { status: 'standby', reason: one.refusedAs }
  const errorMessage = `It asked for the lease "${lease}", got no answer that granted or refused it, and returned`
  return failed({ errorType: 'Unanswered', errorMessage })
}

function neverAsked({ leases }: Observations, lease: string) {
  const others = leases.map((one) => `"${one.lease}"`)
  if (others.length === 0) {
    const errorMessage = `It returned without asking for the lease "${lease}": does it use leaderOnly or withLease, with LEASE_TABLE and LEASE_NAME?`
    return { errorType: 'NoElection', errorMessage }
  }
  const errorMessage = `It asked for the lease ${others.join(', ')}, not for "${lease}": let it use LEASE_NAME, or give that name as --lease`
  return { errorType: 'OtherLease', errorMessage }
}

function unfinished({ ended, token }: ObservedLease) {
  if (ended === 'failed') {
    const errorMessage = `Its task failed under token ${token}, but it returned as if all were well: nobody tries this tick again. Let it throw`
    return { errorType: 'SwallowedError', errorMessage }
  }
  const errorMessage = `It returned with token ${token} and without recording its tick as done: either it does not await withLease, or it was replaced and caught the LeaseLostError`
  return { errorType: 'Unfinished', errorMessage }
}
