import { builtin } from './builtin.ts'
import { CHECKPOINT_RULE, type CheckpointOptions, isCheckpointOptions } from './checkpoint.ts'
import { type Clock, checkedClock, systemClock } from './clock.ts'
import type { Continuation, ContinueBy } from './continuation.ts'
import { instantOf } from './deadline.ts'
import { refuseDurable } from './durable-execution.ts'
import { type ElectionListener, ignoreErrors, type Notify } from './election-event.ts'
import { InvalidOptionError } from './errors.ts'
import { type InvocationContext, remainingIn } from './invocation.ts'
import { parseSchedule, type Schedule } from './schedule.ts'
import { show } from './show.ts'
import { similar } from './similar.ts'
import type { LeaseStore } from './stores/store.ts'
import { assertNotFuture, canonicalTick, type TickInput } from './tick.ts'

export interface LeaseOptions {
  /** @default a DynamoDBLeaseStore with the SDK's default client, for the table in the variable LEASE_TABLE */
  readonly store?: LeaseStore
  /**
   * The lease's name: 1 to 128 characters out of `A-Z a-z 0-9 . _ - / :`.
   * @default the environment variable LEASE_NAME
   */
  readonly lease?: string
  /** Human-readable name. @default function name and request id with `context`, host name and process id without */
  readonly candidate?: string
  /** The occurrence of the schedule; without it the lease has no ticks and can be won again at once. */
  readonly tick?: TickInput
  /**
   * The expression of EventBridge Scheduler, such as `rate(1 hour)` or `cron(0 6 ? * MON *)`; the same for all
   * candidates. It says to what the tick is floored (the period of a rate, a minute for a cron) and which ticks were
   * missed.
   * @default the environment variable LEASE_SCHEDULE
   */
  readonly schedule?: string
  /** The time zone of a `cron`, an IANA name. @default the environment variable LEASE_TIME_ZONE, else UTC */
  readonly timeZone?: string
  /** To what the tick is floored, in milliseconds. @default what `schedule` says, else nothing */
  readonly periodMs?: number
  /**
   * What happens to this tick if another candidate still works on an earlier one. `retry` throws LeaseStillHeldError
   * after `waitMs`, so that Lambda offers the event again, a minute later and two minutes after that. `skip` stands by:
   * the tick is then in `missed` of the next leader.
   * @default `retry` with `context`, unless a rate below 5 minutes or the option `continueBy` leaves no time for
   *   retries; else `skip`
   */
  readonly overlap?: 'retry' | 'skip'
  /**
   * Length of the lease in milliseconds, 100 to 3,600,000.
   * @default the environment variable LEASE_MS; else 15,000 with `context` and 30,000 without
   */
  readonly leaseMs?: number
  /**
   * Whether the lease is renewed every third of its length. If not, one write covers the whole invocation of `context`
   * (up to an hour, whatever `leaseMs` is), or `leaseMs` without `context`.
   * @default true
   */
  readonly heartbeat?: boolean
  /** How long after its end a killed invocation may still act, in milliseconds. @default 1,000 */
  readonly killGraceMs?: number
  /**
   * How long to wait for a lease that another candidate holds, in milliseconds, 0 to 900,000. The wait ends a second
   * before the invocation does (or a quarter of its time, if that is less), so that the function can still answer.
   * @default 0
   */
  readonly waitMs?: number
  /**
   * Starts the invocation that continues the work after `lease.handOver`: `selfInvoke()` of `tenure/continuation`, or
   * your own function. With it, `lease.signal` aborts with a HandOverRequestedError before the invocation ends.
   */
  readonly continueBy?: ContinueBy
  /** The `leaseContinuation` of the event, which selfInvoke added: this invocation continues another one. */
  readonly continuation?: string | undefined
  /** How often the work of one tick may be handed over, 1 to 10,000. @default 100 */
  readonly maxContinuations?: number
  /**
   * How long before the invocation's end `lease.signal` asks for the hand-over, in milliseconds, 100 to 600,000: enough
   * to finish what cannot be interrupted. @default 30,000, but at most a quarter of the invocation
   */
  readonly drainMs?: number
  /** The most that two candidates' clocks may differ, in milliseconds; the same for all candidates. @default 1,000 */
  readonly maxClockSkewMs?: number
  /** Lambda's context: it bounds the lease and the wait by the invocation's end, and identifies retries of an event. */
  readonly context?: InvocationContext
  /** Aborting it stops the wait and, until the lease ends, aborts `lease.signal`. */
  readonly signal?: AbortSignal
  /** Receives this candidate's events, for logs and metrics. */
  readonly onEvent?: ElectionListener
  /** @default the system's */
  readonly clock?: Clock
}

