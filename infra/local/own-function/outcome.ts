/**
 * What a try of the user's function came to. Its requests are the evidence, because the function may return an
 * outcome, a result of its own or nothing. Only what it threw, and why it stood by, is best read from its own result.
 */
import { isAbsolute, join, relative } from 'node:path'
import type { Ending } from '../lambda-host/environment.ts'
import type { ErrorReport } from '../lambda-host/messages.ts'
import { leaseIn, type Observations, type ObservedLease, outcomeOf, type TryOutcome } from '../observe/outcome.ts'
import { LIBRARY } from './entry.ts'

export interface OwnPlace {
  readonly lease: string
  /** File names in stacks are relative to it. */
  readonly directory: string
}

export function ownOutcomeOf(ending: Ending, observations: Observations, { lease, directory }: OwnPlace): TryOutcome {
  const returned = outcomeOf(ending)
  const observed = leaseIn(observations, lease)
  const work = { staleWritesRefused: observations.staleWritesRefused }
  const thrown = ending.ok ? undefined : readableError(ending.error, ending.logs, directory)
  if (observed?.ended === 'completed' && observed.token !== undefined) {
    return { status: 'completed', fencingToken: observed.token, work, ...(thrown === undefined ? {} : { thrown }) }
  }
  const failed = (error: ErrorReport): TryOutcome => {
    const logs = returned.status === 'failed' ? returned.logs : []
    return { status: 'failed', error, logs, work, ledWithToken: observed?.token }
  }
  if (thrown !== undefined) return failed(thrown)
  if (observed === undefined) return failed(noElection(observations, lease))
  if (observed.token !== undefined) {
    return observed.ended === 'released' ? { status: 'released' } : failed(unfinished(observed, observed.token))
  }
  if (returned.status === 'standby') return returned
  if (observed.refusedAs !== undefined) return { status: 'standby', reason: observed.refusedAs }
  const errorMessage = `It requested the lease "${lease}", got no answer, and returned`
  return failed({ errorType: 'Unanswered', errorMessage })
}

function noElection({ leases }: Observations, lease: string): ErrorReport {
  if (leases.length > 0) {
    const others = leases.map((one) => `"${one.lease}"`).join(', ')
    const advice = 'use LEASE_NAME, or give that name as --lease'
    return { errorType: 'OtherLease', errorMessage: `It requested the lease ${others}, not "${lease}": ${advice}` }
  }
  const advice = 'does it use leaderOnly or withLease, with LEASE_TABLE and LEASE_NAME?'
  return { errorType: 'NoElection', errorMessage: `It returned without requesting the lease "${lease}": ${advice}` }
}

function unfinished({ ended }: ObservedLease, token: number): ErrorReport {
  if (ended === 'failed') {
    const consequence = 'Lambda does not retry this tick. Let it throw'
    const errorMessage = `Its task failed under token ${token}, but it returned without an error: ${consequence}`
    return { errorType: 'SwallowedError', errorMessage }
  }
  const causes = 'either it does not await withLease, or it was replaced and caught the LeaseLostError'
  const errorMessage = `It returned with token ${token} and without completing its tick: ${causes}`
  return { errorType: 'Unfinished', errorMessage }
}

const HOST = join(import.meta.dirname, '../lambda-host')
const FRAME = /^\s*at /

/**
 * The same error with its frames only: files relative to `directory`, the library as `tenure`, without the frames of
 * Node, of the Lambda host and of other packages, unless there are no others. (Source maps have already been applied.)
 *
 * @param logs a process that dies of an error has printed it there
 */
export function readableError(error: ErrorReport, logs: readonly string[], directory: string): ErrorReport {
  const died = error.trace === undefined ? lastStackIn(logs) : undefined
  const trace = error.trace ?? died
  if (trace === undefined) return error
  const errorMessage = died === undefined ? error.errorMessage : `${error.errorMessage}: ${died[0]}`
  const frames = trace.filter((line) => FRAME.test(line) && !line.includes('node:') && !line.includes(HOST))
  const own = frames.filter((line) => !line.includes('/node_modules/'))
  const shown = (own.length > 0 ? own : frames).map((line) => relativeFrame(line.trim(), directory))
  return { ...error, errorMessage, trace: [`${error.errorType}: ${errorMessage}`, ...shown] }
}

/** The last line that is followed by frames, and these frames. */
function lastStackIn(logs: readonly string[]): readonly [string, ...string[]] | undefined {
  const first = logs.findLastIndex((line, index) => FRAME.test(line) && !FRAME.test(logs[index - 1] ?? ''))
  const head = logs[first - 1]
  if (first === -1 || head === undefined) return undefined
  const end = logs.findIndex((line, index) => index >= first && !FRAME.test(line))
  return [head.trim(), ...logs.slice(first, end === -1 ? undefined : end)]
}

function relativeFrame(frame: string, directory: string): string {
  return frame.replace(/(?:file:\/\/)?(\/[^():]+)(?=:\d+:\d+\)?$)/, (_, file: string) => {
    if (file.startsWith(`${LIBRARY}/`)) return join('tenure', relative(LIBRARY, file))
    const near = relative(directory, file)
    return near.startsWith('..') || isAbsolute(near) ? file : near
  })
}
