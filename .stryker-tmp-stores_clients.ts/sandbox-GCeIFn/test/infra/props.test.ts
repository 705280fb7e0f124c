// @ts-nocheck
import { TimeZone } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import {
  ElectedSchedule,
  HandlerFunction,
  LeadershipAlarms,
  LeadershipDashboard,
  LeadershipEvents,
  LeaseTable,
} from '../../infra/constructs/index.ts'
import { aFunction, HOURLY, refusal, stackWithTable } from '../support/cdk-app.ts'

/** Node runs TypeScript without checking its types, so the constructs check what the types forbid. */
describe('without a compiler', () => {
  const { stack, leaseTable } = stackWithTable()
  const events = new LeadershipEvents(stack, 'Events', { leaseTable })
  const handler = aFunction(stack, 'Function')
  let count = 0
  const construct = (Made: new (...args: never[]) => unknown, props: unknown) => () =>
    Reflect.construct(Made, [stack, `${Made.name}${++count}`, props])

  const entry = 'a.ts'
  const aDuration = (name: string, value: string) =>
    `\`${name}\` is ${value}; it must be a Duration, such as \`Duration.minutes(5)\``

  test.each<[string, object, string]>([
    ['no function', HOURLY, 'give `handler`, a function, or `entry`, the path of its module'],
    ['no rate', { entry }, 'give `rate`, or `cron`, the times of the ticks'],
    ['no lease', { entry, ...HOURLY, lease: undefined }, '`lease` is missing'],
    ['an unknown prop', { entry, ...HOURLY, candidats: 3 }, 'no prop `candidats`; did you mean `candidates`?'],
    ['an option of the library', { leaseMs: 15_000 }, 'no prop `leaseMs`; did you mean `leaseDuration`?'],
    ['handler and entry', { entry, handler, ...HOURLY }, 'both `handler` and `entry` were given; give one of them'],
    ['handler and entryProps', { entryProps: {}, handler, ...HOURLY }, '`entryProps` was given with `handler`; set'],
    ['rate and cron', { entry, ...HOURLY, cron: {} }, 'both `rate` and `cron` were given; give one of them'],
    ['a period', { entry, cron: {}, period: HOURLY.rate }, 'no prop `period`; did you mean'],
    ['another table', { leaseTable: {} }, '`leaseTable` is an object of type Object; it must be a LeaseTable, such as'],
    ['an unknown entry prop', { entry, entryProps: { runtime: 'x' } }, 'no prop `entryProps.runtime`; did you mean'],
    ['a wrong memory size', { entry, entryProps: { memorySize: '1' } }, '`entryProps.memorySize` is "1"; it must be'],
    [
      'a wrong environment variable',
      { entry, entryProps: { environment: { NODE_OPTIONS: 1 } } },
      '`entryProps.environment` is an object of type Object; it must be an object of texts',
    ],
    ['a wrong cron', { cron: '0 6 * * ? *' }, '`cron` is "0 6 * * ? *"; it must be an object of its fields, such as'],
    ['a wrong time zone', { cron: { timeZone: 'Europe/Berlin' } }, '`cron.timeZone` is "Europe/Berlin"; it must be a'],
    ['an unknown cron field', { cron: { timezone: TimeZone.ETC_UTC } }, 'no prop `cron.timezone`; did you mean'],
    ['day and weekday', { cron: { day: '1', weekDay: 'MON' } }, '`cron` has both `day` and `weekDay`; Scheduler takes'],
  ])('an ElectedSchedule with %s is refused', (_, props, message) => {
    expect(construct(ElectedSchedule, { leaseTable, lease: 'billing', ...props })).toThrow(refusal(message))
  })

  const wrong: Record<string, unknown> = { handler: {}, lease: 5, candidates: '2', rate: 60, entry: () => undefined }
  const OPTIONAL = 'cron leaseDuration leaseOutlastsRetries flexibleWindow continues enabled entryProps'.split(' ')
  test.each([...Object.keys(wrong), ...OPTIONAL])('an ElectedSchedule with a wrong %s is refused', (name) => {
    const props = { leaseTable, lease: 'billing', [name]: wrong[name] ?? null }
    expect(construct(ElectedSchedule, props)).toThrow(refusal(new RegExp(`\`${name}\` is .*; it must be `)))
  })

  test.each([
    [LeadershipEvents, { leaseTable, eventBus: 'x' }, '`eventBus` is "x"; it must be an event bus, such as'],
    [LeadershipEvents, { leaseTable, history: 30 }, '`history` is 30; it must be a Duration of whole days, or false'],
    [LeadershipEvents, { leaseTable: leaseTable.table }, '`leaseTable` is an object of type TableV2'],
    [LeadershipAlarms, { events, schedules: [{}] }, '`schedules` is a list; it must be a list of ElectedSchedules'],
    [LeadershipAlarms, { events, schedules: [], clockSkew: 250 }, aDuration('clockSkew', '250')],
    [LeadershipDashboard, { schedules: {} }, '`schedules` is an object of type Object; it must be a list of Elected'],
    [LeaseTable, { table: 'leases' }, '`table` is "leases"; it must be a table, such as `TableV2.fromTableName('],
    [LeaseTable, { encryptionKey: 'alias/x' }, '`encryptionKey` is "alias/x"; it must be a key, such as'],
    [HandlerFunction, { entry, runtime: 'nodejs22.x' }, 'there is no prop `runtime`; did you mean `entry`?'],
  ])('%o with a wrong prop is refused', (Made, props, message) => {
    expect(construct(Made, props)).toThrow(refusal(message))
  })

  test.each([ElectedSchedule, LeadershipEvents, LeadershipAlarms, LeadershipDashboard, HandlerFunction])(
    '%o without props is refused',
    (Made) => {
      expect(construct(Made, undefined)).toThrow(refusal('the props are missing; they must be an object'))
    },
  )
})
