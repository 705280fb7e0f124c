/**
 * What a try of the user's function came to. Its requests are the evidence, because the function may return an
 * outcome, a result of its own or nothing. Only what it threw, and why it stood by, is best read from its own result.
 */
import { isAbsolute, join, relative } from 'node:path'
import { secondsOf } from '../../programs/text.ts'
import type { Ending } from '../lambda-host/environment.ts'
import type { ErrorReport } from '../lambda-host/messages.ts'
import { leaseIn, type Observations, outcomeOf, type TryOutcome } from '../observe/outcome.ts'
import { LIBRARY } from './entry.ts'

export interface OwnPlace {
  readonly lease: string
  /** The LEASE_MS that the function gets. */
  readonly leaseMs: number
  /** File names in stacks are relative to it. */
  readonly directory: string
}

export function ownOutcomeOf(ending: Ending, observations: Observations, { lease, directory }: OwnPlace): TryOutcome {
  const returned = outcomeOf(ending)
  const { token, ended, refusedAs } = leaseIn(observations, lease) ?? {}
  const work = { staleWritesRefused: observations.staleWritesRefused }
  const thrown = ending.ok ? undefined : readableError(ending.error, ending.logs, directory)
  if (ended === 'completed' && token !== undefined) {
    return { status: 'completed', fencingToken: token, work, ...(thrown === undefined ? {} : { thrown }) }
  }
  if (thrown === undefined && token !== undefined && ended === 'released') return { status: 'released' }
  if (thrown === undefined && token === undefined && leaseIn(observations, lease) !== undefined) {
    if (returned.status === 'standby') return returned
    if (refusedAs !== undefined) return { status: 'standby', reason: refusedAs }
  }
  const logs = returned.status === 'failed' ? returned.logs : []
  return { status: 'failed', error: thrown ?? mistakeIn(observations, lease), logs, work, ledWithToken: token }
}

/** Why a function that returned is counted as failed. */
function mistakeIn(observations: Observations, name: string): ErrorReport {
  const error = (errorType: string, errorMessage: string) => ({ errorType, errorMessage })
  const observed = leaseIn(observations, name)
  if (observed === undefined && observations.leases.length > 0) {
    const others = observations.leases.map(({ lease }) => `"${lease}"`).join(', ')
    const advice = 'use LEASE_NAME, or give that name as --lease'
    return error('OtherLease', `It requested the lease ${others}, not "${name}": ${advice}`)
  }
  if (observed === undefined) {
    const advice = 'does it use leaderOnly or withLease, with LEASE_TABLE and LEASE_NAME?'
    return error('NoElection', `It returned without requesting the lease "${name}": ${advice}`)
  }
  const { token, ended } = observed
  if (token === undefined) return error('Unanswered', `It requested the lease "${name}", got no answer, and returned`)
  if (ended === 'failed') {
    const consequence = 'Lambda does not retry this tick. Let it throw'
    return error(
      'SwallowedError',
      `Its task failed under token ${token}, but it returned without an error: ${consequence}`,
    )
  }
  const causes = 'either it does not await withLease, or it was replaced and caught the LeaseLostError'
  return error('Unfinished', `It returned with token ${token} and without completing its tick: ${causes}`)
}

/** Leases end with the invocation, and timers are not exact. */
const TOLERANCE = 1.1

/** What in the requests of a try does not fit this run. */
export function hintsOn(observations: Observations, { lease, leaseMs }: OwnPlace): readonly string[] {
  const hints = observations.missingTables.map(({ tables, keys }) => {
    // The names of its keys are those of the request, if it has them.
    const flags = tables.map((table) => `--table ${table}:${keys.length > 0 ? keys.join(':') : 'KEY'}`)
    const what = tables.length === 1 ? `The table ${tables[0]} does not exist` : 'One of its tables does not exist'
    const key = keys.length === 0 ? ', where KEY is the name of its partition key' : ''
    return `${what}. Create it with ${flags.join(' or ')}${key}.`
  })
  const observed = leaseIn(observations, lease)
  if (observed !== undefined && observed.leaseMs > leaseMs * TOLERANCE) {
    hints.push(
      `It requests the lease for ${secondsOf(observed.leaseMs)}, but LEASE_MS is ${leaseMs}: Lambda's shortened ` +
        'retries may come before it expires. Omit the option leaseMs, so that LEASE_MS applies, or run with --time-scale 1.',
    )
  }
  if (observed !== undefined && observed.tick === undefined) {
    hints.push(
      `It requests the lease "${lease}" without a tick, so its candidates may do the same tick's work one after ` +
        'the other. Pass the tick of the event to withLease: { …, tick: event.tick }.',
    )
  }
  return hints
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
