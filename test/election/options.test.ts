import { hostname } from 'node:os'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  DynamoDBLeaseStore,
  InvalidOptionError,
  LeaseError,
  type LeaseOptions,
  MemoryLeaseStore,
} from '../../functions/election/index.ts'
import { settingsOf } from '../../functions/election/options.ts'
import { ManualClock } from '../support/manual-clock.ts'

const store = new MemoryLeaseStore()
const clock = new ManualClock('2026-11-21T06:00:00.000Z')
const context = { awsRequestId: 'event-1', functionName: 'charge', getRemainingTimeInMillis: () => 60_000.5 }

/** Options as JavaScript could give them. */
const wrong = (changes: Record<string, unknown>): LeaseOptions => Object.assign({ store, lease: 'billing' }, changes)

describe('options', () => {
  it('get their defaults outside Lambda', () => {
    expect(settingsOf({ store, lease: 'billing', clock })).toMatchObject({
      candidate: `${hostname()}/${process.pid}`,
      eventId: undefined,
      leaseMs: 30_000,
      heartbeat: true,
      latestExpiryMs: Number.POSITIVE_INFINITY,
      waitMs: 0,
      maxClockSkewMs: 1_000,
    })
  })

  it('get their defaults in Lambda', () => {
    expect(settingsOf({ store, lease: 'billing', clock, context })).toMatchObject({
      candidate: 'charge/event-1',
      eventId: 'event-1',
      leaseMs: 15_000,
      latestExpiryMs: clock.wallMs() + 61_000,
    })
  })

  it.each([
    [{ lease: undefined }, /The option lease is missing/],
    [{ store: undefined }, /The option store is missing/],
    [
      { store: 'table' },
      /store must be a DynamoDBLeaseStore, a MemoryLeaseStore or another LeaseStore, but is "table"/,
    ],
    [{ store: {} }, /but is an object of type Object/],
    [{ lease: '' }, /1 to 128 characters/],
    [{ lease: 'x'.repeat(129) }, /1 to 128 characters/],
    [{ lease: 'a b' }, /1 to 128 characters/],
    [{ lease: 7 }, /lease must be a lease name, but is 7/],
    [{ store: null }, /but is null/],
    [{ store: { acquire() {}, write() {} } }, /store must be a DynamoDBLeaseStore/],
    [{ store: Object.create(null) }, /but is an object/],
    [{ store: { constructor: { name: 'L'.repeat(100) } } }, /but is an object of type L{60}\.$/],
    [{ candidate: '' }, /candidate must be a well-formed text/],
    [{ candidate: ['ann'] }, /candidate must be a well-formed text/],
    [{ candidate: 'x'.repeat(257) }, /of 1 to 256 characters, but is "x{60}"\.$/],
    [{ candidate: 'ann\ud800' }, /candidate must be a well-formed text/],
    [{ context: { ...context, awsRequestId: '' } }, /context must be Lambda's context/],
    [
      { context: { ...context, awsRequestId: 'x'.repeat(257) } },
      /awsRequestId \(a well-formed text of 1 to 256 characters\)/,
    ],
    [{ context: { ...context, awsRequestId: '\udc00' } }, /context must be Lambda's context/],
    [{ heartbeat: 10n ** 99n }, /but is 10{59}\.$/],
    [{ tick: true }, /tick must be an ISO-8601 text/],
    [{ periodMs: 0 }, /periodMs must be a whole number/],
    [{ leaseMs: 99 }, /leaseMs must be a whole number of milliseconds from 100 to 3600000, but is 99/],
    [{ leaseMs: 1_000.5 }, /leaseMs/],
    [{ leaseMs: Number.NaN }, /leaseMs/],
    [{ heartbeat: 'yes' }, /heartbeat must be true or false, but is "yes"/],
    [{ killGraceMs: -1 }, /killGraceMs/],
    [{ waitMs: Number.POSITIVE_INFINITY }, /waitMs/],
    [{ maxClockSkewMs: '1s' }, /maxClockSkewMs/],
    [{ context: {} }, /context must be Lambda's context/],
    [{ context: { getRemainingTimeInMillis: (): number => 5_000 } }, /context must be Lambda's context/],
    [{ context: { awsRequestId: 'r-1', getRemainingTimeInMillis: (): string => 'soon' } }, /says that NaN ms remain/],
    [{ signal: {} }, /signal must be an AbortSignal/],
    [{ onEvent: 'log' }, /onEvent must be a function of an event/],
    [{ clock: { wallMs: 5 } }, /clock must be a Clock/],
    [{ leaseMS: 5 }, /There is no option "leaseMS". Did you mean "leaseMs"/],
    [{ heartBeat: true }, /Did you mean "heartbeat"/],
    [{ ttl: 15 }, /There is no option "ttl".* Options: store, lease, .*, signal, onEvent, clock\.$/],
    [{ ['leaseMs'.padEnd(500, '!')]: 15 }, /There is no option "leaseMs!{53}"\. Did you mean "[a-zA-Z]+"/],
  ])('%o are refused, by name and with what is allowed', (changes, message) => {
    expect(() => settingsOf(wrong(changes))).toThrow(InvalidOptionError)
    expect(() => settingsOf(wrong(changes))).toThrow(LeaseError)
    expect(() => settingsOf(wrong(changes))).toThrow(message)
  })

  it('take the length of the lease from the environment of an ElectedSchedule’s function, in Lambda alone', () => {
    vi.stubEnv('LEASE_MS', '20000')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(settingsOf({ store, lease: 'billing', clock, context })).toMatchObject({ leaseMs: 20_000 })
    expect(settingsOf({ store, lease: 'billing', clock, context, leaseMs: 5_000 })).toMatchObject({ leaseMs: 5_000 })
    expect(settingsOf({ store, lease: 'billing', clock })).toMatchObject({ leaseMs: 30_000 })
    vi.stubEnv('LEASE_MS', '')
    expect(settingsOf({ store, lease: 'billing', clock, context })).toMatchObject({ leaseMs: 15_000 })
    vi.stubEnv('LEASE_MS', '15s')
    expect(() => settingsOf({ store, lease: 'billing', clock, context })).toThrow(
      'The environment variable LEASE_MS must be a whole number of milliseconds from 100 to 3600000, but is "15s".',
    )
  })

  it.each([
    ['periodMs', 1, 366 * 86_400_000],
    ['leaseMs', 100, 3_600_000],
    ['killGraceMs', 0, 60_000],
    ['waitMs', 0, 900_000],
    ['maxClockSkewMs', 0, 60_000],
  ])('like %s may be from %i to %i ms, and no more nor less', (name, from, to) => {
    for (const ms of [from, to]) expect(() => settingsOf(wrong({ [name]: ms }))).not.toThrow()
    for (const ms of [from - 1, to + 1])
      expect(() => settingsOf(wrong({ [name]: ms }))).toThrow(`from ${from} to ${to},`)
  })

  it('may be as long as they may, and a tick be a number', () => {
    const longest = { store, lease: 'x'.repeat(128), candidate: 'x'.repeat(256), tick: clock.wallMs(), clock }
    expect(settingsOf(longest)).toMatchObject({ tick: '2026-11-21T06:00:00.000Z' })
  })

  it('without a heartbeat make the lease as long as the invocation', () => {
    expect(settingsOf({ store, lease: 'billing', clock, context, heartbeat: false })).toMatchObject({ leaseMs: 61_000 })
    expect(settingsOf({ store, lease: 'billing', clock, heartbeat: false })).toMatchObject({ leaseMs: 30_000 })
  })

  it('name a candidate in no more characters than a row has room for: those by which its requests differ', () => {
    const longest = { ...context, functionName: 'f'.repeat(140), awsRequestId: 'r'.repeat(250) }
    expect(settingsOf({ store, lease: 'billing', clock, context: longest })).toMatchObject({
      candidate: `fffff/${'r'.repeat(250)}`,
    })
  })

  it('name a candidate by its request alone where Lambda does not name the function', () => {
    const { functionName: _name, ...unnamed } = context
    expect(settingsOf({ store, lease: 'billing', clock, context: unnamed })).toMatchObject({
      candidate: 'lambda/event-1',
    })
  })

  it('of the DynamoDB store need a table name', () => {
    expect(() => new DynamoDBLeaseStore({ tableName: undefined })).toThrow(InvalidOptionError)
    expect(() => new DynamoDBLeaseStore({ tableName: '' })).toThrow(/tableName.*environment variable/)
  })
})