/** An option of its own, so that the type of the checkpoint follows from the schema, or else from the task. */
export interface WithCheckpoint<State = unknown> {
  /**
   * A schema for the checkpoints of this task, with a version. `lease.checkpoint` and `lease.unfinished` are read
   * before the task starts, and have the type of the schema's output; states that do not fit are refused with a
   * CheckpointError. Without it they are given as they are, whatever their version.
   * @example
   * checkpoint: { version: 2, schema: Progress, migrate: (old) => ({ ...Object(old), failed: [] }) }
   */
  readonly checkpoint?: CheckpointOptions<State>
}

type AllOptions = LeaseOptions & WithCheckpoint

/** What the environment may give: see defaults.ts. */
export type CompleteOptions = AllOptions & Required<Pick<LeaseOptions, 'store' | 'lease'>>

/** In Lambda, and of the constructs: well under the minute after which Lambda retries a failed event. */
export const LAMBDA_LEASE_MS = 15_000
const SERVER_LEASE_MS = 30_000

export const SHORTEST_LEASE_MS = 100
/** A row that reaches further is damaged. */
export const LONGEST_LEASE_MS = 3_600_000

/** The last part of an invocation, in which nothing is waited for: the function needs it to answer. */
const LONGEST_ANSWER_MS = 1_000

const LONGEST_DRAIN_MS = 30_000

/** A third of the default lease in Lambda: a holder may end early, however long its lease is. */
const LONGEST_LOOK_MS = 5_000

/** Lambda retries a failed event after one minute and after two more. */
const SHORTEST_PERIOD_FOR_RETRIES_MS = 300_000

/** Options with their defaults, checked; times still relative. */
export interface Settings {
  readonly store: LeaseStore
  readonly lease: string
  readonly candidate: string
  readonly eventId: string | undefined
  readonly tick: string | undefined
  /** When the schedule fires, for finding missed ticks; undefined if it is not known. */
  readonly schedule: Schedule | undefined
  readonly overlap: 'retry' | 'skip'
  readonly leaseMs: number
  readonly heartbeat: boolean
  /** Milliseconds until the invocation ends, and how many of them are kept for the answer; Infinity outside Lambda. */
  readonly remainingMs: () => number
  readonly answerMs: number
  /** About how often this candidate asks again while another holds the lease. */
  readonly lookEveryMs: number
  readonly killGraceMs: number
  readonly waitMs: number
  /** Undefined if the work is not continued. */
  readonly continueBy: ((continuation: Pick<Continuation, 'id' | 'lease' | 'tick'>) => Promise<unknown>) | undefined
  readonly prepareContinuation: ContinueBy['prepare']
  readonly continuation: string | undefined
  readonly maxContinuations: number
  readonly drainMs: number
  readonly maxClockSkewMs: number
  readonly checkpoint: CheckpointOptions | undefined
  readonly signal: AbortSignal | undefined
  readonly notify: Notify
  readonly clock: Clock
}

/** What `isLeaseName` checks, for messages. */
export const LEASE_NAME_RULE = '1 to 128 characters out of A-Z a-z 0-9 . _ - / :'

export function isLeaseName(name: string): boolean {
  return /^[\w.:/-]{1,128}$/.test(name)
}

