import { inspect } from 'node:util'
import middy from '@middy/core'
import * as v from 'valibot'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  CheckpointError,
  type CheckpointOptions,
  InvalidOptionError,
  type LeaderHandler,
  type LeaderOnlyOptions,
  type Lease,
  leaderOnly,
  type StandardSchema,
  withLease,
} from '../../functions/election/index.ts'
import { lambdaContext } from '../../functions/election/testing/lambda-context.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { asked, clock, lambda, NEXT_TICK, options, outcomeOf, row, startAnew, store, TICK } from './scripted.ts'

beforeEach(startAnew)

/** Version 2 of a state; version 1 was a number. */
const Progress = v.object({ upTo: v.number(), failed: v.optional(v.array(v.string()), []) })
type Progress = v.InferOutput<typeof Progress>
const progress: CheckpointOptions<Progress> = { version: 2, schema: Progress }
const migrate = (upTo: unknown) => ({ upTo })

const schemaOf = (validate: StandardSchema<Progress>['~standard']['validate']): StandardSchema<Progress> => ({
  '~standard': { version: 1, vendor: 'test', validate },
})

/** Leads once and dies, with this checkpoint on the row. */
async function leave(checkpoint: { tick?: string; version?: number; state: unknown }, tick = TICK): Promise<void> {
  await outcomeOf(withLease(options({ tick }), () => Promise.reject(new Error('died'))))
  store.memory.edit('billing', { checkpoint })
}

/** What the next leader of a tick is offered. */
async function offered(checkpoint: CheckpointOptions<Progress>, tick = TICK) {
  const task = vi.fn(async (lease: Lease<Progress>) => {
    const seen = { checkpoint: lease.checkpoint, unfinished: lease.unfinished }
    throw Object.assign(new Error('seen'), { seen })
  })
  const error = await outcomeOf(withLease({ ...options({ candidate: 'bob', tick }), checkpoint }, task))
  return { error, ran: task.mock.calls.length > 0 }
}

const rejecting = (error: Error) => () => Promise.reject(error)
const MIGRATES = { ...progress, migrate }
const cause = new Error('mine')

