/** One tick: its candidates are woken at once, and the tick is over when all of them, retries included, are done. */
import { randomUUID } from 'node:crypto'
import type { Attempt, LambdaHost } from '../lambda-host/lambda-host.ts'
import { outcomeOf, type TryOutcome } from '../observe/outcome.ts'
import { type Candidate, eventOf } from '../stack/schedules.ts'

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
  /** Somebody sleeps in it still, who led. */
  readonly hasFrozen: boolean
}

/** A candidate, and how far its clock is ahead at the time of a try. */
export interface Woken extends Candidate {
  readonly number: number
  readonly clockSkewMs?: () => number
}

export interface TickContext {
  readonly host: Pick<LambdaHost, 'invokeAsync'>
  readonly candidates: readonly Woken[]
  readonly onStart?: (requestId: string, candidate: number, tick: string, retry: number) => void
  readonly onTry: (tried: Try) => void
  /** Whether somebody froze it by hand: it is not waited for when another has had its chance. @default nobody is */
  readonly isFrozen?: (requestId: string) => boolean
  /** Whether what a candidate sends arrives. @default all are */
  readonly isReachable?: (candidate: number) => boolean
  /** What a try came to. @default by what its function returned, threw or logged */
  readonly read?: ((attempt: Attempt) => TryOutcome) | undefined
}

export interface RunningTick {
  /** All that ended so far. */
  record(): TickRecord
  /** Settles when all are done, or all but those that are frozen and whose rivals have had their chance. */
  readonly settled: Promise<void>
  /** Settles when all are done. */
  readonly over: Promise<void>
  has(requestId: string): boolean
  /**
   * Delivers the event of another candidate than that of this request once more, of the same one where there is no other:
   * Scheduler and Lambda deliver at least once. Settles when it is done, its retries included.
   */
  deliverAgain(requestId: string): Promise<void>
}

/** @throws TemplateError where a schedule's input is no JSON */
export function startTick(number: number, tickMs: number, context: TickContext): RunningTick {
  const { host, onStart, onTry, isFrozen = () => false, isReachable = () => true } = context
  const { read = ({ ending }) => outcomeOf(ending) } = context
  const tick = new Date(tickMs).toISOString()
  const candidates = context.candidates.map((candidate) => ({
    ...candidate,
    event: eventOf(candidate.schedule, tickMs),
  }))
  type Occurrence = (typeof candidates)[number]
  const tries: Try[] = []
  /** The candidate of each request. */
  const requests = new Map<string, Occurrence>()
  const open = new Set<string>()
  /** Those for which a rival was woken once more. */
  const hadRivals = new Set<string>()
  const startedAt = performance.now()
  const [settled, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]

  const wake = async (candidate: Occurrence): Promise<void> => {
    const requestId = randomUUID()
    const onAttempt = async (attempt: Attempt) => {
      const tried = { candidate: candidate.number, attempt, outcome: read(attempt) }
      tries.push(tried)
      onTry(tried)
    }
    requests.set(requestId, candidate)
    open.add(requestId)
    await host.invokeAsync(candidate.lambda, candidate.event, onAttempt, {
      requestId,
      onStart: (retry) => onStart?.(requestId, candidate.number, tick, retry),
      ...(candidate.clockSkewMs === undefined ? {} : { clockSkewMs: candidate.clockSkewMs }),
    })
    open.delete(requestId)
    look()
  }

  const look = () => {
    if ([...open].every((requestId) => isFrozen(requestId) && hadRivals.has(requestId))) settled.resolve()
    if (open.size === 0) over.resolve()
  }

  /** Another candidate that can lead, where there is one. */
  const rivalOf = (requestId: string): Occurrence | undefined => {
    const one = requests.get(requestId)
    const asleep = [...open].filter(isFrozen).map((frozen) => requests.get(frozen)?.number)
    const others = candidates.filter(({ number }) => number !== one?.number)
    return others.find(({ number }) => isReachable(number) && !asleep.includes(number)) ?? others[0] ?? one
  }

  for (const candidate of candidates) void wake(candidate)

  return {
    record: () => ({
      number,
      tick,
      tries: [...tries],
      durationMs: performance.now() - startedAt,
      hasFrozen: [...open].some(isFrozen),
    }),
    settled: settled.promise,
    over: over.promise,
    has: (requestId) => requests.has(requestId),
    deliverAgain: async (requestId) => {
      const rival = rivalOf(requestId)
      hadRivals.add(requestId) // the rival is open now, and has to come to its own end
      if (rival !== undefined) await wake(rival)
    },
  }
}

export const completionsOf = ({ tries }: TickRecord) => tries.filter(({ outcome }) => outcome.status === 'completed')

export const completionOf = (record: TickRecord) => completionsOf(record).at(0)

/** Whether another invocation finished what the first leader of the tick had begun; that one may well fail later. */
export const wasTakenOver = (record: TickRecord): boolean =>
  completionOf(record) !== undefined && (record.hasFrozen || record.tries.some(({ outcome }) => ledBefore(outcome)))

const ledBefore = (outcome: TryOutcome) => outcome.status === 'failed' && outcome.ledWithToken !== undefined
