import { Duration, Lazy, type Stack, TimeZone } from 'aws-cdk-lib'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import { describe, expect, test } from 'vitest'
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
  [{ cron: DAILY, period: seconds(59) }, 'the period is 59 s; Scheduler needs at least 60 s'],
  [{ rate: days(367) }, 'the period is 31708800 s; it can be at most 366 days'],
  [{ rate: seconds(90) }, '`rate` is 90 s; it must be a whole number of minutes'],
  [{ rate: minutes(1), timeout: seconds(61) }, 'timeout is 61 s, longer than the period of 60 s; a tick must end'],
  [{ ...HOURLY, timeout: minutes(16) }, "the function's timeout is 960 s; Lambda allows at most 900 s"],
  [{ ...HOURLY, leaseDuration: seconds(60) }, '`leaseDuration` is 60 s; it must be less than 60 s'],
  [{ ...HOURLY, leaseDuration: millis(999) }, '`leaseDuration` is 0.999 s; it must be from 1 s to 3600 s'],
  [{ ...HOURLY, leaseDuration: minutes(61), leaseOutlastsRetries: true }, 'is 3660 s; it must be from 1 s to 3600 s'],
  [{ rate: minutes(10), flexibleWindow: minutes(10) }, 'is 10 min; it must be .*, and less than the period of 10 min'],
  [{ ...HOURLY, flexibleWindow: seconds(30) }, '`flexibleWindow` is 0.5 min; it must be whole minutes from 1 to 1440'],
  [{ cron: DAILY, period: TOKEN }, 'durations must be known during synthesis'],
  [{ rate: TOKEN }, 'durations must be known during synthesis'],
  [{ cron: { ...DAILY, day: '30', month: '2' }, period: days(1) }, '`cron` never ticks: no date matches it'],
  [{ ...HOURLY, lease: '', candidates: 0, leaseDuration: minutes(2) }, '"".*`leaseDuration` is .*`candidates` is'],
])('a schedule is refused: $1', (props, message) => {
  expect(() => electedSchedule(props)).toThrow(refusal(new RegExp(`^Stack/Elected: .*${message}`)))
})

test('a schedule causes a warning if a retry can only come after the next tick', () => {
  const pattern = 'leaves no room for a retry.*tenure:RetryBeyondPeriod'
  hasWarning(electedSchedule({ rate: minutes(1) }), pattern)
  hasWarning(electedSchedule({ rate: minutes(5), timeout: minutes(4) }), pattern)
  hasNoWarning(electedSchedule({ rate: minutes(5), timeout: minutes(3) }))
})

describe('the period of a cron schedule', () => {
  const inBerlin = (cron: CronOptionsWithTimezone, period: Duration) =>
    electedSchedule({ cron: { minute: '0', ...cron, timeZone: TimeZone.EUROPE_BERLIN }, period })

  test('causes a warning if ticks get closer when summer time begins, and both still count', () => {
    const pattern = 'Europe/Berlin has summer time.*are 23 hours apart.*but 23 hours is safe.*tenure:SummerTime'
    hasWarning(inBerlin({ hour: '6' }, days(1)), pattern)
  })

  test.each([
    ['30 1', { minute: '30', hour: '1' }, days(1), /T00:30:00.000Z and .*T23:30:00.000Z.* 23 hours$/],
    ['0 1,13', { hour: '1,13' }, hours(12), /T00:00:00.000Z and .*T11:00:00.000Z.* 11 hours$/],
    ['0 1,6', { hour: '1,6' }, hours(5), /T00:00:00.000Z and .*T04:00:00.000Z.* 4 hours$/],
  ])('is refused if a tick would be lost when summer time begins: %s', (_, cron, period, message) => {
    expect(() => inBerlin(cron, period)).toThrow(refusal(message))
  })

  test('causes no warning in UTC, if it is an hour shorter, or if no tick is near the change', () => {
    hasNoWarning(electedSchedule({ cron: DAILY, period: days(1) }))
    hasNoWarning(inBerlin({ hour: '6' }, hours(23)))
    hasNoWarning(inBerlin({ hour: '6', weekDay: 'MON-FRI' }, days(1)))
  })

  test.each([
    ['twice daily', { hour: '6,18' }, hours(12)],
    ['weekly', { weekDay: 'MON' }, days(7)],
    ['monthly', { day: '1' }, days(28)],
    ['yearly', { day: '1', month: '1' }, days(365)],
  ])('can be as long as %s ticks are apart, and not longer', (_, fields, period) => {
    const cron = { ...DAILY, ...fields }
    hasNoWarning(electedSchedule({ cron, period }))
    expect(() => electedSchedule({ cron, period: period.plus(hours(1)) })).toThrow(
      refusal(new RegExp(`but \`cron\` ticks ${period.toHumanString()} apart; .* the second counts as done, so give`)),
    )
  })

  test('causes a warning if the cron expression cannot be read', () => {
    const cron = { minute: '0', hour: Lazy.string({ produce: () => '6' }) }
    const pattern = 'could not be read during synthesis: check that no two ticks.*tenure:UnreadCron'
    hasWarning(electedSchedule({ cron, period: days(1) }), pattern)
  })
})