interface Rule {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

const wholeNumber = (from: number, to: number, of = ''): Rule => ({
  expected: `a whole number ${of}from ${from} to ${to}`,
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to,
})
const milliseconds = (from: number, to: number): Rule => wholeNumber(from, to, 'of milliseconds ')
const functionOf = (what: string): Rule => ({
  expected: `a function of ${what}`,
  holds: (value) => typeof value === 'function',
})
const withMethods = (expected: string, ...methods: readonly string[]): Rule => ({
  expected,
  holds: (value) => hasMethods(value, ...methods),
})
/** A text that a lease row keeps as it is, with room for all its other texts. */
const isRowText = (value: unknown) =>
  typeof value === 'string' && value.length > 0 && value.length <= 256 && value.isWellFormed()
const hasMethods = (value: unknown, ...methods: readonly string[]): value is object =>
  methods.every((name) => typeof Reflect.get(Object(value), name) === 'function')

const RULES: Record<keyof AllOptions, Rule> = {
  store: withMethods('a DynamoDBLeaseStore, a MemoryLeaseStore or another LeaseStore', 'acquire', 'write', 'giveBack'),
  lease: {
    expected: `a name of ${LEASE_NAME_RULE}`,
    holds: (value) => typeof value === 'string' && isLeaseName(value),
  },
  candidate: { expected: 'a well-formed text of 1 to 256 characters', holds: isRowText },
  tick: {
    expected: 'an ISO-8601 text, a Date or epoch milliseconds',
    holds: (value) => typeof value === 'string' || typeof value === 'number' || value instanceof Date,
  },
  periodMs: milliseconds(1, 366 * 86_400_000),
  schedule: {
    expected: 'an expression like rate(1 hour) or cron(0 6 * * ? *)',
    holds: (value) => typeof value === 'string',
  },
  timeZone: { expected: 'an IANA name like Europe/Berlin', holds: (value) => typeof value === 'string' },
  overlap: { expected: "'retry' or 'skip'", holds: (value) => value === 'retry' || value === 'skip' },
  leaseMs: milliseconds(SHORTEST_LEASE_MS, LONGEST_LEASE_MS),
  heartbeat: { expected: 'true or false', holds: (value) => typeof value === 'boolean' },
  killGraceMs: milliseconds(0, 60_000),
  waitMs: milliseconds(0, 900_000),
  continueBy: functionOf('a continuation, such as selfInvoke() of tenure/continuation'),
  continuation: { expected: 'the leaseContinuation of the event, a text of 1 to 256 characters', holds: isRowText },
  maxContinuations: wholeNumber(1, 10_000),
  drainMs: milliseconds(100, 600_000),
  maxClockSkewMs: milliseconds(0, 60_000),
  context: {
    expected:
      "Lambda's context, with awsRequestId (a well-formed text of 1 to 256 characters) and getRemainingTimeInMillis " +
      '(in a test: lambdaContext() of tenure/testing)',
    holds: (value) => hasMethods(value, 'getRemainingTimeInMillis') && isRowText(Reflect.get(value, 'awsRequestId')),
  },
  checkpoint: { expected: CHECKPOINT_RULE, holds: isCheckpointOptions },
  signal: { expected: 'an AbortSignal', holds: (value) => value instanceof AbortSignal },
  onEvent: functionOf('an event'),
  clock: withMethods('a Clock', 'wallMs', 'monotonicMs', 'sleep'),
}

/** What the option leaseMs must be, for messages. */
export const LEASE_MS_RULE = RULES.leaseMs.expected

/** Options of the constructs, and of other libraries, that mean one of these, but are spelt like none or another. */
const MEANT: Readonly<Partial<Record<keyof AllOptions, string>>> = {
  leaseMs: 'leaseDuration leaseDurationMs duration ttl timeout timeoutMs',
  schedule: 'rate cron expression exactPeriod',
  timeZone: 'tz',
  periodMs: 'period interval',
  maxClockSkewMs: 'clockSkew',
  waitMs: 'wait retries retryCount',
  store: 'leaseTable tableName table client region endpoint credentials',
  lease: 'leaseName lockName name key',
  candidate: 'owner holder identity',
  checkpoint: 'schema state',
}
const SYNONYMS = Object.fromEntries(
  Object.entries(MEANT).flatMap(([option, names]) => names.split(' ').map((name) => [name, option] as const)),
)

/**
 * Checks names and types of all options given.
 * @throws InvalidOptionError that says what was given, what is allowed and, for an unknown name, the most similar one
 */
export function assertOptions(options: object, { alsoAllowed = [] }: { alsoAllowed?: readonly string[] } = {}): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(`The options must be an object, but are ${show(options)}.`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (!isOption(name)) {
      if (alsoAllowed.includes(name)) continue
      const allowed = [...Object.keys(RULES), ...alsoAllowed]
      const meant = similar(name, allowed, { synonyms: SYNONYMS })
      throw new InvalidOptionError(
        `There is no option ${show(name)}. Did you mean "${meant}"? Options: ${allowed.join(', ')}.`,
      )
    }
    if (value === undefined) continue
    if (name === 'context')
      refuseDurable('withLease', 'after each wait, a replay would ask for the lease again.', value)
    const { expected, holds } = RULES[name]
    if (!safely(holds, value))
      throw new InvalidOptionError(`The option ${name} must be ${expected}, but is ${show(value)}.`)
  }
}

