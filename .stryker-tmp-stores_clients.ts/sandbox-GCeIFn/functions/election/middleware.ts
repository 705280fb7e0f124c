// @ts-nocheck
import { cleanupMiddlewares } from '@aws-lambda-powertools/commons'
import type { MiddlewareObj } from '@middy/core'
import type { Context } from 'aws-lambda'
import { acquireLease } from './acquire.ts'
import { LONGEST_TIMER_MS } from './clock.ts'
import { CONTINUATION, type Continuation } from './continuation.ts'
import { completed, withDefaults } from './defaults.ts'
import { refuseDurable } from './durable-execution.ts'
import { InvalidOptionError, LeaseLostError } from './errors.ts'
import { type InvocationContext, readRemaining } from './invocation.ts'
import { property } from './json.ts'
import type { Lease, TickedLease } from './lease.ts'
import { LeaseHandle } from './lease-handle.ts'
import { type LeaseOptions, settingsOf, type WithCheckpoint } from './options.ts'
import { show } from './show.ts'
import { type EventTick, type ScheduledTickEvent, type TickInput, tickOfEvent } from './tick.ts'
import { copied } from './values.ts'
import { failed, finished, type Outcome } from './with-lease.ts'

export interface LeaderOnlyOptions<Event = ScheduledTickEvent>
  extends Omit<LeaseOptions, 'tick' | 'context' | 'signal' | 'continuation'> {
  /**
   * The tick of an event that is not a scheduled one; `undefined` leads without a tick.
   * @default the input of an ElectedSchedule, or the scheduled event of an EventBridge rule
   */
  readonly tickOf?: (event: Event) => TickInput | undefined
  /**
   * Give the same value as to middy, in milliseconds. In this last part of the invocation, middy may have returned
   * while the task still runs.
   * @default 5, as middy's
   */
  readonly timeoutEarlyInMillis?: number
}

/** An invocation that leads. */
interface Led {
  readonly lease: LeaseHandle
  readonly remainingMs: () => number
}

/** The context of the handler. Its lease has a tick, unless `tickOf` may return undefined. */
export type LeaderContext<Held = TickedLease> = Context & { readonly lease: Held }

/**
 * A handler behind `leaderOnly`, as Lambda and tests call it: with a context that has no lease yet. Middy does not
 * infer the type of the response, so name it:
 * `export const handler: LeaderHandler<Report> = middy().use(leaderOnly()).handler(writeReport)`.
 */
export type LeaderHandler<Result = unknown, Event = ScheduledTickEvent> = {
  // A method, whose context may be less than the one that middy's type asks for.
  handle(event: Event, context: Context): Promise<Outcome<Result>>
}['handle']

/**
 * A middy middleware: the handler runs only in the invocation that leads. Behind an ElectedSchedule it needs no
 * options. Put it last: a middleware behind it that returns early, from `before` or `onError`, makes middy skip this
 * one's end, so that the lease is renewed until the invocation ends, and then held until it expires.
 *
 * The response becomes an Outcome: `{ status: 'completed', fencingToken, result }` with the handler's own response as
 * result (`released` if the handler released the lease, `continued` if it handed over), or the standby outcome. A loser
 * returns early: Powertools' middlewares clean up, and middy skips the `after` of all others.
 * @example
 * export const handler = middy().use(leaderOnly()).handler(async (event, { lease }) => charge(lease.tick))
 * @throws InvalidOptionError when the function loads, not when the tick fires; only what an invocation brings (context
 *   and event) is checked then
 */
