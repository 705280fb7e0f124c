// @ts-nocheck
import { hostname } from 'node:os'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { setTestDefaults, withDefaults } from '../../functions/election/defaults.ts'
import {
  DynamoDBLeaseStore,
  InvalidOptionError,
  LeaseError,
  leaderOnly,
  systemClock,
  withLease,
} from '../../functions/election/index.ts'
import { assertOptions, type CompleteOptions, settingsOf } from '../../functions/election/options.ts'
import { type Similarity, similar } from '../../functions/election/similar.ts'
import { ManualClock } from '../../functions/election/testing/manual-clock.ts'
import { RulesStore } from '../../functions/election/testing/rules-store.ts'

const store = new RulesStore()
const clock = new ManualClock('2026-11-21T06:00:00.000Z')
const context = { awsRequestId: 'event-1', functionName: 'charge', getRemainingTimeInMillis: () => 60_000.5 }

/** A context as runners other than Lambda give it. */
const left = (ms: unknown) => ({ awsRequestId: 'event-1', getRemainingTimeInMillis: () => ms })

/** A class whose name breaks a line. */
const NAMED = { 'a\nforged': class {} }

/** Options as JavaScript could give them. */
const wrong = (changes: Record<string, unknown>): CompleteOptions => Object.assign({ store, lease: 'billing' }, changes)

