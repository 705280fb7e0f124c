// @ts-nocheck
import { type DurableContext, type DurableLambdaHandler, withDurableExecution } from '@aws/durable-execution-sdk-js'
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing'
import middy from '@middy/core'
import { executionModeDurableContext } from '@middy/core/DurableContext'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type DurableLeaderOptions, type DurableLease, durableLeader } from '../../functions/election/durable.ts'
import {
  type ElectionEvent,
  InvalidOptionError,
  type Lease,
  LeaseStoreError,
  leaderOnly,
  withLease,
} from '../../functions/election/index.ts'
import { lambdaContext } from '../../functions/election/testing/lambda-context.ts'
import { ManualClock, settled } from '../../functions/election/testing/manual-clock.ts'
import { MemoryLeaseStore } from '../../functions/election/testing/memory-store.ts'

const EARLIER_TICK = '2026-11-21T05:00:00.000Z'
const TICK = '2026-11-21T06:00:00.000Z'
const LATER_TICK = '2026-11-21T06:01:00.000Z'
const LEASE_MS = 15_000

let clock: ManualClock
let store: MemoryLeaseStore
/** The requests of all candidates that use the store. */
let asked: string[]
let events: ElectionEvent[]

beforeAll(() => LocalDurableTestRunner.setupTestEnvironment({ skipTime: true }))
afterAll(() => LocalDurableTestRunner.teardownTestEnvironment())
beforeEach(() => {
  clock = new ManualClock('2026-11-21T06:02:00.000Z')
  store = new MemoryLeaseStore({ tables: { Invoices: 'id' } })
  asked = []
  events = []
  const { acquire, write } = store
  store.acquire = (...given) => {
    asked.push('acquire')
    return acquire.apply(store, given)
  }
  store.write = (...given) => {
    asked.push(given[0].kind)
    return write.apply(store, given)
  }
})

const options = (changes: Partial<DurableLeaderOptions> = {}): DurableLeaderOptions => ({
  store,
  clock,
  lease: 'billing',
  tick: TICK,
  onEvent: (event) => void events.push(event),
  ...changes,
})
const row = () => store.read('billing')

/** Another candidate leads until its task ends. */
const another = (task: (lease: Lease) => unknown, tick = TICK) =>
  withLease({ store, clock, lease: 'billing', candidate: 'another', tick, overlap: 'skip' }, task)
/** Another candidate leads and dies. */
const holdAsAnother = async (tick?: string) => {
  void another(() => new Promise(() => undefined), tick)
  await settled()
}

/**
 * Runs a durable execution to its end. Each time it is suspended by `pause`, the next of `meanwhile` happens, and then
 * it is resumed in a new invocation.
 */
async function execute(handler: (ctx: DurableContext) => Promise<unknown>, ...meanwhile: readonly (() => unknown)[]) {
  let suspensions = 0
  const durable = withDurableExecution((_event: unknown, ctx: DurableContext) => handler(ctx))
  const handlerFunction: DurableLambdaHandler = async (event, context) => {
    const output = await durable(event, context)
    const next = output.Status === 'PENDING' ? meanwhile[suspensions] : undefined
    if (next !== undefined) {
      await next()
      await runner.getOperation('pause', suspensions++).sendCallbackSuccess()
    }
    return output
  }
  const runner = new LocalDurableTestRunner({ handlerFunction })
  const execution = await runner.run()
  const isDone = execution.getStatus() === 'SUCCEEDED'
  return {
    suspensions,
    result: isDone ? execution.getResult() : undefined,
    error: isDone ? undefined : execution.getError(),
  }
}

/** Suspends the execution. (While the runner skips a wait, the process may stay.) */
async function pause(ctx: DurableContext): Promise<void> {
  const [resumed] = await ctx.createCallback('pause')
  await resumed
}

const nothing = () => undefined
const passing =
  (ms: number, meanwhile: () => unknown = nothing) =>
  async () => {
    await clock.advance(ms)
    await meanwhile()
  }

/** Writes an invoice in each of two steps, with a pause between them. */
const invoiceTwice = async (lease: DurableLease, ctx: DurableContext) => {
  const write = (id: string) =>
    ctx.step(id, async () => {
      await lease.send({ TableName: 'Invoices', Item: { id, token: lease.fencingToken } })
      return lease.fencingToken
    })
  const first = await write('first')
  await pause(ctx)
  return [first, await write('second')]
}
const lead = (ctx: DurableContext) => durableLeader(ctx, options(), invoiceTwice)
const written = async (attribute: string) => (await store.table('Invoices').items()).map((item) => item[attribute])

