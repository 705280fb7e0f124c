import { type DurableContext, type DurableLambdaHandler, withDurableExecution } from '@aws/durable-execution-sdk-js'
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing'
import middy from '@middy/core'
import { executionModeDurableContext } from '@middy/core/DurableContext'
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

/** Runs a durable execution to its end. @param before what happens before its invocations, by their order */
async function execute(handler: (ctx: DurableContext) => Promise<unknown>, ...before: readonly (() => unknown)[]) {
  let invocations = 0
  const durable = withDurableExecution((_event: unknown, ctx: DurableContext) => handler(ctx))
  const handlerFunction: DurableLambdaHandler = async (event, context) => {
    await before[invocations++]?.()
    return await durable(event, context)
  }
  const execution = await new LocalDurableTestRunner({ handlerFunction }).run()
  const isDone = execution.getStatus() === 'SUCCEEDED'
  return { invocations, ...(isDone ? { result: execution.getResult() } : { error: execution.getError() }) }
}

const nothing = () => undefined
/** The execution waits for a minute of simulated time, in which this happens. */
const suspended = (meanwhile: () => unknown) => async () => {
  clock.freeze(60_000)
  await meanwhile()
}

/** Writes an invoice in a first step and another one after a wait. */
const invoiceTwice = async (lease: DurableLease, ctx: DurableContext) => {
  const write = (id: string) =>
    ctx.step(id, async () => {
      await lease.send({ TableName: 'Invoices', Item: { id, token: lease.fencingToken } })
      return lease.fencingToken
    })
  const first = await write('first')
  await ctx.wait({ seconds: 60 })
  return [first, await write('second')]
}

describe('durableLeader', () => {
  it('leads one tick through all invocations of its execution, under a new token in each', async () => {
    const firstToken = clock.wallMs() + 1
    const execution = await execute((ctx) => durableLeader(ctx, options(), invoiceTwice), nothing, suspended(nothing))
    const result = [firstToken, firstToken + 1]
    expect(execution).toEqual({
      invocations: 2,
      result: { status: 'completed', fencingToken: firstToken + 1, result },
    })
    expect(await row()).toMatchObject({ completedTick: TICK, completedBy: firstToken + 1, endedBy: 'completed' })
    expect((await store.table('Invoices').items()).map(({ token }) => token)).toEqual(result)
    expect(asked).toEqual(['acquire', 'acquire', 'complete'])
  })
})