describe('a saved checkpoint', () => {
  it.each<[string, object, CheckpointOptions<Progress>, Progress | undefined]>([
    ['of the same version is the schema’s output', { version: 2, state: { upTo: 3 } }, MIGRATES, progressOf(3)],
    ['of an older version is migrated, and then checked', { version: 1, state: 3 }, MIGRATES, progressOf(3)],
    [
      'without a version is migrated',
      { state: 3 },
      { ...progress, migrate: async (n) => ({ upTo: n }) },
      progressOf(3),
    ],
    ['is discarded if migrate returns nothing', { state: 3 }, { ...progress, migrate: () => undefined }, undefined],
    [
      'is read by a schema that takes its time',
      { version: 2, state: 3 },
      { ...progress, schema: schemaOf(async (n) => ({ value: progressOf(Number(n)) })) },
      progressOf(3),
    ],
  ])('%s', async (_, saved, checkpoint, expected) => {
    await leave({ tick: TICK, state: undefined, ...saved })
    expect(await offered(checkpoint)).toMatchObject({
      error: { seen: { checkpoint: expected, unfinished: undefined } },
    })
    await leave({ tick: TICK, state: undefined, ...saved })
    const unfinished = expected === undefined ? undefined : { tick: TICK, state: expected }
    expect(await offered(checkpoint, NEXT_TICK)).toMatchObject({
      error: { seen: { checkpoint: undefined, unfinished } },
    })
  })

  it('tells migrate from which version it comes', async () => {
    const migrates = vi.fn(migrate)
    for (const version of [{ version: 1 }, {}]) {
      await leave({ tick: TICK, ...version, state: 3 })
      await offered({ ...progress, migrate: migrates })
    }
    expect(migrates.mock.calls).toEqual([
      [3, 1],
      [3, undefined],
    ])
  })

  it.each<[string, object, CheckpointOptions<Progress>, string, object?]>([
    [
      'of a newer version',
      { version: 3, state: 'secret' },
      MIGRATES,
      'with version 3, but this task reads version 2. Deploy',
    ],
    [
      'of an older version without migrate',
      { version: 1, state: 'secret' },
      progress,
      'with version 1, but this task reads',
    ],
    [
      'without a version and migrate',
      { state: 'secret' },
      progress,
      'saved without a version, but this task reads version 2. Give',
    ],
    [
      'that the schema refuses',
      { version: 2, state: { upTo: 'secret', failed: [1] } },
      MIGRATES,
      'does not fit the schema at checkpoint.state.upTo, checkpoint.state.failed[0]: ' +
        "see the error's issues. To give it up",
      { issues: [{ path: 'checkpoint.state.upTo' }, { path: 'checkpoint.state.failed[0]' }] },
    ],
    [
      'that is none at all',
      { version: 2, state: 'secret' },
      MIGRATES,
      'does not fit the schema at checkpoint.state: see',
    ],
    [
      'that is refused after its migration',
      { version: 1, state: 'secret' },
      MIGRATES,
      'but what migrate returned does not fit the schema at checkpoint.state.upTo:',
    ],
    [
      'whose schema throws',
      { version: 2, state: 'secret' },
      {
        ...progress,
        schema: schemaOf(() => {
          throw cause
        }),
      },
      'the schema threw an error',
      { cause },
    ],
    [
      'whose schema rejects',
      { version: 2, state: 'secret' },
      { ...progress, schema: schemaOf(rejecting(cause)) },
      'the schema threw an error',
      { cause },
    ],
    [
      'whose migration fails',
      { state: 'secret' },
      { ...progress, migrate: rejecting(cause) },
      'migrate threw an error',
      { cause },
    ],
  ])(
    '%s is refused before the task starts, without its content, and stays',
    async (_, saved, checkpoint, text, more = {}) => {
      const left = { tick: TICK, state: undefined, ...saved }
      await leave(left)
      const { error, ran } = await offered(checkpoint)
      expect(error).toBeInstanceOf(CheckpointError)
      const savedVersion = 'version' in saved ? saved.version : undefined
      expect(error).toMatchObject({ message: expect.stringContaining(text), lease: 'billing', savedVersion, ...more })
      expect(inspect(error, { getters: false })).not.toContain('secret')
      expect(ran).toBe(false)
      expect(row()).toMatchObject({ checkpoint: left, endedBy: 'failed', errorName: 'CheckpointError' })
      expect(row()).not.toHaveProperty('holder')
    },
  )

  it.each([
    ['of a later tick', { tick: NEXT_TICK }],
    ['of a completed tick', { tick: '2026-11-21T03:00:00.000Z' }],
    ['without a tick, on a row with ticks', {}],
  ])('%s is not read', async (_, tick) => {
    await leave({ ...tick, version: 9, state: 1 })
    store.memory.edit('billing', { completedTick: '2026-11-21T04:00:00.000Z' })
    expect(await offered(progress)).toMatchObject({ ran: true, error: { seen: { checkpoint: undefined } } })
  })

  it('of a lease without ticks is read, and one of an earlier tick is given to its tick in the loop', async () => {
    const { tick: _tick, ...tickless } = options()
    await outcomeOf(withLease(tickless, () => Promise.reject(new Error('died'))))
    store.memory.edit('billing', { checkpoint: { state: 3 } })
    await withLease({ ...tickless, checkpoint: MIGRATES }, (lease) => expect(lease.checkpoint).toEqual(progressOf(3)))

    startAnew() // a lease has ticks or none
    await leave({ tick: TICK, state: 3 })
    const hourly = { ...options({ tick: NEXT_TICK, schedule: 'rate(1 hour)' }), checkpoint: MIGRATES }
    await withLease(hourly, async (lease) => {
      const seen = []
      for await (const tick of lease.ticks()) seen.push([tick, lease.checkpoint])
      expect(seen).toEqual([
        [TICK, progressOf(3)],
        [NEXT_TICK, undefined],
      ])
    })
  })

  it('is given unchecked to a task without a schema', async () => {
    await leave({ tick: TICK, version: 9, state: 1 })
    await withLease(options(), (lease) => expect(lease.checkpoint).toBe(1))
  })

  it('is refused behind leaderOnly, too: the lease is released, and the handler does not run', async () => {
    await leave({ tick: TICK, version: 3, state: 1 })
    const { tick: _tick, ...others } = options()
    const handler = vi.fn()
    const led: LeaderHandler = middy()
      .use(leaderOnly({ ...others, checkpoint: progress }))
      .handler(handler)
    const error = await outcomeOf(led({ tick: TICK }, { ...lambdaContext(), ...lambda(60_000) }))
    expect(error).toBeInstanceOf(CheckpointError)
    expect(handler).not.toHaveBeenCalled()
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'CheckpointError', checkpoint: { version: 3 } })
  })

  it('whose migration outlasts the lease starts no task', async () => {
    await leave({ tick: TICK, state: 3 })
    const slow = async () => clock.freeze(60_000)
    expect(await offered({ ...progress, migrate: async () => slow().then(() => progressOf(3)) })).toMatchObject({
      error: { name: 'LeaseLostError' },
      ran: false,
    })
  })
})

