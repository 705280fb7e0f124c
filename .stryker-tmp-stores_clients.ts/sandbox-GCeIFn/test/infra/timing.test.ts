// @ts-nocheck
import { Duration, Lazy, type Stack, TimeZone } from 'aws-cdk-lib'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import { type Chosen, electedSchedule, HOURLY, refusal } from '../support/cdk-app.ts'

const { days, hours, minutes, seconds, millis } = Duration
const DAILY = { hour: '6', minute: '0' }
const TOKEN = seconds(Lazy.number({ produce: () => 60 }))

const hasNoWarning = ({ stack }: { readonly stack: Stack }) =>
  Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue())
const hasWarning = ({ stack }: { readonly stack: Stack }, pattern: string) =>
  Annotations.fromStack(stack).hasWarning('/Stack/Elected', Match.stringLikeRegexp(pattern))

test.each<[Chosen, string | RegExp]>([
  [{ ...HOURLY, lease: 'two words' }, 'the lease name "two words" is not allowed; use 1 to 128 characters'],
  [{ ...HOURLY, candidates: 0 }, '`candidates` is 0; it must be a whole number from 1 to 10'],
  [{ ...HOURLY, candidates: 11 }, '`candidates` is 11'],
  [{ rate: seconds(59) }, 'the period is 59 s; Scheduler needs at least 60 s'],
  [{ rate: seconds(90) }, '`rate` is 90 s; it must be a whole number of minutes'],
  [{ rate: minutes(1), timeout: seconds(61) }, 'timeout is 61 s, longer than the period of 60 s; a tick must end'],
  [{ ...HOURLY, timeout: minutes(16) }, "the function's timeout is 960 s; Lambda allows at most 900 s"],
  [{ ...HOURLY, leaseDuration: seconds(60) }, '`leaseDuration` is 60 s; it must be less than 60 s'],
  [{ ...HOURLY, leaseDuration: millis(999) }, '`leaseDuration` is 0.999 s; it must be from 1 s to 3600 s'],
  [{ ...HOURLY, leaseDuration: minutes(61), leaseOutlastsRetries: true }, 'is 3660 s; it must be from 1 s to 3600 s'],
  [{ rate: minutes(10), flexibleWindow: minutes(10) }, 'is 10 min; it must be .*, and less than the period of 10 min'],
  [{ ...HOURLY, flexibleWindow: seconds(30) }, '`flexibleWindow` is 0.5 min; it must be whole minutes from 1 to 1440'],
  [{ cron: { ...DAILY, hour: Lazy.string({ produce: () => '6' }) } }, '`cron` must be known during synthesis'],
  [{ cron: { ...DAILY, weekDay: '8' } }, 'has "8" for day-of-week; write a number from 1 to 7'],
  [{ cron: { ...DAILY, timeZone: TimeZone.of('Mars/Olympus') } }, 'has the time zone "Mars/Olympus"'],
  [{ rate: TOKEN }, 'durations must be known during synthesis'],
  [{ cron: { ...DAILY, day: '30', month: '2' } }, '`cron` never ticks: no date matches it'],
  [{ ...HOURLY, lease: '', candidates: 0, leaseDuration: minutes(2) }, '"".*`leaseDuration` is .*`candidates` is'],
])('a schedule is refused: $1', (props, message) => {
  expect(() => electedSchedule(props)).toThrow(refusal(new RegExp(`^Stack/Elected: .*${message}`)))
})

test('a schedule causes a warning if a retry can only come after the next tick', () => {
  const pattern = 'leaves no room for a retry.*tenure:RetryBeyondPeriod'
  hasWarning(electedSchedule({ rate: minutes(1) }), pattern)
  hasWarning(electedSchedule({ rate: minutes(5), timeout: minutes(4) }), pattern)
  hasWarning(
    electedSchedule({ rate: minutes(10), timeout: minutes(4), flexibleWindow: minutes(5) }),
    'flexible window of 300 s',
  )
  hasWarning(electedSchedule({ cron: { minute: '0/5' }, timeout: minutes(4) }), pattern)
  hasNoWarning(electedSchedule({ rate: minutes(5), timeout: minutes(3) }))
})

test.each([
  ['each minute', {}, minutes(1)],
  ['of which two are near each other', { minute: '50', hour: '*/7' }, hours(3)],
  ['daily, but for summer time', { ...DAILY, timeZone: TimeZone.EUROPE_BERLIN }, hours(23)],
  ['daily in UTC', DAILY, days(1)],
  ['weekly', { ...DAILY, weekDay: 'MON' }, days(7)],
  ['monthly', { ...DAILY, day: '1' }, days(28)],
  ['yearly', { ...DAILY, day: '1', month: '1' }, days(365)],
  ['once', { ...DAILY, day: '1', month: '1', year: '2150' }, days(366)],
])('the period of a cron is the shortest time between two ticks: %s', (_, cron, period) => {
  const { schedule } = electedSchedule({ cron })
  expect(schedule.period.toMilliseconds()).toBe(period.toMilliseconds())
})