describe('durableLeader', () => {
  it('reads the checkpoint by its schema in each invocation', async () => {
    const schema = v.object({ upTo: v.number(), read: v.optional(v.literal(true), true) })
    const handler = (ctx: DurableContext) =>
      durableLeader(ctx, { ...options(), checkpoint: { version: 2, schema } }, async (lease, durable) => {
        await durable.step('save', () => lease.saveCheckpoint(JSON.parse('{ "upTo": 1 }')))
        await pause(durable)
        return await durable.step('read', async () => lease.checkpoint)
      })
    expect(await execute(handler, passing(60_000))).toMatchObject({ result: { result: { upTo: 1, read: true } } })
  })

  it.each([
    ['still held', 5_000],
    ['expired', 60_000],
  ])('leads its tick again after a pause, under a new token, if its lease is %s', async (_, pauseMs) => {
    const firstToken = clock.wallMs() + 1
    const tokens = [firstToken, firstToken + 1]
    expect(await execute(lead, passing(pauseMs))).toMatchObject({
      suspensions: 1,
      result: { status: 'completed', fencingToken: firstToken + 1, result: tokens },
    })
    expect(await row()).toMatchObject({ completedTick: TICK, completedBy: firstToken + 1, endedBy: 'completed' })
    expect(await written('token')).toEqual(tokens)
    expect(asked.filter((kind) => kind === 'complete')).toHaveLength(1)
    await clock.advance(LEASE_MS)
    expect(clock.sleeping).toBe(0)
  })

  it('renews its lease only while a step runs, and holds it for its length while it is suspended', async () => {
    const busy = async (lease: DurableLease, ctx: DurableContext) => {
      await ctx.step('busy', () => clock.advance(LEASE_MS))
      await pause(ctx)
      await ctx.step('again', async () => lease.assertHeld())
    }
    const execution = await execute(
      (ctx) => durableLeader(ctx, options(), busy),
      async () => {
        const held = await row()
        expect(asked).toEqual(['acquire', 'renew', 'renew', 'renew'])
        await clock.advance(LEASE_MS - 1)
        expect(await another(nothing)).toMatchObject({ status: 'standby', reason: 'held' })
        expect(await another(nothing, LATER_TICK)).toMatchObject({ status: 'standby', reason: 'held' })
        await clock.advance(60_000)
        expect(await row()).toEqual(held)
      },
    )
    expect(execution).toMatchObject({ result: { status: 'completed' } })
    expect(events.map(({ kind }) => kind)).toEqual(['elected', 'elected'])
  })

  it('may hold its lease for longer than its invocation lasts', async () => {
    const leaseMs = 3_600_000
    const execution = await execute(
      (ctx) => durableLeader(ctx, options({ leaseMs }), async (_, led) => await pause(led)),
      async () => expect(await row()).toMatchObject({ expiresAtMs: clock.wallMs() + leaseMs }),
    )
    expect(execution).toMatchObject({ result: { status: 'completed' } })
  })

  it('takes over its own tick only: of two ticks in one execution, one waits for the other', async () => {
    const bothAsked = Promise.withResolvers<void>()
    const { acquire } = store
    store.acquire = async (...given) => {
      const reply = await acquire.apply(store, given)
      if (!reply.granted) bothAsked.resolve()
      return reply
    }
    const work = async (lease: DurableLease, ctx: DurableContext) =>
      await ctx.step(async () => {
        await bothAsked.promise
        await lease.renew()
      })
    const both = [EARLIER_TICK, TICK].map(
      (tick) => (ctx: DurableContext) => durableLeader(ctx, options({ tick }), work),
    )
    const execution = await execute(async (ctx) => {
      const outcomes = await ctx.parallel(both)
      return outcomes.getResults().map(({ status }) => status)
    })
    expect(execution).toMatchObject({ result: ['completed', 'completed'] })
    expect(events.map(({ kind }) => kind)).toEqual(['elected', 'elected'])
  })

  it('leads if the answer to its acquire was lost', async () => {
    store.loseReplies()
    const execution = await execute((ctx) => durableLeader(ctx, options(), async () => 'done'))
    expect(execution).toMatchObject({ result: { status: 'completed', fencingToken: clock.wallMs() + 1 } })
    expect(asked).toEqual(['acquire', 'complete'])
  })

  it.each([
    ['another candidate leads its tick', () => holdAsAnother(), 'held by "another"'],
    ['another candidate did its tick', () => another(nothing), 'tickDone'],
    ['a later tick is led', () => holdAsAnother(LATER_TICK), 'superseded by "another"'],
    ['an operator paused the lease', () => store.edit('billing', { pausedUntilMs: clock.wallMs() + 1e6 }), 'paused'],
  ])('ends the execution at its next step if meanwhile %s', async (_, meanwhile, reason) => {
    expect(await execute(lead, passing(60_000, meanwhile))).toMatchObject({
      suspensions: 1,
      error: { errorType: 'LeaseLostError', errorMessage: expect.stringContaining(reason) },
    })
    expect(await written('id')).toEqual(['first'])
    expect(asked).not.toContain('release')
  })

  it('ends the execution if another candidate takes the lease while a step runs', async () => {
    let tries = 0
    const replaced = async (lease: DurableLease, ctx: DurableContext) =>
      await ctx.step('renew', async () => {
        if (tries++ === 0) await store.replaceLeader('billing')
        await lease.renew()
      })
    const execution = await execute((ctx) => durableLeader(ctx, options(), replaced))
    expect(execution).toMatchObject({ error: { errorType: 'LeaseLostError' } })
    expect(tries).toBe(1)
    expect(events.map(({ kind }) => kind)).toEqual(['elected', 'lost', 'standby'])
  })

  it('tries a step again if transactions on the row kept it from acquiring the lease', async () => {
    const execution = await execute(lead, () => {
      const { acquire } = store
      store.acquire = async () => {
        store.acquire = acquire
        return { granted: false, contended: true, unanswered: false }
      }
    })
    expect(execution).toMatchObject({ result: { status: 'completed' } })
  })

  it('stands by for good if it loses the election, also when a replay could win', async () => {
    await holdAsAnother()
    const execution = await execute(
      async (ctx) => {
        const outcome = await lead(ctx)
        await pause(ctx)
        return outcome
      },
      passing(60_000, () => store.edit('billing', { expiresAtMs: 0 })),
    )
    expect(execution).toMatchObject({
      suspensions: 1,
      result: { status: 'standby', reason: 'held', holder: 'another' },
    })
    expect(asked.filter((kind) => kind === 'acquire')).toHaveLength(2)
  })

  it('asks again by retries of its first step while another candidate works on an earlier tick', async () => {
    const earlier = Promise.withResolvers<void>()
    void another(() => earlier.promise, EARLIER_TICK)
    await settled()
    const { acquire } = store
    store.acquire = async (...given) => {
      const reply = await acquire.apply(store, given)
      earlier.resolve()
      return reply
    }
    const execution = await execute((ctx) => durableLeader(ctx, options(), async () => 'done'))
    expect(execution).toMatchObject({ result: { status: 'completed', result: 'done' } })
  })

  it('completes its tick once, however often it is replayed after that', async () => {
    const execution = await execute(
      async (ctx) => {
        const outcome = await lead(ctx)
        await pause(ctx)
        return outcome
      },
      nothing,
      passing(60_000, () => another(nothing, LATER_TICK)),
    )
    expect(execution).toMatchObject({ suspensions: 2, result: { status: 'completed' } })
    expect(asked.filter((kind) => kind === 'complete')).toHaveLength(2)
  })

  it('knows its own completion if it broke off before that was recorded', async () => {
    const { write } = store
    store.write = async (request, signal) => {
      const reply = await write.call(store, request, signal)
      if (request.kind !== 'complete') return reply
      throw new LeaseStoreError('cut off', { lease: 'billing', retryable: false, applied: 'unknown' })
    }
    const fencingToken = clock.wallMs() + 1
    const execution = await execute((ctx) => durableLeader(ctx, options(), async () => 'done'))
    expect(execution).toMatchObject({ result: { status: 'completed', fencingToken, result: 'done' } })
  })

  it('releases the lease of a task that throws', async () => {
    const failing = (ctx: DurableContext) =>
      durableLeader(ctx, options(), async () => {
        throw new RangeError('no invoice')
      })
    expect(await execute(failing)).toMatchObject({ error: { errorType: 'RangeError', errorMessage: 'no invoice' } })
    expect(await row()).toMatchObject({ endedBy: 'failed', errorName: 'RangeError' })
  })

  it('holds the lease in the steps of all operations of its context, also after a pause', async () => {
    const held: string[] = []
    const firstToken = clock.wallMs() + 1
    await execute(
      (ctx) =>
        durableLeader(ctx, options(), async (lease, led) => {
          const check = (operation: string) => async () => {
            lease.assertHeld()
            expect(lease.fencingToken).toBe(firstToken + 1)
            return held.push(operation)
          }
          await pause(led)
          await led.step(check('a step without a name'))
          await led.runInChildContext('child', (child) => child.step(check('a child context')))
          await led.map([1], (child) => child.step(check('a map')))
          await led.parallel([(child) => child.step(check('a branch'))])
          await led.parallel('named', [{ name: 'one', func: (child) => child.step(check('a named branch')) }])
          const once = { initialState: 0, waitStrategy: () => ({ shouldContinue: false as const }) }
          await led.waitForCondition(check('a condition'), once)
        }),
      passing(60_000),
    )
    expect(held).toEqual([
      'a step without a name',
      'a child context',
      'a map',
      'a branch',
      'a named branch',
      'a condition',
    ])
  })

  it.each<[string, (ctx: DurableContext) => Promise<unknown>, RegExp]>([
    [
      'options that it sets itself',
      (ctx) => durableLeader(ctx, Object({ ...options(), heartbeat: false }), invoiceTwice),
      /heartbeat itself/,
    ],
    [
      'a missing tick',
      (ctx) => durableLeader(ctx, { ...options(), tick: Object(undefined).tick }, invoiceTwice),
      /option tick/,
    ],
    [
      'use of the lease outside of a step',
      (ctx) => durableLeader(ctx, options(), async (lease) => lease.fencingToken),
      /inside a step/,
    ],
    [
      'an end by the task',
      (ctx) => durableLeader(ctx, options(), async (lease) => Reflect.get(lease, 'complete')),
      /complete is not/,
    ],
    ['withLease', (ctx) => withLease({ ...options(), context: Object(ctx) }, nothing), /durableLeader/],
  ])('refuses %s', async (_, handler, message) => {
    const { error } = await execute(handler)
    expect(error).toMatchObject({ errorType: 'InvalidOptionError', errorMessage: expect.stringMatching(message) })
  })

  it('refuses an ordinary context', async () => {
    await expect(durableLeader(Object(lambdaContext()), options(), invoiceTwice)).rejects.toThrow(
      /withDurableExecution/,
    )
  })
})

