import { Logger } from '@aws-lambda-powertools/logger'
import middy from '@middy/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  InvalidOptionError,
  InvalidTickError,
  type LeaderContext,
  type LeaderOnlyOptions,
  type Lease,
  LeaseLostError,
  LeaseStillHeldError,
  leaderOnly,
} from '../../functions/election/index.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { clock, lambda, outcomeOf, row, startAnew, store } from './scripted.ts'

const EVENT = { tick: '2026-11-21T06:00:00Z', periodMs: 3_600_000, schedule: 'candidate-1' }

const alive: (() => void)[] = []
beforeEach(startAnew)
afterEach(() => {
  for (const end of alive.splice(0)) end()
})

const options = (changes: Partial<LeaderOnlyOptions> = {}): LeaderOnlyOptions => ({
  store,
  clock,
  lease: 'billing',
  ...changes,
})
const context = (awsRequestId = 'event-1', remainingMs = 60_000) => lambda(remainingMs, awsRequestId)

/** Calls the handler as Lambda does, which knows nothing of the lease that the middleware will put on the context. */
const invoke = (handler: (...args: never[]) => unknown, event: unknown, invocation: object): Promise<unknown> =>
  Promise.resolve(Reflect.apply(handler, undefined, [event, invocation]))

const charge = async (_event: unknown, { lease }: LeaderContext<Lease>) =>
  `charged ${lease.tick} under ${lease.fencingToken}`

