/** Leader election for Lambda durable functions: see "Durable executions" in docs/protocol.md for the reasons. */
// @ts-nocheck

import type { DurableContext } from '@aws/durable-execution-sdk-js'
import { acquireLease } from './acquire.ts'
import { withDefaults } from './defaults.ts'
import { type InStep, wrapSteps } from './durable-context.ts'
import { executionOf } from './durable-execution.ts'
import { InvalidOptionError, LeaseLostError, LeaseStoreError } from './errors.ts'
import type { TickedLease } from './lease.ts'
import { LeaseHandle } from './lease-handle.ts'
import type { Standby } from './not-won.ts'
import { type LeaseOptions, type Settings, settingsOfChecked, type WithCheckpoint } from './options.ts'
import type { LeaseStore } from './stores/store.ts'
import type { TickInput } from './tick.ts'
import { failed, type Outcome } from './with-lease.ts'

/** `leaseMs` is also how long an execution keeps its lease while it is suspended: see `durableLeader`. */
export interface DurableLeaderOptions extends Omit<LeaseOptions, 'tick' | 'context' | 'heartbeat' | 'killGraceMs'> {
  readonly tick: TickInput
}

const OWN_OPTIONS = ['context', 'heartbeat', 'killGraceMs']
const ENDS: readonly string[] = ['ticks', 'advance', 'giveUp', 'complete', 'release']

/** The lease of the present invocation. Use it inside of steps; only `name` and `tick` are the same in all replays. */
export type DurableLease<State = unknown> = Omit<
  TickedLease<State>,
  'ticks' | 'advance' | 'giveUp' | 'complete' | 'release'
>

/**
 * Runs the task in one durable execution for each tick. The execution leads, whatever number of invocations it takes:
 * in each of them, the first step that is not recorded yet acquires the lease anew, under a new fencing token. The
 * election and the completion are steps, so a replay does neither again, and returns a recorded standby.
 *
 * The lease is renewed while a step runs. While the execution is suspended (by a wait, a callback, a step that is to be
 * retried), it is held until it expires, `leaseMs` after the last renewal, so give a `leaseMs` longer than the waits,
 * up to an hour. If another candidate takes it after that, the execution ends with a LeaseLostError at its next step:
 * let that error leave the handler.
 * @param task runs all operations on the context that it is given: that is `ctx`, but each step holds the lease
 * @example
 * export const handler = withDurableExecution((event, context) =>
 *   durableLeader(context, { tick: event.tick, leaseMs: 900_000 }, async (lease, ctx) => {
 *     await ctx.step('invoice', () => lease.send({ TableName: 'invoices', Item: invoice }))
 *     await ctx.wait({ minutes: 10 })
 *     await ctx.step('remind', () => lease.send({ TableName: 'reminders', Item: reminder }))
 *   }),
 * )
 * @throws InvalidOptionError, InvalidTickError, LeaseLostError; what the task throws, after which the lease is
 *   released; StepError of the SDK if the step that elects or completes failed at every retry
 */
export async function durableLeader<T, State = unknown>(
  ctx: DurableContext,
  options: DurableLeaderOptions & WithCheckpoint<State>,
  task: (lease: DurableLease<State>, ctx: DurableContext) => Promise<T>,
): Promise<Outcome<T>> {
  const segment = new Segment(settingsIn(ctx, options))
  const elected = await ctx.step('tenure-elect', () => segment.elect())
  if (typeof elected !== 'number') return elected
  try {
    const lease: DurableLease<State> = segment.lease()
    const result = await Promise.race([task(lease, wrapSteps(ctx, segment.inStep)), segment.loss])
    const fencingToken = await Promise.race([ctx.step('tenure-complete', () => segment.complete()), segment.loss])
    return { status: 'completed', fencingToken, result }
  } catch (error) {
    await segment.fail(error)
    throw error
  }
}

function settingsIn(ctx: DurableContext, options: DurableLeaderOptions): Settings {
  const arn = executionOf(ctx)
  if (arn === undefined) {
    throw new InvalidOptionError(
      'durableLeader needs the context of a durable execution: ' +
        'withDurableExecution((event, context) => durableLeader(context, { tick: event.tick }, task)).',
    )
  }
  const wrong = OWN_OPTIONS.find((name) => name in options)
  if (wrong !== undefined) throw new InvalidOptionError(`durableLeader sets the option ${wrong} itself; leave it out.`)
  if (options.tick === undefined) throw new InvalidOptionError('durableLeader needs the option tick: event.tick')
  const { lambdaContext } = ctx
  const context = {
    // Name and id of the execution. They are the same in all its invocations, which have request ids of their own.
    awsRequestId: (arn.split('/durable-execution/').at(-1) ?? arn).slice(-256),
    functionName: lambdaContext.functionName,
    getRemainingTimeInMillis: () => lambdaContext.getRemainingTimeInMillis(),
  }
  const settings = settingsOfChecked(withDefaults({ ...options, context }))
  // The execution outlives its invocation, so its lease may, too.
  return { ...settings, killGraceMs: settings.leaseMs }
}

