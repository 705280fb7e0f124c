/** How a candidate's try ended, for the feed and for its story. */

import type { Done } from './entries.ts'
import type { TryOutcome } from './outcome.ts'
import type { Step } from './stories.ts'

/** What the feed keeps of an error; its story has all of it. */
const LONGEST_MESSAGE = 1_000
const MOST_FRAMES = 30

export function doneOf(outcome: TryOutcome): Pick<Done, 'status' | 'reason' | 'error'> {
  switch (outcome.status) {
    case 'standby':
      return { status: 'standby', reason: outcome.reason }
    case 'failed': {
      const { errorType, errorMessage, trace = [] } = outcome.error
      const message = errorMessage.slice(0, LONGEST_MESSAGE)
      return { status: 'failed', error: { name: errorType, message, trace: framesOf(trace).slice(0, MOST_FRAMES) } }
    }
    default:
      return { status: outcome.status }
  }
}

/** @param logs the last lines that the invocation wrote */
export function lastStepOf(outcome: TryOutcome, logs: readonly string[] = []): Omit<Step, 'atMs'> {
  switch (outcome.status) {
    case 'completed': {
      const { thrown } = outcome
      const words = thrown === undefined ? 'Returns' : `Fails with ${thrown.errorType}: ${thrown.errorMessage}`
      return { words: `${words}; its tick is completed`, trace: [...framesOf(thrown?.trace ?? []), ...logged(logs)] }
    }
    case 'released':
      return { words: 'Returns; it gave the lease up', trace: logged(logs) }
    case 'standby':
      return { words: `Stands by: ${outcome.reason}`, trace: logged(logs) }
    case 'failed': {
      const { error } = outcome
      const trace = [...framesOf(error.trace ?? []), ...logged(outcome.logs)]
      return { words: `Fails with ${error.errorType}: ${error.errorMessage}`, trace }
    }
  }
}

const logged = (lines: readonly string[]) => (lines.length > 0 ? ['Logged:', ...lines] : [])

/** The first line of a stack repeats the message. */
const framesOf = (trace: readonly string[]) => trace.filter((line) => /^\s*at /.test(line)).map((line) => line.trim())
