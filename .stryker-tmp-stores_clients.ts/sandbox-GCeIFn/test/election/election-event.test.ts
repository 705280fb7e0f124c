// @ts-nocheck
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  DynamoDBLeaseStore,
  type ElectionEvent,
  LeaseLostError,
  type LeaseOptions,
  StaleTokenError,
  withLease,
} from '../../functions/election/index.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { answeringClient, errorAnswer } from './answering-client.ts'
import { clock, NEXT_TICK, options, outcomeOf, row, startAnew, store, TICK } from './scripted.ts'

beforeEach(startAnew)

/** The events of a candidate that runs `task`. */
async function eventsOf(changes: Partial<LeaseOptions>, task: Parameters<typeof withLease>[1] = () => undefined) {
  const events: ElectionEvent[] = []
  const outcome = await outcomeOf(withLease(options({ ...changes, onEvent: (event) => void events.push(event) }), task))
  return { events, outcome }
}

const ofAnn = { lease: 'billing', candidate: 'ann' }

describe('a candidate reports', () => {
  it('that it was elected, with its token and its tick, and nothing more if all goes well', async () => {
    const { events } = await eventsOf({})
    expect(events).toStrictEqual([{ kind: 'elected', ...ofAnn, fencingToken: row()?.fencingToken, tick: TICK }])
  })

  it('that it stands by, and why, once however often it asked', async () => {
    const held = Promise.withResolvers<void>()
    const leading = withLease(options({ candidate: 'bob', leaseMs: 60_000 }), () => held.promise)
    await settled()
    const waiting = eventsOf({ waitMs: 20_000 })
    await clock.advance(20_001)
    expect((await waiting).events).toStrictEqual([{ kind: 'standby', ...ofAnn, reason: 'held' }])
    held.resolve()
    await leading
    expect((await eventsOf({})).events).toStrictEqual([{ kind: 'standby', ...ofAnn, reason: 'tickDone' }])
  })

  it('that it lost its lease, once, however often it is checked, and if its end is refused, too', async () => {
    const { events } = await eventsOf({ heartbeat: false, leaseMs: 15_000 }, (lease) => {
      clock.freeze(15_000)
      for (let look = 0; look < 3; look++) expect(() => lease.assertHeld()).toThrow(LeaseLostError)
      store.memory.edit('billing', { attempt: 'of another' })
    })
    expect(events.map(({ kind }) => kind)).toStrictEqual(['elected', 'lost'])
    expect(events[1]).toMatchObject({ ...ofAnn, fencingToken: row()?.fencingToken, error: expect.any(LeaseLostError) })
  })

  it('that it lost a lease which was granted too late to be used', async () => {
    store.afterNext('acquire', () => clock.freeze(15_000))
    const { events, outcome } = await eventsOf({ leaseMs: 15_000 })
    expect(events).toStrictEqual([{ kind: 'lost', ...ofAnn, fencingToken: row()?.fencingToken, error: outcome }])
  })

  it('not that it lost what it gave up itself, by returning or by throwing', async () => {
    const { events } = await eventsOf({}, () => {
      throw new Error('the task failed')
    })
    await clock.advance(60_000)
    expect(events.map(({ kind }) => kind)).toStrictEqual(['elected'])
  })

  it('how far its clock is from that of DynamoDB for certain, and in which direction', async () => {
    const skewed = async (byMs: number) => {
      const { client } = answeringClient({ status: 200, body: {}, dateMs: clock.wallMs() - byMs })
      const table = new DynamoDBLeaseStore({ tableName: 'leases', client, clock })
      return (await eventsOf({ store: table, maxClockSkewMs: 60_000 })).events[0]
    }
    expect(await skewed(5_000)).toStrictEqual({ kind: 'clockRead', ...ofAnn, offsetMs: 4_000 })
    expect(await skewed(-5_000)).toStrictEqual({ kind: 'clockRead', ...ofAnn, offsetMs: -5_000 })
  })

  it('that the fence refused a write, with the error that the task gets', async () => {
    const seen = { 'fencingToken:billing': { N: '9007199254740991' } }
    const refused = errorAnswer('ConditionalCheckFailedException', { Item: seen })
    const { client } = answeringClient({ status: 200, body: {} }, refused, { status: 200, body: {} })
    const { events, outcome } = await eventsOf(
      { store: new DynamoDBLeaseStore({ tableName: 'leases', client, clock }) },
      (lease) => lease.send({ TableName: 'rows', Item: { id: 'row' } }),
    )
    expect(outcome).toBeInstanceOf(StaleTokenError)
    expect(events.map(({ kind }) => kind)).toStrictEqual(['elected', 'staleWriteRefused', 'lost'])
    expect(events[1]).toMatchObject({ ...ofAnn, error: outcome })
  })
})

it('an election ignores a listener that throws, at once or later', async () => {
  const error = new Error('no room for logs')
  const onEvent = vi
    .fn(() => Promise.reject(error))
    .mockImplementationOnce(() => {
      throw error
    })
  for (const tick of [TICK, NEXT_TICK]) {
    expect(await withLease(options({ tick, onEvent }), () => 'done')).toMatchObject({ status: 'completed' })
    await settled()
  }
  expect(onEvent).toHaveBeenCalledTimes(2)
})
