/** One tick: its candidates are woken at once, and the tick is over when all of them, retries included, are done. */
import type { LateCandidate } from './faults/late-candidate.ts'
import type { Attempt, LambdaHost } from './host/lambda-host.ts'
import { outcomeOf, type TryOutcome } from './outcome.ts'
import { type Candidate, eventOf } from './scheduler.ts'

/** One try of one candidate's event. */
export interface Try {
  /** From 1, in the order of the template's schedules. */
  readonly candidate: number
  readonly attempt: Attempt
  readonly outcome: TryOutcome
}

export interface TickRecord {
  /** From 1. */
  readonly number: number
  /** Canonical ISO text. */
  readonly tick: string
  /** In the order in which they ended. */
  readonly tries: readonly Try[]
  readonly durationMs: number
}

export interface TickContext {
  readonly host: Pick<LambdaHost, 'invokeAsync'>
  readonly candidates: readonly Candidate[]
  readonly onTry: (tried: Try) => void
  /** The last candidate comes when it is called, or when all others are done. @default it comes with them */
  readonly late?: LateCandidate | undefined
}

export async function runTick(number: number, tickMs: number, context: TickContext): Promise<TickRecord> {
  const { host, candidates, onTry, late } = context
  const tries: Try[] = []
  const startedAt = performance.now()
  const wake = ({ schedule, lambda }: Candidate, candidate: number) =>
    host.invokeAsync(lambda, eventOf(schedule, tickMs), async (attempt) => {
      const tried = { candidate, attempt, outcome: outcomeOf(attempt.ending) }
      tries.push(tried)
      onTry(tried)
    })

  const punctual = late === undefined ? candidates : candidates.slice(0, -1)
  const others = Promise.all(punctual.map((candidate, index) => wake(candidate, index + 1)))
  const last = candidates.at(-1)
  if (late !== undefined && last !== undefined) {
    await Promise.race([late.isCalled, others])
    await wake(last, candidates.length)
    late.turnIsOver()
  }
  await others
  return { number, tick: new Date(tickMs).toISOString(), tries, durationMs: performance.now() - startedAt }
}

export const completionsOf = ({ tries }: TickRecord) => tries.filter(({ outcome }) => outcome.status === 'completed')

export const completionOf = (record: TickRecord) => completionsOf(record).at(0)

/** Whether another invocation finished what the first leader of the tick had begun; that one may well fail later. */
export const wasTakenOver = (record: TickRecord): boolean =>
  completionOf(record) !== undefined && record.tries.some(({ outcome }) => ledBefore(outcome))

const ledBefore = (outcome: TryOutcome) => outcome.status === 'failed' && outcome.ledWithToken !== undefined
