import { beforeEach, describe, expect, it } from 'vitest'
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
import { clock, options, outcomeOf, row, startAnew, store, TICK } from './scripted.ts'

beforeEach(startAnew)

/** What a candidate tells while it runs `task`; the task sees what was told so far. */
async function told(changes: Partial<LeaseOptions>, task: Parameters<typeof withLease>[1] = () => undefined) {
  const events: ElectionEvent[] = []
  const outcome = await outcomeOf(withLease(options({ ...changes, onEvent: (event) => void events.push(event) }), task))
  return { events, outcome }
}

const ofAnn = { lease: 'billing', candidate: 'ann' }

describe('a candidate tells', () => {
  it('that it was elected, with its token and its tick, and nothing more where all went well', async () => {
    const { events } = await told({})
    expect(events).toStrictEqual([{ kind: 'elected', ...ofAnn, fencingToken: row()?.fencingToken, tick: TICK }])
  })

  it('that it stands by, and why, once however often it asked', async () => {
    const held = Promise.withResolvers<void>()
    const leading = withLease(options({ candidate: 'bob', leaseMs: 60_000 }), () => held.promise)
    await settled()
    const waiting = told({ waitMs: 20_000 })
    await clock.advance(20_001)
    expect((await waiting).events).toStrictEqual([{ kind: 'standby', ...ofAnn, reason: 'held' }])
    held.resolve()
    await leading
    expect((await told({})).events).toStrictEqual([{ kind: 'standby', ...ofAnn, reason: 'tickDone' }])
  })

  it('that it lost its lease, once, whoever looks at it how often', async () => {
    const { events } = await told({ heartbeat: false, leaseMs: 15_000 }, (lease) => {
      clock.freeze(15_000)
      for (let look = 0; look < 3; look++) expect(() => lease.assertHeld()).toThrow(LeaseLostError)
    })
    expect(events.map(({ kind }) => kind)).toStrictEqual(['elected', 'lost'])
    expect(events[1]).toMatchObject({ ...ofAnn, fencingToken: row()?.fencingToken, error: expect.any(LeaseLostError) })
  })

  it('that it lost a lease which was granted too late to be used', async () => {
    store.afterNext('acquire', () => clock.freeze(15_000))
    const { events, outcome } = await told({ leaseMs: 15_000 })
    expect(events).toStrictEqual([{ kind: 'lost', ...ofAnn, fencingToken: row()?.fencingToken, error: outcome }])
  })

  it('not that it lost what it gave up itself, by returning or by throwing', async () => {
    const { events } = await told({}, () => {
      throw new Error('the task failed')
    })
    await clock.advance(60_000)
    expect(events.map(({ kind }) => kind)).toStrictEqual(['elected'])
  })

  it('how far its clock is from that of DynamoDB for certain, and in which direction', async () => {
    const dates = (offsetS: number) => new Date(clock.wallMs() + offsetS * 1000).toUTCString()
    const ahead = answeringClient({ status: 200, body: {}, date: dates(-5) })
    const skewed = (client: typeof ahead.client) =>
      told({ store: new DynamoDBLeaseStore({ tableName: 'leases', client, clock }), maxClockSkewMs: 60_000 })
    expect((await skewed(ahead.client)).events[0]).toStrictEqual({ kind: 'clockRead', ...ofAnn, offsetMs: 4_000 })
    const behind = answeringClient({ status: 200, body: {}, date: dates(5) })
    expect((await skewed(behind.client)).events[0]).toStrictEqual({ kind: 'clockRead', ...ofAnn, offsetMs: -5_000 })
  })

  it('that the fence refused a write, with the error that the task gets', async () => {
    const seen = { 'fencingToken:billing': { N: '9007199254740991' } }
    const refused = errorAnswer('ConditionalCheckFailedException', { Item: seen })
    const { client } = answeringClient({ status: 200, body: {} }, refused, { status: 200, body: {} })
    const { events, outcome } = await told(
      { store: new DynamoDBLeaseStore({ tableName: 'leases', client, clock }) },
      (lease) => lease.send({ TableName: 'rows', Item: { id: 'row' } }),
    )
    expect(outcome).toBeInstanceOf(StaleTokenError)
    expect(events.map(({ kind }) => kind)).toStrictEqual(['elected', 'staleWriteRefused', 'lost'])
    expect(events[1]).toMatchObject({ ...ofAnn, error: outcome })
  })
})

it.each<[string, LeaseOptions['onEvent']]>([
  [
    'at once',
    () => {
      throw new Error('no room for logs')
    },
  ],
  ['later', () => Promise.reject(new Error('no room for logs'))],
])('an election goes on undisturbed where whoever is told throws %s', async (_, onEvent) => {
  const outcome = await withLease({ ...options(), ...(onEvent === undefined ? {} : { onEvent }) }, () => 'done')
  await settled()
  expect(outcome).toMatchObject({ status: 'completed', result: 'done' })
})
