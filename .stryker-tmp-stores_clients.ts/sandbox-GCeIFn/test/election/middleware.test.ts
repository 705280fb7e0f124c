// @ts-nocheck
import { setTimeout as sleep } from 'node:timers/promises'
import { Logger } from '@aws-lambda-powertools/logger'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import middy from '@middy/core'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  InvalidOptionError,
  InvalidTickError,
  type LeaderContext,
  type LeaderOnlyOptions,
  type Lease,
  LeaseStillHeldError,
  leaderOnly,
} from '../../functions/election/index.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { clock, lambda, outcomeOf, row, startAnew, store } from './scripted.ts'

const EVENT = { tick: '2026-11-21T06:00:00Z', periodMs: 3_600_000, schedule: 'candidate-1' }

beforeEach(startAnew)

const options = (changes: Partial<LeaderOnlyOptions> = {}): LeaderOnlyOptions => ({
  store,
  clock,
  lease: 'billing',
  ...changes,
})
const context = (awsRequestId = 'event-1', remainingMs = 60_000) => lambda(remainingMs, awsRequestId)

/** Calls the handler as Lambda does, which knows nothing of the lease that the middleware will put on the context. */
const invoke = (handler: (...args: never[]) => unknown, event: unknown = EVENT, invocation: object = context()) =>
  Promise.resolve<unknown>(Reflect.apply(handler, undefined, [event, invocation]))

const charge = async (_event: unknown, { lease }: LeaderContext<Lease>) =>
  `charged ${lease.tick} under ${lease.fencingToken}`
/** A handler behind leaderOnly alone. */
const leading = (handler: (event: unknown, context: LeaderContext<Lease>) => unknown = charge, changes = {}) =>
  middy(handler).use(leaderOnly(options(changes)))

const throwing = (error: unknown) => () => {
  throw error
}

describe('leaderOnly', () => {
  it('lets the leader’s handler run with the lease on its context, and answers with the outcome', async () => {
    const fencingToken = clock.wallMs() + 1
    expect(await invoke(leading())).toEqual({
      status: 'completed',
      fencingToken,
      result: `charged 2026-11-21T06:00:00.000Z under ${fencingToken}`,
    })
    expect(row()).toMatchObject({ completedTick: '2026-11-21T06:00:00.000Z', eventId: 'event-1' })
    expect(store.asked).toEqual(['acquire', 'complete'])
    expect(clock.sleeping).toBe(0)
  })

  it('knows the missed ticks of its schedule', async () => {
    const schedule = 'cron(0 1-5/2 * * ? *)'
    const handler = leading(async (_event, { lease }) => lease.missed, { schedule })
    await invoke(handler, { tick: '2026-11-21T01:00:00Z' })
    expect(await invoke(handler, { tick: '2026-11-21T05:00:00Z' })).toMatchObject({
      result: ['2026-11-21T03:00:00.000Z'],
    })
  })

  it.each([
    ['the event gives the period', {}, { periodMs: 3_600_000 }],
    ['leaderOnly has the period among its options', { periodMs: 3_600_000 }, {}],
  ])('does a tick again by hand, and skips no later one, if %s', async (_, given, period) => {
    const handler = leading(charge, given)
    const run = (event: object, id: string) => invoke(handler, event, context(id))
    await run({ tick: '2026-11-21T04:47:00Z', ...period }, 'event-1')
    expect(row()).toMatchObject({ completedTick: '2026-11-21T04:00:00.000Z' })
    const again = { tick: '2026-11-21T04:00:00.001Z', periodMs: 1 }
    expect(await run(again, 'event-2')).toMatchObject({ status: 'completed' })
    expect(row()).toMatchObject({ completedTick: '2026-11-21T04:00:00.001Z' })
    const next = await run({ tick: '2026-11-21T05:47:00Z', ...period }, 'event-3')
    expect(next).toMatchObject({ status: 'completed', result: expect.stringContaining('05:00:00.000Z') })
  })

  it('fails an event whose tick it cannot read, before it asks for the lease', async () => {
    for (const event of [{ ...EVENT, tick: '<aws.scheduler.scheduled-time>' }, { detail: {} }]) {
      expect(await outcomeOf(invoke(leading(), event))).toBeInstanceOf(InvalidTickError)
    }
    expect(store.asked).toEqual([])
  })

  it('takes nothing but a text for a continuation', async () => {
    const event = { ...EVENT, leaseContinuation: 7 }
    expect(await invoke(leading(), event)).toMatchObject({ status: 'completed' })
  })

  it('finds the tick by a function of the user’s, and leads without ticks if that returns undefined', async () => {
    const handler = leading(charge, { tickOf: (event: unknown) => (event instanceof Date ? event : undefined) })
    await invoke(handler, {})
    expect(row()).not.toHaveProperty('tick')
    startAnew() // a lease has ticks or none
    await invoke(leading(charge, { tickOf: (event: Date) => event }), new Date('2026-11-21T05:00:00Z'))
    expect(row()).toMatchObject({ completedTick: '2026-11-21T05:00:00.000Z' })
  })

  it('releases the lease of a handler that throws what cannot be read', async () => {
    const { proxy, revoke } = Proxy.revocable(new Error('x'), {})
    revoke()
    const handler = leading(() => Promise.reject(proxy))
    const ended = invoke(handler).then(
      () => 'resolved',
      () => 'rejected',
    )
    expect(await ended).toBe('rejected')
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'Error' })
  })

  it('serves several invocations of one environment at once, each with a lease of its own', async () => {
    const gate = Promise.withResolvers<void>()
    const seen: LeaderContext<Lease>[] = []
    const handler = leading(async (_event, invocation) => {
      seen.push(invocation)
      await gate.promise
    })
    const [first, second] = [invoke(handler, EVENT, context('event-1')), invoke(handler, EVENT, context('event-2'))]
    await settled()
    expect(await second).toMatchObject({ status: 'standby', reason: 'held' })
    expect(row()).toMatchObject({ holder: seen[0]?.lease.candidate })
    gate.resolve()
    expect(await first).toMatchObject({ status: 'completed' })
    expect(seen).toHaveLength(1)
  })
})