describe('leaderOnly', () => {
  it('lets the leader’s handler run with the lease on its context, and answers with the outcome', async () => {
    const handler = middy(charge).use(leaderOnly(options()))
    const fencingToken = clock.wallMs() + 1
    expect(await invoke(handler, EVENT, context())).toEqual({
      status: 'completed',
      fencingToken,
      result: `charged 2026-11-21T06:00:00.000Z under ${fencingToken}`,
    })
    expect(row()).toMatchObject({ completedTick: '2026-11-21T06:00:00.000Z', eventId: 'event-1' })
    expect(store.asked).toEqual(['acquire', 'complete'])
    expect(clock.sleeping).toBe(0)
  })

  it('counts missed ticks if the event says that all are exactly a period apart', async () => {
    const missed = async (_event: unknown, { lease }: LeaderContext) => lease.missedTicks
    const handler = middy(missed).use(leaderOnly(options()))
    await invoke(handler, { ...EVENT, tick: '2026-11-21T01:00:00Z' }, context())
    const cron = { ...EVENT, tick: '2026-11-21T04:00:00Z', exactPeriod: false }
    expect(await invoke(handler, cron, context())).toMatchObject({ result: undefined })
    expect(await invoke(handler, { ...EVENT, exactPeriod: true }, context())).toMatchObject({ result: 1 })
  })

  it.each([
    ['the event gives the period', {}, { periodMs: 3_600_000 }],
    ['leaderOnly has the period among its options', { periodMs: 3_600_000 }, {}],
  ])('does a tick again by hand, and skips no later one, if %s', async (_, given, period) => {
    const handler = middy(charge).use(leaderOnly(options(given)))
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
    const handler = middy(charge).use(leaderOnly(options()))
    const unreplaced = { ...EVENT, tick: '<aws.scheduler.scheduled-time>' }
    expect(await outcomeOf(invoke(handler, unreplaced, context()))).toBeInstanceOf(InvalidTickError)
    expect(await outcomeOf(invoke(handler, { detail: {} }, context()))).toBeInstanceOf(InvalidTickError)
    expect(store.asked).toEqual([])
  })

  it('finds the tick by a function of the user’s, and leads without ticks if that returns undefined', async () => {
    const find = (event: unknown) => (event instanceof Date ? event : undefined)
    const handler = middy(charge).use(leaderOnly(options({ tickOf: find })))
    await invoke(handler, {}, context())
    expect(row()).not.toHaveProperty('tick')
    await invoke(handler, new Date('2026-11-21T05:00:00Z'), context())
    expect(row()).toMatchObject({ completedTick: '2026-11-21T05:00:00.000Z' })
  })

  it('releases the lease of a handler that throws what cannot be read', async () => {
    const { proxy, revoke } = Proxy.revocable(new Error('x'), {})
    revoke()
    const handler = middy(() => Promise.reject(proxy)).use(leaderOnly(options()))
    const isRejected = await invoke(handler, EVENT, context()).then(
      () => false,
      () => true,
    )
    expect(isRejected).toBe(true)
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'Error' })
  })

  it('does not run the handler if the answer came within the margin before the deadline', async () => {
    let ran = false
    const handler = middy(async () => {
      ran = true
    }).use(leaderOnly(options()))
    store.afterNext('acquire', () => clock.freeze(14_500))
    expect(await outcomeOf(invoke(handler, EVENT, context()))).toBeInstanceOf(LeaseLostError)
    expect(ran).toBe(false)
    expect(row()).toMatchObject({ endedBy: 'failed' })
    expect(clock.sleeping).toBe(0)
  })

  it('serves several invocations of one environment at once, each with a lease of its own', async () => {
    const gate = Promise.withResolvers<void>()
    const seen: LeaderContext[] = []
    const handler = middy(async (_event: unknown, invocation: LeaderContext) => {
      seen.push(invocation)
      await gate.promise
    }).use(leaderOnly(options()))
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
  /** A handler that goes on after middy has given up on it. */
  function stuck(plugin: Parameters<typeof middy>[1], middleware = leaderOnly(options())) {
    const task = Promise.withResolvers<string>()
    alive.push(() => task.resolve('far too late'))
    return middy(() => task.promise, plugin).use(middleware)
  }
  const waitForMiddy = async (timeoutMs: number) => {
    await new Promise((resolve) => setTimeout(resolve, timeoutMs))
  }

  it('leaves the lease to expire, since the task may still run: neither released nor recorded as done', async () => {
    const handler = stuck({ timeoutEarlyInMillis: 5 })
    const running = outcomeOf(invoke(handler, EVENT, context('event-1', 30)))
    await waitForMiddy(40)
    expect(await running).toMatchObject({ name: 'TimeoutError' })
    expect(row()).toMatchObject({ holder: 'charge/event-1' })
    expect(row()).not.toHaveProperty('completedTick')
    expect(clock.sleeping).toBe(0)
    expect(await outcomeOf(invoke(middy(charge).use(leaderOnly(options())), EVENT, context('event-1')))).toBeInstanceOf(
      LeaseStillHeldError,
    )
  })

  it.each([
    ['answers', () => 'gave up'],
    [
      'throws',
      () => {
        throw new Error('gave up')
      },
    ],
  ])('does so too if a timeoutEarlyResponse of the user’s %s', async (_, timeoutEarlyResponse) => {
    const handler = stuck(
      { timeoutEarlyInMillis: 20, timeoutEarlyResponse },
      leaderOnly(options({ timeoutEarlyInMillis: 20 })),
    )
    const running = outcomeOf(invoke(handler, EVENT, context('event-1', 50)))
    await settled()
    clock.freeze(30)
    await waitForMiddy(40)
    const ended = await running
    expect(ended).toBeInstanceOf(Error) // a success would keep Lambda from retrying the event
    expect(row()).toMatchObject({ holder: 'charge/event-1' })
    expect(row()).not.toHaveProperty('completedTick')
    expect(clock.sleeping).toBe(0)
  })
})

