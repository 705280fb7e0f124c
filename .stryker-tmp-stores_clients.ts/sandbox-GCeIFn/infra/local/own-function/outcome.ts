/** What in the requests of a user's function does not fit the run, and its errors in a readable form. */
// @ts-nocheck

import { join, relative } from 'node:path'
import { secondsOf } from '../../programs/text.ts'
import type { ErrorReport } from '../lambda-host/messages.ts'
import { leaseIn, type Observations } from '../observe/outcome.ts'
import { LIBRARY } from './entry.ts'

export interface OwnPlace {
  readonly lease: string
  readonly leaseMs: number
  /** File names in stacks are relative to it. */
  readonly directory: string
}

/** Leases end with the invocation, and timers are not exact. */
const TOLERANCE = 1.1

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
 * The same error with its frames only: files relative to `directory`, the library as `tenure`, without the frames of
 * Node, of the Lambda host and of other packages, unless there are no others. (Source maps have already been applied.)
 */
export function readableError(error: ErrorReport, directory: string): ErrorReport {
  const { errorType, errorMessage, trace } = error
  if (trace === undefined) return error
  const frames = trace.slice(1).filter((line) => !line.includes('node:') && !line.includes(HOST))
  const own = frames.filter((line) => !line.includes('/node_modules/'))
  const shown = (own.length > 0 ? own : frames).map((line) => relativeFrame(line.trim(), directory))
  return { errorType, errorMessage, trace: [`${errorType}: ${errorMessage}`, ...shown] }
}

function relativeFrame(frame: string, directory: string): string {
  return frame.replace(/(?:file:\/\/)?(\/[^():]+)(?=:\d+:\d+\)?$)/, (_, file: string) => {
    if (file.startsWith(`${LIBRARY}/`)) return join('tenure', relative(LIBRARY, file))
    const near = relative(directory, file)
    return near.startsWith('..') ? file : near
  })
}