describe('middy’s early time-out', () => {
  it.each<[string, Parameters<typeof middy>[1], number]>([
    ['fires', { timeoutEarlyInMillis: 5 }, 5],
    ['has a response of the user’s', { timeoutEarlyInMillis: 20, timeoutEarlyResponse: () => 'gave up' }, 20],
    ['has a response that throws', { timeoutEarlyInMillis: 20, timeoutEarlyResponse: throwing(new Error('mine')) }, 20],
  ])('leaves the lease to expire if it %s, since the task may still run', async (_, plugin, timeoutEarlyInMillis) => {
    const task = Promise.withResolvers<string>()
    onTestFinished(() => task.resolve('far too late'))
    const handler = middy(() => task.promise, plugin).use(leaderOnly(options({ timeoutEarlyInMillis })))
    const running = outcomeOf(invoke(handler, EVENT, context('event-1', 50)))
    await settled()
    clock.freeze(30)
    await sleep(60)
    const ended = await running
    expect(ended).toBeInstanceOf(Error) // a success would keep Lambda from retrying the event
    if (timeoutEarlyInMillis === 5) expect(ended).toMatchObject({ name: 'TimeoutError' })
    expect(row()).toMatchObject({ holder: 'charge/event-1' })
    expect(row()).not.toHaveProperty('completedTick')
    expect(clock.sleeping).toBe(0)
    expect(await outcomeOf(invoke(leading()))).toBeInstanceOf(LeaseStillHeldError)
  })
})

describe('a handler that fails or ends', () => {
  it.each<[string, unknown, string?]>([
    ['no cause', undefined],
    ['a text as its cause', 'middy'],
    ['null as its cause', null],
    ['a cause without a package', { data: 1 }],
    ['a cause of another package', { package: 'axios' }],
    ['another name, and middy as its cause', { package: '@middy/core' }, 'RangeError'],
  ])('with a TimeoutError of its own, with %s, has its lease released: nothing still runs', async (_, cause, name) => {
    const error = Object.assign(new Error('upstream', { cause }), { name: name ?? 'TimeoutError' })
    expect(await outcomeOf(invoke(leading(throwing(error))))).toBe(error)
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: error.name })
  })

  it.each([
    [20, 22, 'completed'],
    [20, 21, 'left to expire'],
    [0, 0, 'completed'],
  ])('under an early time-out of %i ms with %i ms left, has its tick %s', async (timeoutEarlyInMillis, leftMs, how) => {
    const handler = leading(async () => clock.freeze(60_000 - leftMs), { timeoutEarlyInMillis, leaseMs: 120_000 })
    const outcome = await outcomeOf(invoke(handler))
    if (how === 'completed') expect(outcome).toMatchObject({ status: 'completed' })
    else expect(outcome).toMatchObject({ name: 'LeaseLostError', lease: 'billing' })
    expect(row()?.holder).toBe(how === 'completed' ? undefined : 'charge/event-1')
  })

  it.each([
    [2 ** 31 + 4, 'completed'],
    [2 ** 31 + 5, 'refused'],
    [Number.POSITIVE_INFINITY, 'refused'],
  ])('with %d ms left, for which middy’s timer is too short by default, is %s before it asks', async (leftMs, how) => {
    const invocation = { ...context(), getRemainingTimeInMillis: () => leftMs }
    const outcome = await outcomeOf(invoke(leading(), EVENT, invocation))
    if (how === 'completed') return expect(outcome).toMatchObject({ status: 'completed' })
    expect(outcome).toBeInstanceOf(InvalidOptionError)
    expect(outcome).toMatchObject({ message: expect.stringContaining('give timeoutEarlyInMillis: 0 to middy and to') })
    expect(store.asked).toEqual([])
    const off = { timeoutEarlyInMillis: 0 }
    const untimed = middy(charge, off).use(leaderOnly(options(off)))
    expect(await invoke(untimed, EVENT, invocation)).toMatchObject({ status: 'completed' })
  })

  it.each<[string, () => unknown, string]>([
    ['its remaining time is undefined then', () => undefined, 'InvalidOptionError'],
    ['its remaining time is a bigint then', () => 60_000n, 'InvalidOptionError'],
    ['its remaining time is beyond middy’s timer then', () => 9e9, 'InvalidOptionError'],
    ['reading its remaining time throws then', throwing(new TypeError('none')), 'InvalidOptionError'],
    ['its answer came within the margin before the deadline', () => 45_500, 'LeaseLostError'],
  ])('does not begin if %s, when middy sets its timer', async (_, later, errorName) => {
    const invocation = context()
    store.afterNext('acquire', () => {
      if (errorName === 'LeaseLostError') clock.freeze(14_500)
      Object.assign(invocation, { getRemainingTimeInMillis: later })
    })
    const task = vi.fn()
    expect(await outcomeOf(invoke(leading(task), EVENT, invocation))).toMatchObject({ name: errorName })
    expect(task).not.toHaveBeenCalled()
    expect(row()).toMatchObject({ endedBy: 'failed', errorName })
    expect(clock.sleeping).toBe(0)
  })

  it('whose context no longer gives a remaining time is completed', async () => {
    const invocation = context()
    const handler = leading(async () => {
      await settled() // middy reads it too, when it has called the handler
      Object.assign(invocation, { getRemainingTimeInMillis: undefined })
    })
    expect(await invoke(handler, EVENT, invocation)).toMatchObject({ status: 'completed' })
  })

  it('late has its lease renewed until then', async () => {
    const running = invoke(leading(() => clock.sleep(12_000)))
    await clock.advance(12_000)
    expect(await running).toMatchObject({ status: 'completed' })
    expect(store.asked).toEqual(['acquire', 'renew', 'renew', 'complete'])
  })
})

