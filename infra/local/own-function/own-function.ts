/** A function of the user's own as the task of a run, deployed as an ElectedSchedule would deploy it. */
import { join, relative } from 'node:path'
import { count, secondsOf, timeOf } from '../../programs/text.ts'
import type { Attempt } from '../lambda-host/lambda-host.ts'
import type { ErrorReport } from '../lambda-host/messages.ts'
import { leaseIn, type Observations, outcomeOf, type TryOutcome } from '../observe/outcome.ts'
import type { Task, TaskContext } from '../run/task.ts'
import { concludeElection } from '../run/verdict.ts'
import { LIBRARY } from './entry.ts'

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

/** @param directory file names in stacks are relative to it */
export const ownFunction =
  (path: string, directory: string) =>
  ({ candidates, display, lease: { lease, leaseMs }, recorder, options }: TaskContext): Task => ({
    name: path,
    showsLogs: true,
    firstTickMs: (periodMs, nowMs) => (Math.floor(nowMs / periodMs) - FIRST_TICK_PERIODS_AGO) * periodMs,
    introduce: (firstTick, periodMs) => {
      const of = `${count(candidates.length, 'candidate')}, lease ${lease} of ${secondsOf(leaseMs)}`
      display.note(`${path}: ${of}, a tick every ${periodMs / 60_000} min from ${timeOf(firstTick)}`)
    },
    outcomeOf: outcomeReader(
      { lease, directory, leaseMs },
      (requestId) => recorder.observations(requestId),
      (text) => display.warn(`    ${text}`),
    ),
    conclude: async (end) => concludeElection(end, options),
  })

type OwnPlace = Readonly<{ lease: string; leaseMs: number; directory: string }>

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

/** Leases end with the invocation, and timers are not exact. */
const TOLERANCE = 1.1

function hintsOn(observations: Observations, { lease, leaseMs }: OwnPlace): readonly string[] {
  const hints = observations.missingTables.map(({ tables, keys }) => {
    const flags = tables.map((table) => `--table ${table}:${keys.length > 0 ? keys.join(':') : 'KEY'}`)
    const what = tables.length === 1 ? `The table ${tables[0]} does not exist` : 'One of its tables does not exist'
    const key = keys.length === 0 ? ', where KEY is the name of its partition key' : ''
    return `${what}. Create it with ${flags.join(' or ')}${key}.`
  })
  const observed = leaseIn(observations, lease)
  if (observed !== undefined && observed.leaseMs > leaseMs * TOLERANCE) {
    hints.push(
      `It requests the lease for ${secondsOf(observed.leaseMs)}, but LEASE_MS is ${leaseMs}: Lambda's shortened ` +
        'retries may come before it expires. Omit the option leaseMs, so that LEASE_MS applies, ' +
        'or run with --time-scale 1.',
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

/**
 * The same error, files relative to `directory`, the library as `tenure`, without the frames of Node, of the Lambda
 * host and of other packages, unless there are no others. (Source maps have already been applied.)
 */
export function readableError(error: ErrorReport, directory: string): ErrorReport {
  const [first = '', ...all] = error.trace ?? []
  const frames = all.filter((line) => !line.includes('node:') && !line.includes(HOST))
  const own = frames.filter((line) => !line.includes('/node_modules/'))
  const near = (_: string, file: string) => {
    if (file.startsWith(`${LIBRARY}/`)) return join('tenure', relative(LIBRARY, file))
    const path = relative(directory, file)
    return path.startsWith('..') ? file : path
  }
  const shown = (own.length > 0 ? own : frames).map((line) => line.trim().replace(FILE_IN_FRAME, near))
  return error.trace === undefined ? error : { ...error, trace: [first, ...shown] }
}

const FILE_IN_FRAME = /(?:file:\/\/)?(\/[^():]+)(?=:\d+:\d+\)?$)/