/** A getter or a proxy that throws is not what was expected. */
function safely(holds: Rule['holds'], value: unknown): boolean {
  try {
    return holds(value)
  } catch {
    return false
  }
}

function isOption(name: string): name is keyof AllOptions {
  return Object.hasOwn(RULES, name)
}

/** Checks the options as well. @throws InvalidOptionError, InvalidTickError */
export function settingsOf(options: CompleteOptions): Settings {
  assertOptions(options)
  return settingsOfChecked(options)
}

/** Applies the defaults and makes the tick canonical. @throws InvalidOptionError, InvalidTickError */
export function settingsOfChecked(options: CompleteOptions): Settings {
  const { context, continueBy, periodMs, maxClockSkewMs = 1_000, killGraceMs = 1_000, heartbeat = true } = options
  const clock = options.clock === undefined ? systemClock : checkedClock(options.clock)
  const nowMs = instantOf(clock).wallMs
  const remainingMs = context === undefined ? () => Number.POSITIVE_INFINITY : remainingIn(context, clock)
  const invocationMs = remainingMs()
  const leaseMs = options.leaseMs ?? (context === undefined ? SERVER_LEASE_MS : LAMBDA_LEASE_MS)
  const schedule = options.schedule === undefined ? undefined : parseSchedule(options.schedule, options.timeZone)
  const floorMs = periodMs ?? schedule?.floorMs
  const tick = options.tick === undefined ? undefined : canonicalTick(options.tick, floorMs)
  if (tick !== undefined) assertNotFuture(tick, nowMs, maxClockSkewMs)
  return {
    store: options.store,
    lease: options.lease,
    candidate: options.candidate ?? defaultCandidate(context),
    eventId: context?.awsRequestId,
    tick,
    schedule,
    overlap: options.overlap ?? defaultOverlap(options, schedule?.isRate === false ? undefined : floorMs),
    leaseMs: heartbeat || context === undefined ? leaseMs : withinLimits(invocationMs + killGraceMs),
    heartbeat,
    remainingMs,
    answerMs: Math.min(LONGEST_ANSWER_MS, invocationMs / 4),
    lookEveryMs: Math.min(LONGEST_LOOK_MS, leaseMs / 3),
    killGraceMs,
    waitMs: options.waitMs ?? 0,
    continueBy: continueBy && ((continuation) => continueBy({ ...continuation, ...(context && { context }) })),
    prepareContinuation: continueBy?.prepare,
    continuation: options.continuation,
    maxContinuations: options.maxContinuations ?? 100,
    drainMs: options.drainMs ?? Math.min(LONGEST_DRAIN_MS, Math.floor(invocationMs / 4)),
    maxClockSkewMs,
    checkpoint: options.checkpoint,
    signal: options.signal,
    notify: ignoreErrors(options.onEvent),
    clock,
  }
}

function defaultOverlap({ context, continueBy }: LeaseOptions, rateMs = SHORTEST_PERIOD_FOR_RETRIES_MS) {
  const hasTime = rateMs >= SHORTEST_PERIOD_FOR_RETRIES_MS && continueBy === undefined
  return context !== undefined && hasTime ? 'retry' : 'skip'
}

/** A computed length of a lease, held to the limits of the option. */
export function withinLimits(leaseMs: number): number {
  return Math.floor(Math.min(Math.max(leaseMs, SHORTEST_LEASE_MS), LONGEST_LEASE_MS))
}

function defaultCandidate(context: InvocationContext | undefined): string {
  const name =
    context === undefined
      ? `${builtin('node:os').hostname()}/${process.pid}`
      : `${context.functionName ?? 'lambda'}/${context.awsRequestId}`
  return name.slice(-256).toWellFormed() // candidates differ at the end of their names
}