describe('options', () => {
  it('get their defaults, outside Lambda and in it', () => {
    const given = { store, lease: 'billing', clock }
    const common = { heartbeat: true, waitMs: 0, maxClockSkewMs: 1_000, maxContinuations: 100, lookEveryMs: 5_000 }
    const outside = {
      candidate: `${hostname()}/${process.pid}`,
      eventId: undefined,
      leaseMs: 30_000,
      overlap: 'skip',
      drainMs: 30_000,
    }
    expect(settingsOf(given)).toMatchObject({ ...common, ...outside })
    const inLambda = {
      candidate: 'charge/event-1',
      eventId: 'event-1',
      leaseMs: 15_000,
      overlap: 'retry',
      answerMs: 1_000,
      drainMs: 15_000,
    }
    expect(settingsOf({ ...given, context })).toMatchObject({ ...common, ...inLambda })
    expect(settingsOf({ ...given, leaseMs: 6_000 })).toMatchObject({ lookEveryMs: 2_000 })
  })

  it.each([
    [{ store: 'table' }, /must be a DynamoDBLeaseStore, a MemoryLeaseStore or another LeaseStore, but is "table"/],
    [{ store: {} }, /but is an object of type Object/],
    [{ lease: '' }, /1 to 128 characters/],
    [{ lease: 'x'.repeat(129) }, /1 to 128 characters/],
    [{ lease: 'a b' }, /1 to 128 characters/],
    [{ lease: 7 }, /lease must be a name of 1 to 128 characters out of A-Z a-z 0-9 . _ - \/ :, but is 7\./],
    [{ store: { acquire() {}, write() {} } }, /store must be a DynamoDBLeaseStore/],
    [{ store: Object.create(null) }, /but is an object/],
    [{ store: { constructor: { name: 'a secret\nforged' } } }, /but is an object\.$/],
    [{ store: new (class LeaseTable {})() }, /but is an object of type LeaseTable\.$/],
    [{ store: new NAMED['a\nforged']() }, /but is an object\.$/],
    [{ lease: 'a\u202eb' }, /but is "a\\u\{202e\}b"\.$/],
    [{ signal: Symbol('a\nb') }, /but is a symbol\.$/],
    [{ signal: () => 'a secret' }, /but is a function\.$/],
    [{ candidate: '' }, /candidate must be a well-formed text/],
    [{ candidate: ['ann'] }, /candidate must be a well-formed text/],
    [{ candidate: 'x'.repeat(257) }, /of 1 to 256 characters, but is "x{60}"\.$/],
    [{ candidate: 'ann\ud800' }, /candidate must be a well-formed text/],
    [{ context: { ...context, awsRequestId: '' } }, /context must be Lambda's context/],
    [{ context: { ...context, awsRequestId: 'x'.repeat(257) } }, /awsRequestId \(a well-formed text of 1 to 256/],
    [{ context: { ...context, awsRequestId: '\udc00' } }, /context must be Lambda's context/],
    [{ heartbeat: 10n ** 99n }, /but is 10{59}\.$/],
    [{ tick: true }, /tick must be an ISO-8601 text/],
    [{ leaseMs: 99 }, /leaseMs must be a whole number of milliseconds from 100 to 3600000, but is 99/],
    [{ leaseMs: 1_000.5 }, /leaseMs/],
    [{ heartbeat: 'yes' }, /heartbeat must be true or false, but is "yes"/],
    [{ maxClockSkewMs: '1s' }, /maxClockSkewMs/],
    [{ context: {} }, /context must be Lambda's context/],
    [{ context: { getRemainingTimeInMillis: (): number => 5_000 } }, /context must be Lambda's context/],
    [{ context: left('30000') }, /getRemainingTimeInMillis.* must be a number of milliseconds, but is "30000"\./],
    [{ context: left(null) }, /but is null\./],
    [{ context: left(Number.NaN) }, /but is NaN\./],
    [{ context: left(0) }, /context says that 0 ms of the invocation remain\. It is over/],
    [{ context: left(-100_000) }, /says that -100000 ms of the invocation remain/],
    [{ exactPeriod: true }, /no option "exactPeriod". Did you mean "schedule"/],
    [{ schedule: 'daily' }, /The schedule "daily" is neither a rate nor a cron/],
    [{ schedule: 5 }, /schedule must be an expression like rate\(1 hour\) or cron\(0 6/],
    [{ timeZone: 1 }, /timeZone must be an IANA name like Europe\/Berlin, but is 1/],
    [{ continueBy: 'next' }, /continueBy must be a function of a continuation, such as selfInvoke\(\)/],
    [{ continuation: '' }, /continuation must be the leaseContinuation of the event, a text of 1 to 256/],
    [{ overlap: true }, /overlap must be 'retry' or 'skip', but is true/],
    [{ clock: { ...systemClock, wallMs: () => Number.NaN } }, /clock gives no time: wallMs\(\) must be/],
    [{ clock: { ...systemClock, monotonicMs: () => Number.NaN } }, /clock gives no time: monotonicMs\(\) must be/],
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

  it('names a value that cannot be read, and passes on no error of its own', () => {
    const get = () => {
      throw new Error('a secret')
    }
    expect(() => assertOptions({ store: new Proxy({}, { get }) })).toThrow('but is an unreadable object.')
  })

  it.each([[null], ['billing'], [() => 'a task']])('are refused if they are %s', async (given: unknown) => {
    const called = Reflect.apply(withLease, undefined, [given, () => 'never'])
    await expect(called).rejects.toThrow(/^The options must be an object, but are /)
  })

  it('need a task beside them, and no lease is acquired without one', async () => {
    const store = new RulesStore()
    const called = Reflect.apply(withLease, undefined, [{ store, lease: 'billing' }])
    await expect(called).rejects.toThrow(InvalidOptionError)
    expect(store.read('billing')).toBeUndefined()
  })

  it.each([
    ['periodMs', 1, 366 * 86_400_000],
    ['leaseMs', 100, 3_600_000],
    ['killGraceMs', 0, 60_000],
    ['waitMs', 0, 900_000],
    ['maxClockSkewMs', 0, 60_000],
    ['drainMs', 100, 600_000],
    ['maxContinuations', 1, 10_000],
  ])('like %s may be from %i to %i, and no more nor less', (name, from, to) => {
    for (const ms of [from, to]) expect(() => settingsOf(wrong({ [name]: ms }))).not.toThrow()
    for (const ms of [from - 1, to + 1])
      expect(() => settingsOf(wrong({ [name]: ms }))).toThrow(` from ${from} to ${to},`)
  })

  it('may be as long as they may, and a tick be a number', () => {
    const longest = { store, lease: 'x'.repeat(128), candidate: 'x'.repeat(256), tick: clock.wallMs(), clock }
    expect(settingsOf(longest)).toMatchObject({ tick: '2026-11-21T06:00:00.000Z' })
  })

  it('without a heartbeat make the lease as long as the invocation', () => {
    expect(settingsOf({ store, lease: 'billing', clock, context, heartbeat: false })).toMatchObject({ leaseMs: 61_000 })
    expect(settingsOf({ store, lease: 'billing', clock, heartbeat: false })).toMatchObject({ leaseMs: 30_000 })
  })

  it.each([
    ['a long name by its end, which differs', 'f'.repeat(140), 'r'.repeat(250), `fffff/${'r'.repeat(250)}`],
    ['a function without a name by its request', undefined, 'event-1', 'lambda/event-1'],
  ])('name a candidate of %s', (_, functionName, awsRequestId, candidate) => {
    expect(settingsOf(wrong({ context: { ...context, functionName, awsRequestId } }))).toMatchObject({ candidate })
  })

  it.each([
    [900_000_000, 3_600_000],
    [Number.MAX_SAFE_INTEGER, 3_600_000],
    [Number.POSITIVE_INFINITY, 3_600_000],
    [30_000.75, 31_000],
    [5, 1_005],
  ])('hold the lease of an invocation with %d ms left to the limits of one that is given', (ms, leaseMs) => {
    const given = { store, lease: 'billing', clock, heartbeat: false }
    expect(settingsOf(wrong({ ...given, context: left(ms) }))).toMatchObject({ leaseMs })
    expect(settingsOf(wrong({ ...given, context: left(5), killGraceMs: 0 }))).toMatchObject({ leaseMs: 100 })
  })

  it('know what remains of the invocation by whichever clock says less', () => {
    let endMs = clock.wallMs() + 8_000
    const invocation = { awsRequestId: 'event-1', getRemainingTimeInMillis: () => endMs - clock.wallMs() }
    const { remainingMs, answerMs } = settingsOf({ store, lease: 'billing', clock, context: invocation })
    expect([remainingMs(), answerMs]).toEqual([8_000, 1_000])
    clock.freeze(1_000)
    clock.setWall(-60_000)
    expect(remainingMs()).toBe(7_000)
    clock.setWall(60_000)
    endMs -= 3_000
    expect(remainingMs()).toBe(4_000)
    const short = { ...invocation, getRemainingTimeInMillis: () => 1_000 }
    expect(settingsOf({ store, lease: 'billing', clock, context: short }).answerMs).toBe(250)
  })

  const throws = () => {
    throw new Error('gone')
  }
  it.each<[string, () => unknown]>([
    ['throws an error', throws],
    ['is a bigint', () => 30_000n],
    ['is a text', () => '30000'],
    ['is undefined', () => undefined],
    ['is NaN', () => Number.NaN],
  ])('take what remained first and what has passed since if a later reading %s, and refuse a first one', (_, later) => {
    let read: () => unknown = () => 8_000
    const invocation = { awsRequestId: 'event-1', getRemainingTimeInMillis: () => read() }
    const given = wrong({ clock, context: invocation })
    const { remainingMs } = settingsOf(given)
    read = later
    clock.freeze(1_000)
    expect(remainingMs()).toBe(7_000)
    clock.freeze(10_000)
    expect(remainingMs()).toBe(0)
    expect(() => settingsOf(given)).toThrow(InvalidOptionError)
    expect(() => settingsOf(given)).toThrow(/getRemainingTimeInMillis\(\) of the option context must be a number/)
  })

  it('are refused with the error of a context that throws', () => {
    const given = wrong({ clock, context: { ...context, getRemainingTimeInMillis: throws } })
    const message = expect.stringContaining('but throws an error.')
    expect(() => settingsOf(given)).toThrow(expect.objectContaining({ message, cause: new Error('gone') }))
  })

  it('know that nothing remains if neither the context nor the clock gives a number', () => {
    let isBroken = false
    const broken = { ...systemClock, monotonicMs: () => (isBroken ? Number.NaN : 5) }
    const invocation = { awsRequestId: 'event-1', getRemainingTimeInMillis: () => (isBroken ? Number.NaN : 8_000) }
    const { remainingMs } = settingsOf({ store, lease: 'billing', clock: broken, context: invocation })
    expect(remainingMs()).toBe(8_000)
    isBroken = true
    expect(remainingMs()).toBe(0)
  })

  it('of the DynamoDB store need a table name', () => {
    expect(() => new DynamoDBLeaseStore({ tableName: undefined })).toThrow(InvalidOptionError)
    expect(() => new DynamoDBLeaseStore({ tableName: '' })).toThrow(/tableName.*environment variable/)
  })
})

describe('the environment of an ElectedSchedule’s function', () => {
  const CRON = { LEASE_SCHEDULE: 'cron(0 6 * * ? *)', LEASE_TIME_ZONE: 'Europe/Berlin' }
  const ELECTED = { LEASE_TABLE: 'leases', LEASE_NAME: 'billing', LEASE_MS: '20000', AWS_REGION: 'eu-central-1' }
  const given = (variables: Record<string, string>) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  }
  afterEach(() => void vi.unstubAllEnvs())

  it('makes all options optional; one store serves all leases of a table, and the schedule is that of its own', () => {
    given({ ...ELECTED, ...CRON })
    const { store, ...options } = withDefaults({})
    const cron = { schedule: CRON.LEASE_SCHEDULE, timeZone: CRON.LEASE_TIME_ZONE }
    expect(store).toBeInstanceOf(DynamoDBLeaseStore)
    expect(options).toStrictEqual({ lease: 'billing', leaseMs: 20_000, ...cron })
    expect(withDefaults({ lease: 'reports' })).toStrictEqual({ store, lease: 'reports', leaseMs: 20_000 })
    expect(withDefaults({}).store).toBe(store)
    given({ LEASE_TABLE: 'others', LEASE_MS: '' })
    expect(withDefaults({}).store).not.toBe(store)
    expect(withDefaults({})).not.toHaveProperty('leaseMs')
    expect(() => leaderOnly()).not.toThrow()
  })

  it('yields to the options', () => {
    given({ ...ELECTED, ...CRON, LEASE_MS: 'never' })
    const own = { schedule: 'rate(1 day)', timeZone: 'UTC' }
    const options = { store, lease: 'billing', leaseMs: 5_000, heartbeat: false, ...own }
    expect(withDefaults(options)).toStrictEqual(options)
  })

  it('is not needed in a test that gives defaults', () => {
    expect(() => setTestDefaults(Object({ table: 'leases' }))).toThrow(InvalidOptionError)
    setTestDefaults({ store, lease: 'reports' })
    expect(withDefaults({})).toStrictEqual({ store, lease: 'reports' })
    setTestDefaults()
    expect(() => withDefaults({})).toThrow('The lease is not configured')
  })

  it.each<[Record<string, string>, RegExp]>([
    [{ LEASE_TABLE: '' }, /give the option store or the environment variable LEASE_TABLE\. An ElectedSchedule sets/],
    [{ LEASE_NAME: ' ' }, /configured: give the option lease or the environment variable LEASE_NAME\. An/],
    [{ LEASE_TABLE: '', LEASE_NAME: '' }, /option store or .*LEASE_TABLE; give the option lease or .*LEASE_NAME\./],
    [{ LEASE_NAME: 'a b' }, /LEASE_NAME is "a b", not a name of 1 to 128 characters/],
    [{ LEASE_MS: '15s' }, /LEASE_MS is "15s", not a whole number of milliseconds from 100 to 3600000/],
    [{ LEASE_MS: '99' }, /LEASE_MS is "99"/],
    [{ LEASE_SCHEDULE: 'hourly' }, /The schedule "hourly" is neither a rate nor a cron/],
    [{ LEASE_MS: '3600001' }, /LEASE_MS is "3600001"/],
  ])('with %j is refused when the function loads, in one error', async (variables, message) => {
    given({ ...ELECTED, ...variables })
    expect(() => leaderOnly()).toThrow(InvalidOptionError)
    expect(() => leaderOnly()).toThrow(message)
    await expect(withLease({}, () => 'never')).rejects.toThrow(message)
  })
})

it.each([
  ['leaseDuration', 'leaseMs'],
  ['interval', 'periodMs'],
  ['tableName', 'store'],
  ['heartbeet', 'heartbeat'],
  ['region', 'store'],
  ['retryCount', 'waitMs'],
  ['cron', 'schedule'],
  ['tz', 'timeZone'],
  ['clockSkew', 'maxClockSkewMs'],
  ['leaseName', 'lease'],
  ['owner', 'candidate'],
  ['schema', 'checkpoint'],
])('the unknown option %s is taken for %s, by meaning or by spelling', (wrong, right) => {
  expect(() => leaderOnly({ [wrong]: 1 })).toThrow(`Did you mean "${right}"?`)
})

it.each<[string, string[], Similarity, string | undefined]>([
  ['leaseMz', ['lease', 'leaseMs'], { furthest: 1 }, 'leaseMs'],
  ['leaseMz', ['lease', 'leaseMs'], { furthest: 0 }, undefined],
  ['LEASE-m s', ['leaseMs'], { furthest: 0 }, 'leaseMs'],
  ['ttl', ['tick'], { synonyms: { ttl: 'leaseMs' } }, 'tick'],
  ['ttl', [], {}, undefined],
])('%s is most similar, among %j with %j, to %s', (name, known, options, expected) => {
  expect(similar(name, known, options)).toBe(expected)
})

it('options that are no object are refused, by leaderOnly and by the store', () => {
  const none = JSON.parse('null')
  const message = (of: string) => new RegExp(`^The options of ${of} (must be an object, but )?are null`)
  expect(() => leaderOnly(none)).toThrow(message('leaderOnly'))
  expect(() => new DynamoDBLeaseStore(none)).toThrow(message('DynamoDBLeaseStore'))
})
