/** One tick: every candidate is woken at once, and the tick is over when all of them, retries included, are done. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Attempt, LambdaHost } from './lambda-host.ts'
import { readLeaseRow } from './lease-row.ts'
import { outcomeOf, type TryOutcome } from './outcome.ts'
import { type Candidate, eventOf } from './scheduler.ts'

/** One try of one candidate's event. */
export interface Try {
  /** From 1, in the order of the template's schedules. */
  readonly candidate: number
  readonly attempt: Attempt
  readonly outcome: TryOutcome
  /** The token with which a try that failed had led. */
  readonly ledWithToken?: number | undefined
}

export interface TickRecord {
  /** From 1. */
  readonly number: number
  /** Canonical ISO text. */
  readonly tick: string
  readonly tries: readonly Try[]
  readonly durationMs: number
}

export interface TickContext {
  readonly host: LambdaHost
  readonly client: DynamoDBClient
  readonly candidates: readonly Candidate[]
  readonly onTry: (tried: Try) => void
}

export async function runTick(number: number, tickMs: number, context: TickContext): Promise<TickRecord> {
  const { host, client, candidates, onTry } = context
  const tick = new Date(tickMs).toISOString()
  const tries: Try[] = []
  const startedAt = performance.now()
  await Promise.all(
    candidates.map(({ schedule, lambda }, index) =>
      host.invokeAsync(lambda, eventOf(schedule, tickMs), async (attempt) => {
        const outcome = outcomeOf(attempt.ending)
        // A leader that fails leaves its event's id in the row; nobody else leads before its lease is over.
        const row = outcome.status === 'failed' ? await readLeaseRow(client, lambda) : undefined
        const led = row?.eventId === attempt.requestId && row.tick === tick
        const tried: Try = { candidate: index + 1, attempt, outcome, ...(led && { ledWithToken: row.fencingToken }) }
        tries.push(tried)
        onTry(tried)
      }),
    ),
  )
  return { number, tick, tries, durationMs: performance.now() - startedAt }
}

export const completionOf = ({ tries }: TickRecord) => tries.find(({ outcome }) => outcome.status === 'completed')

/** Whether another invocation finished what the first leader of the tick had begun. */
export const wasTakenOver = (record: TickRecord): boolean =>
  completionOf(record) !== undefined && record.tries.some(({ ledWithToken }) => ledWithToken !== undefined)