describe('leaderOnly', () => {
  it('is refused in middy’s durable mode, where it would run at every replay', async () => {
    const handlerFunction: DurableLambdaHandler = Object(
      middy({ executionMode: executionModeDurableContext })
        .use(leaderOnly({ store, clock, lease: 'billing' }))
        .handler(nothing),
    )
    const execution = await new LocalDurableTestRunner({ handlerFunction }).run({ payload: { tick: TICK } })
    expect(execution.getError()).toMatchObject({
      errorType: 'InvalidOptionError',
      errorMessage: expect.stringMatching(/every replay.*durableLeader/),
    })
    expect(asked).toEqual([])
  })

  it('is refused in front of a durable handler', async () => {
    const handler = middy(nothing).use(leaderOnly({ store, clock, lease: 'billing' }))
    const event = { DurableExecutionArn: 'arn:…', CheckpointToken: 'token', InitialExecutionState: { Operations: [] } }
    await expect(Reflect.apply(handler, undefined, [event, lambdaContext()])).rejects.toThrow(InvalidOptionError)
  })
})

describe('in real time', () => {
  beforeAll(async () => {
    await LocalDurableTestRunner.teardownTestEnvironment()
    await LocalDurableTestRunner.setupTestEnvironment()
  })

  it('leads its tick again in the invocation that resumes it after a wait', async () => {
    const { clock: _manual, ...realTime } = options()
    let segments = 0
    const execution = await execute((ctx) => {
      segments++
      return durableLeader(ctx, realTime, async (lease, led) => {
        const first = await led.step('first', async () => lease.fencingToken)
        await led.wait({ seconds: 1 })
        return (await led.step('second', async () => lease.fencingToken)) - first
      })
    })
    expect(segments).toBe(2)
    expect(execution).toMatchObject({ result: { status: 'completed', result: 1 } })
  })
})
