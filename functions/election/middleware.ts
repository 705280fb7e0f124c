import { cleanupMiddlewares } from '@aws-lambda-powertools/commons'
import type { MiddlewareObj } from '@middy/core'
import type { Context } from 'aws-lambda'
import { acquireLease } from './acquire.ts'
import { LONGEST_TIMER_MS } from './clock.ts'
import { InvalidOptionError, LeaseLostError } from './errors.ts'
import { type InvocationContext, readRemaining } from './invocation.ts'
import type { Lease } from './lease.ts'
import { LeaseHandle } from './lease-handle.ts'
import { assertOptions, type LeaseOptions, settingsOf } from './options.ts'
import { type EventTick, type TickInput, tickOfEvent } from './tick.ts'
import { failed, finished } from './with-lease.ts'

export interface LeaderOnlyOptions extends Omit<LeaseOptions, 'tick' | 'context' | 'signal'> {
  /**
   * Finds the tick in an event of your own; `undefined` asks for a lease without ticks.
   *
   * @default the input of an ElectedSchedule, or the scheduled event of an EventBridge rule
   */
  readonly tickOf?: (event: unknown) => TickInput | undefined
  /**
   * The value of the same name that middy was given, in milliseconds. Within it, the task may have been left running.
   *
   * @default 5, as middy's
   */
  readonly timeoutEarlyInMillis?: number
}

/** An invocation that leads. */
interface Led {
  readonly lease: LeaseHandle
  readonly remainingMs: () => number
}

/** What the handler finds on its context. */
export type LeaderContext = Context & { readonly lease: Lease }

/**
 * A middy middleware that lets the handler run in the invocation that leads. Put it last: a middleware behind it that
 * returns early, from `before` or from `onError`, makes middy skip this one's end, and the lease would be renewed until the
 * invocation's end and then held until it expires.
 *
 * The response becomes an Outcome: `{ status: 'completed', fencingToken, result }` with the handler's own response as
 * result, or the standby outcome. Losers return early: Powertools' middlewares are told, others' `after` is skipped.
 *
 * @throws InvalidOptionError now, when the function loads, not when the tick fires
 */
export function leaderOnly(options: LeaderOnlyOptions): MiddlewareObj<unknown, unknown, Error, LeaderContext> {
  const { tickOf, timeoutEarlyInMillis = 5, ...rest } = options
  if ('tick' in rest) {
    throw new InvalidOptionError(
      'leaderOnly reads the tick from the event; for another kind of event, give tickOf: (event) => event.detail.tick',
    )
  }
  for (const name of ['context', 'signal']) {
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
  assertOptions(rest, { alsoAllowed: ['tickOf', 'timeoutEarlyInMillis'] })

  // Keyed by request: an execution environment may serve several invocations at once, and each owns its lease alone.
  const leases = new WeakMap<object, Led>()

  return {
    async before(request) {
      const { event, context } = request
      const ticked = tickOf === undefined ? tickOfEvent(event) : { tick: tickOf(event) }
      const settings = settingsOf({ ...rest, ...present(ticked), context })
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
      // The tick is not done, and a success would keep Lambda from offering it again.
      throw new LeaseLostError(
        `The invocation ended before its task could be known to be finished; the tick of lease "${lease.name}" is not recorded as done. Give the function more time.`,
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

/** Middy's timer would end the invocation at once, while its task runs on and its lease is held. */
function assertTimerWorks(context: InvocationContext, timeoutEarlyInMillis: number): void {
  const { ms, did } = readRemaining(context)
  if (timeoutEarlyInMillis === 0 || ms - timeoutEarlyInMillis <= LONGEST_TIMER_MS) return
  throw new InvalidOptionError(
    `The context's getRemainingTimeInMillis() ${did}. Middy's timer for the invocation's end needs a number, takes at most ${LONGEST_TIMER_MS} ms and would fire at once, so the task did not run. Switch that timer off: give timeoutEarlyInMillis: 0 to middy and to leaderOnly.`,
  )
}

function present({ tick, ...period }: Omit<EventTick, 'tick'> & { readonly tick: TickInput | undefined }) {
  return { ...(tick === undefined ? {} : { tick }), ...period }
}

/**
 * Middy gives up on a handler shortly before the invocation's end, but cannot stop it. Such a task may still act, so its
 * lease is left to expire: neither released nor recorded as done. Middy's own error tells; where the user gave a
 * `timeoutEarlyResponse` of their own, the remaining time does.
 */
function taskMayStillRun(error: unknown, { remainingMs }: Led, timeoutEarlyInMillis: number): boolean {
  if (isTimeoutOfMiddy(error)) return true
  // Timers may fire a millisecond early.
  return timeoutEarlyInMillis > 0 && remainingMs() <= timeoutEarlyInMillis + 1
}

function isTimeoutOfMiddy(error: unknown): boolean {
  try {
    if (!(error instanceof Error) || error.name !== 'TimeoutError') return false
    const { cause } = error
    return typeof cause === 'object' && cause !== null && 'package' in cause && cause.package === '@middy/core'
  } catch {
    return false // a task can throw anything, an error whose name cannot be read as well
  }
}
