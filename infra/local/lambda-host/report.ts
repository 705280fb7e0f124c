/** What a function threw, in a form that can be sent, kept and printed, whatever it is. */
import { LONGEST_TEXT, oneLine, printable } from '../../programs/text.ts'

/** Fit to print. */
export interface ErrorReport {
  readonly errorType: string
  readonly errorMessage: string
  /** Where it was thrown, a line each; the first repeats the message. */
  readonly trace?: readonly string[]
}

const LONGEST_NAME = 200
const LONGEST_LINE = 1_000
const MOST_LINES = 100

/** Never throws, though what it reads may: names that are no text, getters, revoked proxies, 3 MB of message. */
export function reportOf(thrown: unknown): ErrorReport {
  try {
    if (!(thrown instanceof Error)) return { errorType: typeof thrown, errorMessage: printable(String(thrown)) }
    const errorType = oneLine(String(thrown.name), LONGEST_NAME)
    const message = String(thrown.message)
    const trace = [`${errorType}: ${message}`, ...linesBehind(message, String(thrown.stack ?? ''))]
    return { errorType, errorMessage: printable(message), trace: trace.map((line) => oneLine(line, LONGEST_LINE)) }
  } catch {
    return { errorType: typeof thrown, errorMessage: 'What the function threw cannot be read' }
  }
}

/** The message at the beginning of a stack may have any number of lines. */
function linesBehind(message: string, stack: string): readonly string[] {
  const begin = stack.indexOf(message)
  const end = begin === -1 ? 0 : begin + message.length
  return stack
    .slice(end)
    .split('\n', MOST_LINES + 1)
    .slice(1)
}

/** Longer than any text that `reportOf` makes of this many characters: it may escape each, and says what it left out. */
const reported = (characters: number) => 6 * characters + 100

/**
 * A report as the host receives it, fit to print even if the function wrote it itself; undefined if it is none. Leaves what `reportOf` made
 * as it is.
 */
export function receivedReport(value: unknown): ErrorReport | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { errorType, errorMessage, trace }: { [name in keyof ErrorReport]?: unknown } = value
  if (typeof errorType !== 'string' || typeof errorMessage !== 'string') return undefined
  const report = {
    errorType: oneLine(errorType, reported(LONGEST_NAME)),
    errorMessage: printable(errorMessage, reported(LONGEST_TEXT)),
  }
  if (!Array.isArray(trace)) return report
  const lines = trace.slice(0, MOST_LINES + 1).map((line) => oneLine(String(line), reported(LONGEST_LINE)))
  return { ...report, trace: lines }
}
