/** Where an error was thrown, for whoever wrote the function: source maps have named its own lines already. */
import { isAbsolute, join, relative } from 'node:path'
import type { ErrorReport } from '../lambda-host/messages.ts'
import { LIBRARY } from './own-entry.ts'

const HOST = join(import.meta.dirname, '../lambda-host')
const FRAME = /^\s*at /

/**
 * The same error with its frames alone: files named from `directory`, the library as `tenure`, and without what Node, this
 * host and other packages add, unless there is nothing else.
 *
 * @param logs what the function wrote: a process that dies of an error has printed it there
 */
export function readableError(error: ErrorReport, logs: readonly string[], directory: string): ErrorReport {
  const died = error.trace === undefined ? lastStackIn(logs) : undefined
  const trace = error.trace ?? died
  if (trace === undefined) return error
  const errorMessage = died === undefined ? error.errorMessage : `${error.errorMessage}: ${died[0]}`
  const frames = trace.filter((line) => FRAME.test(line) && !line.includes('node:') && !line.includes(HOST))
  const own = frames.filter((line) => !line.includes('/node_modules/'))
  const shown = (own.length > 0 ? own : frames).map((line) => fromDirectory(line.trim(), directory))
  return { ...error, errorMessage, trace: [`${error.errorType}: ${errorMessage}`, ...shown] }
}

/** The last line that has frames below it, and these frames. */
function lastStackIn(logs: readonly string[]): readonly [string, ...string[]] | undefined {
  const first = logs.findLastIndex((line, index) => FRAME.test(line) && !FRAME.test(logs[index - 1] ?? ''))
  const head = logs[first - 1]
  if (first === -1 || head === undefined) return undefined
  const end = logs.findIndex((line, index) => index >= first && !FRAME.test(line))
  return [head.trim(), ...logs.slice(first, end === -1 ? undefined : end)]
}

function fromDirectory(frame: string, directory: string): string {
  return frame.replace(/(?:file:\/\/)?(\/[^():]+)(?=:\d+:\d+\)?$)/, (_, file: string) => {
    if (file.startsWith(`${LIBRARY}/`)) return join('tenure', relative(LIBRARY, file))
    const near = relative(directory, file)
    return near.startsWith('..') || isAbsolute(near) ? file : near
  })
}