/** One invocation's part of the tenure. */
class Segment {
  readonly #settings: Settings
  readonly #loss = Promise.withResolvers<never>()
  /** Rejects if another candidate leads this tick, or has done it. */
  readonly loss = this.#loss.promise
  #current: LeaseHandle | undefined
  #acquiring: Promise<LeaseHandle | Standby> | undefined
  /** The token under which this execution completed the tick, as the row of a refusal says. */
  #completedBy: number | undefined
  #runningSteps = 0

  constructor(settings: Settings) {
    this.#settings = {
      ...settings,
      store: this.#takingOver(settings.store),
      // A suspended segment loses nothing: its lease expires, as it is meant to.
      notify: (event) => {
        if (event.kind !== 'lost' || this.#runningSteps > 0) settings.notify(event)
      },
    }
    this.loss.catch(() => undefined) // the task may be over by then
  }

  /** @returns the token of the first tenure, which the history of the execution then shows */
  elect(): Promise<number | Standby> {
    return this.#led<number | Standby>(
      ({ fencingToken }) => fencingToken,
      (standby) => standby,
    )
  }

  readonly inStep: InStep = (run) => this.#led(run, (standby) => this.#lost(standby))

  /** @returns the token under which the tick was completed: mine, or that of an earlier try whose result was lost */
  complete(): Promise<number> {
    const completed = (lease: LeaseHandle) => lease.endAfterTask().then(() => lease.fencingToken)
    return this.#led(completed, (standby) => this.#completedBy ?? this.#lost(standby))
  }

  async fail(error: unknown): Promise<void> {
    if (this.#current !== undefined) await failed(this.#current, error)
  }

  lease<State>(): DurableLease<State> {
    const { lease: name, tick } = this.#settings
    return new Proxy(Object.create({ name, tick }), {
      get: (fixed, member) => {
        if (typeof member === 'symbol' || member === 'then') return undefined
        if (Reflect.has(fixed, member)) return Reflect.get(fixed, member)
        if (ENDS.includes(member)) {
          throw new InvalidOptionError(`lease.${member} is not for durableLeader: the tick ends when the task returns.`)
        }
        if (this.#current === undefined || this.#runningSteps === 0) {
          throw new InvalidOptionError(
            `Use lease.${member} inside a step of the task's ctx, like ctx.step(() => lease.send(input)). ` +
              'Outside of a step, a replay does not hold the lease.',
          )
        }
        const value: unknown = Reflect.get(this.#current, member)
        return typeof value === 'function' ? value.bind(this.#current) : value
      },
    })
  }

  async #led<R>(run: (lease: LeaseHandle) => R | Promise<R>, refused: (standby: Standby) => R): Promise<R> {
    this.#runningSteps++
    try {
      const lease = await this.#held()
      return lease instanceof LeaseHandle ? await run(lease) : refused(lease)
    } finally {
      this.#runningSteps--
    }
  }

  async #held(): Promise<LeaseHandle | Standby> {
    if (this.#current !== undefined && this.#current.remainingMs() > 0) return this.#current
    this.#acquiring ??= this.#acquire()
    return await this.#acquiring
  }

  async #acquire(): Promise<LeaseHandle | Standby> {
    this.#current?.abandon()
    this.#current = undefined
    try {
      const won = await acquireLease(this.#settings)
      if (!(won instanceof LeaseHandle)) return won
      this.#current = won
      won.start()
      await won.readCheckpoint()
      return won
    } catch (error) {
      await this.fail(error)
      throw error
    } finally {
      this.#acquiring = undefined
    }
  }

  #lost({ reason, holder }: Standby): never {
    const { lease, tick, eventId } = this.#settings
    const why = `Durable execution "${eventId}" led tick ${tick} of lease "${lease}" and does not any more: ${reason}`
    // The leader's transactions kept it from reading the row, so nothing is known: the step is retried.
    if (reason === 'contended') throw new LeaseStoreError(`${why}.`, { lease, retryable: true })
    const by = holder === undefined ? '' : ` by "${holder}"`
    const advice = 'The lease was free while the execution was suspended: give a leaseMs longer than its waits.'
    const error = new LeaseLostError(`${why}${by}. ${advice}`, { lease })
    this.#loss.reject(error)
    throw error
  }

  /** The store, but what an earlier invocation of this execution holds is given back: its process is gone, or idle. */
  #takingOver(store: LeaseStore): LeaseStore {
    return {
      acquire: async (request, signal) => {
        const reply = await store.acquire(request, signal)
        if (reply.granted || 'contended' in reply || reply.record === undefined) return reply
        const { lease, tick, eventId, nowMs } = request
        const { holder: candidate, attempt, ...row } = reply.record
        if (row.eventId !== eventId || row.tick !== tick || attempt === request.attempt) return reply
        if (row.completedTick === tick) this.#completedBy = row.completedBy
        if (candidate === undefined) return reply
        await store.giveBack({ lease, candidate, attempt, nowMs }, signal)
        return await store.acquire(request, signal)
      },
      write: async (request, signal) => {
        if (request.kind !== 'renew' || this.#runningSteps > 0) return await store.write(request, signal)
        throw new LeaseStoreError('No step is running, so the lease is not renewed.', {
          lease: request.lease,
          retryable: true,
        })
      },
      giveBack: (request, signal) => store.giveBack(request, signal),
      ...(store.effects === undefined ? {} : { effects: store.effects }),
    }
  }
}