describe('beside other middlewares', () => {
  const fails = throwing(new RangeError('no secret'))

  it('touches no lease if another middleware failed before it', async () => {
    void invoke(leading(() => new Promise(() => undefined)))
    await settled()
    const before = row()
    await outcomeOf(invoke(middy(charge).before(fails).use(leaderOnly(options()))))
    expect(row()).toEqual(before)
    expect(store.asked).toEqual(['acquire'])
  })

  it('releases what it acquired if a middleware behind it fails', async () => {
    await outcomeOf(invoke(leading().before(fails)))
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'RangeError' })
    expect(clock.sleeping).toBe(0)
  })

  it('keeps a tick completed if a middleware before it fails afterwards', async () => {
    await outcomeOf(invoke(middy(charge).after(fails).use(leaderOnly(options()))))
    expect(row()).toMatchObject({ endedBy: 'completed' })
    expect(store.asked).toEqual(['acquire', 'complete'])
  })

  it('cleans up Powertools’ middlewares before a loser returns early, which skips their own end', async () => {
    const cleaned: string[] = []
    const handler = middy(charge)
      .before((request) => {
        const clean = async () => {
          await settled() // what Lambda would freeze if the loser did not wait for it
          cleaned.push('logger')
        }
        Object.assign(request.internal, { 'powertools-for-aws.logger': clean })
      })
      .use(leaderOnly(options()))
    await invoke(handler, EVENT, context('event-1'))
    expect(cleaned).toEqual([])
    await invoke(handler, EVENT, context('event-2'))
    expect(cleaned).toEqual(['logger'])
  })

  it('works beside Powertools’ logger', async () => {
    const logger = new Logger({ logLevel: 'SILENT' })
    const handler = middy(charge)
      .use(injectLambdaContext(logger, { resetKeys: true }))
      .use(leaderOnly(options()))
    await invoke(handler, EVENT, context('event-1'))
    logger.appendKeys({ tick: 'leaks' })
    await invoke(handler, EVENT, context('event-2'))
    expect(logger.getPersistentLogAttributes()).toEqual({})
  })
})

describe('the options of leaderOnly', () => {
  it.each([
    [{ timeoutEarlyInMilis: 5 }, /Did you mean "timeoutEarlyInMillis"/],
    [{ tickof: undefined }, /Did you mean "tickOf"/],
    [{ tick: '2026-11-21T06:00:00Z' }, /reads the tick from the event; .* give tickOf/],
    [{ tickOf: '2026-11-21T06:00:00Z' }, /must be a function of the event/],
    [{ timeoutEarlyInMillis: -5 }, /timeoutEarlyInMillis/],
    [{ context: {} }, /takes the context from the invocation/],
    [{ signal: AbortSignal.abort() }, /takes the signal from the invocation/],
    [{ continuation: 'next' }, /takes the continuation from the invocation/],
  ])('%o are refused when the function loads', (wrong, message) => {
    const wronged: LeaderOnlyOptions = Object.assign(options(), wrong)
    expect(() => leaderOnly(wronged)).toThrow(InvalidOptionError)
    expect(() => leaderOnly(wronged)).toThrow(message)
  })
})
