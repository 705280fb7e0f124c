// @ts-nocheck
import { S3Client } from '@aws-sdk/client-s3'
import middy from '@middy/core'
import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import {
  type LeaderHandler,
  type Lease,
  type LeaseOptions,
  leaderOnly,
  type Outcome,
  type ScheduledTickEvent,
  type TickInput,
  withLease,
} from '../../functions/election/index.ts'
import { s3Checkpoints } from '../../functions/election/s3.ts'
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

  it('take the type of the checkpoint from the schema', () => {
    const checkpoint = { version: 1, schema: v.object({ upTo: v.optional(v.number(), 0) }) }
    const own = async (lease: Lease<{ readonly total: number }>) => lease.name
    const led = () =>
      withLease({ ...options, tick: 0, checkpoint }, async (lease) => {
        expectTypeOf(lease.tick).toEqualTypeOf<string>()
        expectTypeOf(lease.checkpoint).toEqualTypeOf<{ upTo: number } | undefined>()
        expectTypeOf(lease.unfinished?.state).toEqualTypeOf<{ upTo: number } | undefined>()
        // : not the schema's state
        await lease.saveCheckpoint({ upto: 1 })
      })
    // : the task has another state than the schema
    const mixed = () => withLease({ ...options, checkpoint }, own)
    expectTypeOf([led, mixed]).toBeArray()
    middy()
      .use(leaderOnly({ ...options, checkpoint }))
      .handler(async (event, { lease }) => {
        expectTypeOf(event.tick).toEqualTypeOf<string>()
        expectTypeOf(lease.checkpoint).toEqualTypeOf<{ upTo: number } | undefined>()
      })
    middy()
      .use(leaderOnly({ ...options, checkpoint, tickOf: (event: { at?: string }) => event.at }))
      .handler(async (_event, { lease }) => {
        expectTypeOf(lease.tick).toEqualTypeOf<string | undefined>()
        expectTypeOf(lease.checkpoint).toEqualTypeOf<{ upTo: number } | undefined>()
      })
  })

  it('take the type of a state in S3 from the schema, and no lease with states of its own', () => {
    const schema = v.object({ upTo: v.number() })
    const pages = s3Checkpoints({ client: new S3Client({}), bucket: 'pages', checkpoint: { version: 1, schema } })
    const load = (lease: Lease) => pages.load(lease)
    expectTypeOf(load).returns.resolves.toEqualTypeOf<{ upTo: number } | undefined>()
    // : its row has states of its own, not pointers
    const save = (lease: Lease<Progress>) => pages.save(lease, { upTo: 1 })
    expectTypeOf(save).toBeFunction()
  })

  it('take the type of the checkpoint', () => {
    const task = async (lease: Lease<Progress>) => {
      expectTypeOf(lease.checkpoint).toEqualTypeOf<Progress | undefined>()
      // : not the state of this task
      await lease.saveCheckpoint({ upto: 1 })
    }
    const typed: LeaseOptions = options
    expectTypeOf([() => withLease(options, task), () => withLease(typed, task)]).toBeArray()
    middy()
      .use(leaderOnly<ScheduledTickEvent, Progress>(options))
      .handler(async (_event, { lease }) => expectTypeOf(lease.checkpoint).toEqualTypeOf<Progress | undefined>())
  })
})