describe('a state to be saved', () => {
  it('is saved as given, with the version, and seen as the schema’s output', async () => {
    const schema = schemaOf((state) => ({ value: Object.assign(Object(state), { failed: [] }) }))
    await withLease({ ...options(), checkpoint: { version: 2, schema } }, async (lease: Lease<{ upTo: number }>) => {
      await lease.saveCheckpoint({ upTo: 3 })
      expect(row()?.checkpoint).toStrictEqual({ tick: TICK, version: 2, state: { upTo: 3 } })
      expect(lease.checkpoint).toStrictEqual(progressOf(3))
    })
  })

  it.each([
    [10, 'checkpoint.state["a-b"]["Symbol(s)"][9]: see'],
    [12, 'checkpoint.state["a-b"]["Symbol(s)"][9] and 2 other places: see'],
  ])('is not sent if the schema refuses it at %d places, and the task goes on leading', async (length, text) => {
    const path = [{ key: 'a-b' }, Symbol('s')]
    const issues = Array.from({ length }, (_, index) => ({ message: 'no', path: [...path, index] }))
    const refuses = { ...progress, schema: schemaOf(() => ({ issues: [...issues, ...issues] })) }
    await withLease({ ...options(), checkpoint: refuses }, async (lease) => {
      const error = await outcomeOf(lease.saveCheckpoint(progressOf(1)))
      expect(error).toBeInstanceOf(CheckpointError)
      const message = expect.stringContaining(text)
      expect(error).toMatchObject({ message, savedVersion: undefined, lease: 'billing' })
      lease.assertHeld()
    })
    expect(asked('saveCheckpoint')).toBe(0)
  })

  it('whose check is under way when the task returns is saved before the lease ends', async () => {
    const schema = schemaOf(async (state) => settled().then(() => ({ value: v.parse(Progress, state) })))
    await withLease({ ...options(), checkpoint: { version: 1, schema } }, (lease) => {
      void lease.saveCheckpoint(progressOf(1))
    })
    expect(store.asked).toEqual(['acquire', 'saveCheckpoint', 'complete'])
  })

  it('is never overtaken by an older one whose check takes longer', async () => {
    const first = Promise.withResolvers<void>()
    const schema = schemaOf((state) => {
      const value = v.parse(Progress, state)
      return value.upTo === 1 ? first.promise.then(() => ({ value })) : { value }
    })
    await withLease({ ...options(), checkpoint: { version: 1, schema } }, async (lease) => {
      const saves = [1, 2].map((upTo) => lease.saveCheckpoint(progressOf(upTo)))
      await settled()
      first.resolve()
      await Promise.all(saves)
      expect(row()?.checkpoint?.state).toEqual(progressOf(2))
    })
  })
})

it.each<[string, object]>([
  ['a version below 1', { ...progress, version: 0 }],
  ['a version that is not whole', { ...progress, version: 1.5 }],
  ['no schema', { version: 1 }],
  ['a schema that cannot validate', { version: 1, schema: { '~standard': { version: 1 } } }],
  ['a schema of no standard', { version: 1, schema: { parse: () => 1 } }],
  ['a schema of a later standard', { version: 1, schema: { '~standard': { ...Progress['~standard'], version: 2 } } }],
  ['a migrate that is no function', { ...progress, migrate: 1 }],
  ['what is no part of it', { ...progress, migrates: migrate }],
  ['a schema alone', Progress],
])('the option checkpoint with %s is refused when the function loads', (_, checkpoint) => {
  const { tick: _tick, ...rest } = options()
  const others: LeaderOnlyOptions = Object.assign(rest, { checkpoint })
  expect(() => leaderOnly(others)).toThrow(InvalidOptionError)
  expect(() => leaderOnly(others)).toThrow(/option checkpoint must be \{ version, schema, migrate \}: .*, a function/)
})

it('a schema may be a function, as those of some libraries', async () => {
  const schema = Object.assign(() => true, Progress)
  await withLease({ ...options(), checkpoint: { version: 1, schema } }, (lease) => lease.saveCheckpoint(progressOf(1)))
  expect(asked('saveCheckpoint')).toBe(1)
})

function progressOf(upTo: number): Progress {
  return { upTo, failed: [] }
}