describe('a handler that fails or ends', () => {
  it.each([
    ['no cause', undefined],
    ['a text as its cause', 'middy'],
    ['null as its cause', null],
    ['a cause without a package', { data: 1 }],
    ['a cause of another package', { package: 'axios' }],
  ])('with a TimeoutError of its own, with %s, has its lease released: nothing still runs', async (_, cause) => {
    const error = Object.assign(new Error('upstream', { cause }), { name: 'TimeoutError' })
    const handler = middy(() => Promise.reject(error)).use(leaderOnly(options()))
    expect(await outcomeOf(invoke(handler, EVENT, context()))).toBe(error)
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'TimeoutError' })
  })

  it.each([
    [20, 22, 'completed'],
    [20, 21, 'left to expire'],
    [0, 0, 'completed'],
  ])('under an early time-out of %i ms with %i ms left, has its tick %s', async (timeoutEarlyInMillis, leftMs, how) => {
    const handler = middy(async () => {
      clock.freeze(60_000 - leftMs)
    }).use(leaderOnly(options({ timeoutEarlyInMillis, leaseMs: 120_000 })))
    const outcome = await outcomeOf(invoke(handler, EVENT, context()))
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
    const refusing = middy(charge).use(leaderOnly(options()))
    const outcome = await outcomeOf(invoke(refusing, EVENT, invocation))
    if (how === 'completed') return expect(outcome).toMatchObject({ status: 'completed' })
    expect(outcome).toBeInstanceOf(InvalidOptionError)
    expect(outcome).toMatchObject({ message: expect.stringContaining('give timeoutEarlyInMillis: 0 to middy and to') })
    expect(store.asked).toEqual([])
    const off = { timeoutEarlyInMillis: 0 }
    const leading = middy(off)
      .use(leaderOnly(options(off)))
      .handler(charge)
    expect(await invoke(leading, EVENT, invocation)).toMatchObject({ status: 'completed' })
  })

  it.each([
    ['is undefined', () => undefined],
    ['is a bigint', () => 60_000n],
    ['is beyond middy’s timer', () => 9e9],
    [
      'throws an error',
      () => {
        throw new TypeError('not implemented')
      },
    ],
  ])('does not begin if its remaining time, when middy sets its timer by it, %s', async (_, later) => {
    const invocation = context()
    store.afterNext('acquire', () => void Object.assign(invocation, { getRemainingTimeInMillis: later }))
    let ran = false
    const handler = middy(() => {
      ran = true
    }).use(leaderOnly(options()))
    expect(await outcomeOf(invoke(handler, EVENT, invocation))).toBeInstanceOf(InvalidOptionError)
    expect(ran).toBe(false)
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'InvalidOptionError' })
    expect(clock.sleeping).toBe(0)
  })

  it('whose context no longer gives a remaining time is completed', async () => {
    const invocation = context()
    const handler = middy(async () => {
      await settled() // middy reads it too, when it has called the handler
      Object.assign(invocation, { getRemainingTimeInMillis: undefined })
    }).use(leaderOnly(options()))
    expect(await invoke(handler, EVENT, invocation)).toMatchObject({ status: 'completed' })
  })

  it('late has its lease renewed until then', async () => {
    const gate = Promise.withResolvers<void>()
    const handler = middy(() => gate.promise).use(leaderOnly(options()))
    const running = invoke(handler, EVENT, context())
    await clock.advance(12_000)
    gate.resolve()
    expect(await running).toMatchObject({ status: 'completed' })
    expect(store.asked).toEqual(['acquire', 'renew', 'renew', 'complete'])
  })
})

describe('beside other middlewares', () => {
  it('touches no lease if another middleware failed before it', async () => {
    const leading = middy(() => new Promise(() => undefined)).use(leaderOnly(options()))
    void invoke(leading, EVENT, context('event-1'))
    await settled()
    const before = row()
    const broken = middy(charge)
      .before(() => {
        throw new Error('no secret')
      })
      .use(leaderOnly(options()))
    await outcomeOf(invoke(broken, EVENT, context('event-1')))
    expect(row()).toEqual(before)
    expect(store.asked).toEqual(['acquire'])
  })

  it('releases what it acquired if a middleware behind it fails', async () => {
    const handler = middy(charge)
      .use(leaderOnly(options()))
      .before(() => {
        throw new RangeError('no secret')
      })
    await outcomeOf(invoke(handler, EVENT, context()))
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'RangeError' })
    expect(clock.sleeping).toBe(0)
  })

  it('keeps a tick completed if a middleware before it fails afterwards', async () => {
    const handler = middy(charge)
      .after(() => {
        throw new Error('cannot serialize')
      })
      .use(leaderOnly(options()))
    await outcomeOf(invoke(handler, EVENT, context()))
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
    const { injectLambdaContext } = await import('@aws-lambda-powertools/logger/middleware')
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
    [{ tick: '2026-11-21T06:00:00Z' }, /reads the tick from the event; .* give tickOf/],
    [{ tickOf: '2026-11-21T06:00:00Z' }, /must be a function of the event/],
    [{ timeoutEarlyInMillis: -5 }, /timeoutEarlyInMillis/],
    [{ context: {} }, /takes the context from the invocation/],
    [{ signal: AbortSignal.abort() }, /takes the signal from the invocation/],
  ])('%o are refused when the function loads', (wrong, message) => {
    const wronged: LeaderOnlyOptions = Object.assign(options(), wrong)
    expect(() => leaderOnly(wronged)).toThrow(InvalidOptionError)
    expect(() => leaderOnly(wronged)).toThrow(message)
  })
})