export function leaderOnly<Event = ScheduledTickEvent, State = unknown>(
  options?: LeaderOnlyOptions<Event> & WithCheckpoint<State> & { readonly tickOf?: (event: Event) => TickInput },
): MiddlewareObj<Event, unknown, Error, LeaderContext<TickedLease<State>>>
export function leaderOnly<Event = ScheduledTickEvent, State = unknown>(
  options: LeaderOnlyOptions<Event> & WithCheckpoint<State>,
): MiddlewareObj<Event, unknown, Error, LeaderContext<Lease<State>>>
export function leaderOnly<Event>(
  options: LeaderOnlyOptions<Event> = {},
  ...surplus: readonly unknown[]
): MiddlewareObj<Event, unknown, Error, LeaderContext<Lease>> {
  if (typeof options === 'function' || surplus.some((argument) => typeof argument === 'function')) {
    throw new InvalidOptionError(
      'leaderOnly takes no handler, because it is a middleware: middy().use(leaderOnly(options)).handler(handler). ' +
        'Without middy, call withLease(options, task) in the handler.',
    )
  }
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(
      `The options of leaderOnly must be an object, but are ${show(options)}. ` +
        'Behind an ElectedSchedule, leave them out.',
    )
  }
  const { tickOf, timeoutEarlyInMillis = 5, ...rest } = options
  if ('tick' in rest) {
    throw new InvalidOptionError(
      'leaderOnly reads the tick from the event; leave the option tick out. ' +
        'For another kind of event, give tickOf: (event) => event.detail.tick',
    )
  }
  for (const name of ['context', 'signal', 'continuation']) {
    if (name in rest)
      throw new InvalidOptionError(`leaderOnly takes the ${name} from the invocation; leave the option out.`)
  }
  if (tickOf !== undefined && typeof tickOf !== 'function') {
    throw new InvalidOptionError(
      'The option tickOf of leaderOnly must be a function of the event: (event) => event.detail.tick',
    )
  }
  if (!Number.isSafeInteger(timeoutEarlyInMillis) || timeoutEarlyInMillis < 0) {
    throw new InvalidOptionError(
      'The option timeoutEarlyInMillis must be the whole number of milliseconds that middy was given.',
    )
  }
  withDefaults(rest, { alsoAllowed: ['tickOf', 'timeoutEarlyInMillis'] }) // checked when the function loads

  // Keyed by request: an execution environment may serve several invocations at once.
  const leases = new WeakMap<object, Led>()

  return {
    async before(request) {
      const { event, context } = request
      refuseDurable('leaderOnly', DURABLE, event, context)
      const ticked = tickOf === undefined ? tickOfEvent(event) : { tick: tickOf(event) }
      const settings = settingsOf({ ...completed(rest), ...present(ticked), ...continued(event, rest), context })
      assertUsedOnce(request, settings.lease)
      assertTimerWorks(context, timeoutEarlyInMillis)
      const lease = await acquireLease(settings)
      if (!(lease instanceof LeaseHandle)) {
        await cleanupMiddlewares(request)
        return lease
      }
      try {
        assertTimerWorks(context, timeoutEarlyInMillis) // middy sets it next
      } catch (error) {
        await failed(lease, error)
        throw error
      }
      leases.set(request, { lease, remainingMs: settings.remainingMs })
      Object.assign(context, { lease })
      lease.start()
      lease.assertHeld() // the answer may have come late: then middy calls onError
      await lease.readCheckpoint()
      return undefined
    },

    async after(request) {
      const led = leases.get(request)
      if (led === undefined) return
      const { lease } = led
      if (!taskMayStillRun(request.error, led, timeoutEarlyInMillis)) {
        request.response = await finished(lease, request.response)
        return
      }
      lease.abandon()
      // The tick is not done: after a success, Lambda would not retry the event.
      throw new LeaseLostError(
        `The invocation of lease "${lease.name}" is about to end, and its task may still be running. ` +
          'The tick is not recorded as done. Give the function more time.',
        { lease: lease.name },
      )
    },

    async onError(request) {
      const led = leases.get(request)
      if (led === undefined) return
      const { lease } = led
      if (taskMayStillRun(request.error, led, timeoutEarlyInMillis)) lease.abandon()
      else await failed(lease, request.error)
    },
  }
}

const DURABLE =
  'its `before` runs again at every replay, so after each wait it would ask for the lease again, as another candidate.'

/** The leases that each request of middy was elected for. */
const requested = new WeakMap<object, Set<string>>()

/** A second `leaderOnly` for one lease would find it held, by the first. */
function assertUsedOnce(request: object, lease: string): void {
  const earlier = requested.get(request) ?? new Set()
  if (earlier.has(lease)) {
    throw new InvalidOptionError(`This handler uses leaderOnly twice for lease "${lease}". Remove one of the two.`)
  }
  requested.set(request, earlier.add(lease))
}

/** Middy's timer would end the invocation at once, while its task runs on and its lease is held. */
function assertTimerWorks(context: InvocationContext, timeoutEarlyInMillis: number): void {
  const { ms, did } = readRemaining(context)
  if (timeoutEarlyInMillis === 0 || ms - timeoutEarlyInMillis <= LONGEST_TIMER_MS) return
  throw new InvalidOptionError(
    `The context's getRemainingTimeInMillis() ${did()}. Middy's timer for the invocation's end needs a number ` +
      `of at most ${LONGEST_TIMER_MS} ms and would fire at once, so the task did not run. ` +
      'Switch that timer off: give timeoutEarlyInMillis: 0 to middy and to leaderOnly.',
  )
}

function present({ tick, ...period }: Omit<EventTick, 'tick'> & { readonly tick: TickInput | undefined }) {
  return { ...(tick === undefined ? {} : { tick }), ...period }
}

/** The id that selfInvoke added to the event, and the event for the next continuation. */
function continued(event: unknown, { continueBy }: Pick<LeaseOptions, 'continueBy'>) {
  const continuation = property(event, CONTINUATION)
  const given = continueBy && copied(event) // the handler may change its event
  return {
    ...(typeof continuation === 'string' ? { continuation } : {}),
    ...(continueBy && {
      continueBy: Object.assign((next: Continuation) => continueBy({ ...next, event: given }), {
        prepare: continueBy.prepare,
      }),
    }),
  }
}

/**
 * Middy stops waiting for a handler shortly before the invocation ends, but cannot stop it. Such a task may still act,
 * so its lease is left to expire: neither released nor completed. Middy's own error shows it or, if the user gave a
 * `timeoutEarlyResponse`, the remaining time.
 */
function taskMayStillRun(error: unknown, { remainingMs }: Led, timeoutEarlyInMillis: number): boolean {
  if (isTimeoutOfMiddy(error)) return true
  // Timers may fire a millisecond early.
  return timeoutEarlyInMillis > 0 && remainingMs() <= timeoutEarlyInMillis + 1
}

function isTimeoutOfMiddy(error: unknown): boolean {
  try {
    const cause = property(error, 'cause')
    return property(error, 'name') === 'TimeoutError' && property(cause, 'package') === '@middy/core'
  } catch {
    return false // a task can throw anything: reading the error's name may throw
  }
}
