/** How a candidate's try ended, for the feed and for its story. */
import type { TryOutcome } from '../outcome.ts'
import type { Done } from './entries.ts'
import type { Step } from './stories.ts'

export function doneOf(outcome: TryOutcome): Pick<Done, 'status' | 'reason' | 'error'> {
  switch (outcome.status) {
    case 'standby':
      return { status: 'standby', reason: outcome.reason }
    case 'failed': {
      const { errorType, errorMessage, trace = [] } = outcome.error
      return { status: 'failed', error: { name: errorType, message: errorMessage, trace: framesOf(trace) } }
    }
    default:
      return { status: outcome.status }
  }
}

export function lastStepOf(outcome: TryOutcome): Omit<Step, 'atMs'> {
  switch (outcome.status) {
    case 'completed':
      return { words: 'Returns: its tick is completed' }
    case 'released':
      return { words: 'Returns: it gave the lease up' }
    case 'standby':
      return { words: `Stands by: ${outcome.reason}` }
    case 'failed': {
      const { error, logs } = outcome
      const trace = [...framesOf(error.trace ?? []), ...(logs.length > 0 ? ['', 'Logged:', ...logs] : [])]
      return { words: `Fails with ${error.errorType}: ${error.errorMessage}`, trace }
    }
  }
}

/** The first line of a stack repeats the message. */
const framesOf = (trace: readonly string[]) => trace.filter((line) => /^\s*at /.test(line)).map((line) => line.trim())
