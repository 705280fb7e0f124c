import middy from '@middy/core'
import { describe, expectTypeOf, it } from 'vitest'
import {
  type LeaderHandler,
  type Lease,
  leaderOnly,
  type Outcome,
  type ScheduledTickEvent,
  type TickInput,
  withLease,
} from '../../functions/election/index.ts'
import { MemoryLeaseStore } from '../../functions/election/testing/index.ts'

interface Progress {
  readonly upTo: number
}
const options = { store: new MemoryLeaseStore(), lease: 'reports' }

/** The compiler checks these; nothing runs. */
describe('the types', () => {
  it('have a tick in a handler behind leaderOnly, and the event of an ElectedSchedule', () => {
    middy()
      .use(leaderOnly(options))
      .handler(async (event, { lease }) => {
        expectTypeOf(lease.tick).toEqualTypeOf<string>()
        expectTypeOf(event.tick).toEqualTypeOf<string>()
      })
  })

  it('have a tick if tickOf always gives one, and may have none if it does not', () => {
    const always = { ...options, tickOf: (event: { readonly at: string }) => event.at }
    middy()
      .use(leaderOnly(always))
      .handler(async (event, { lease }) => {
        expectTypeOf(lease.tick).toEqualTypeOf<string>()
        expectTypeOf(event.at).toEqualTypeOf<string>()
      })
    const maybe = { ...options, tickOf: (event: { readonly at?: string }): TickInput | undefined => event.at }
    middy()
      .use(leaderOnly(maybe))
      .handler(async (_event, { lease }) => expectTypeOf(lease.tick).toEqualTypeOf<string | undefined>())
  })

  it('name the response of a handler behind leaderOnly', () => {
    const handler: LeaderHandler<number> = middy()
      .use(leaderOnly(options))
      .handler(async () => 1)
    expectTypeOf(handler).returns.resolves.toEqualTypeOf<Outcome<number>>()
    expectTypeOf(handler).parameter(0).toEqualTypeOf<ScheduledTickEvent>()
  })

  it('follow the options and the task of withLease', () => {
    const ticked = () =>
      withLease({ ...options, tick: 0 }, async (lease) => {
        expectTypeOf(lease.tick).toEqualTypeOf<string>()
        return 1
      })
    const tickless = () =>
      withLease(options, async (lease) => {
        expectTypeOf(lease.tick).toEqualTypeOf<string | undefined>()
        return 'done'
      })
    expectTypeOf(ticked).returns.resolves.toEqualTypeOf<Outcome<number>>()
    expectTypeOf(tickless).returns.resolves.toEqualTypeOf<Outcome<string>>()
  })

  it('take the type of the checkpoint', () => {
    const task = async (lease: Lease<Progress>) => {
      expectTypeOf(lease.checkpoint).toEqualTypeOf<Progress | undefined>()
      // @ts-expect-error: not the state of this task
      await lease.saveCheckpoint({ upto: 1 })
    }
    expectTypeOf(() => withLease(options, task)).toBeFunction()
    middy()
      .use(leaderOnly<ScheduledTickEvent, Progress>(options))
      .handler(async (_event, { lease }) => expectTypeOf(lease.checkpoint).toEqualTypeOf<Progress | undefined>())
  })
})
