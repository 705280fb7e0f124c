import type { Duration } from 'aws-cdk-lib'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import type { HandlerFunctionProps } from './handler-function.ts'
import type { LeaseTable } from './lease-table.ts'

interface ElectionProps {
  readonly leaseTable: LeaseTable
  /** The lease's name: 1 to 128 letters, digits and `. _ - / :`. Schedules that share it must have the same period. */
  readonly lease: string
  /**
   * How many schedules fire the function at each tick, 1 to 10.
   * @default 2
   */
  readonly candidates?: number | undefined
  /**
   * How long a leader leads without renewing, 1 s to less than 60 s: shorter than the minute after which Lambda retries
   * the event of a leader that died.
   * @default Duration.seconds(15)
   */
  readonly leaseDuration?: Duration | undefined
  /**
   * Allows a `leaseDuration` of up to an hour. Lambda's first retry, and perhaps its second, then find the lease of a
   * leader that died still held, and its tick may be lost.
   * @default false
   */
  readonly leaseOutlastsRetries?: boolean | undefined
  /**
   * Scheduler fires each candidate at a time of its own choice within this after the tick: 1 to 1440 whole minutes, less
   * than the period. Spreads the load of many schedules.
   * @default none: at the tick
   */
  readonly flexibleWindow?: Duration | undefined
  /**
   * Whether the schedules fire.
   * @default true
   */
  readonly enabled?: boolean | undefined
}

interface HandlerProps {
  /**
   * Runs at every tick, once per candidate; `withLease` or `leaderOnly` inside it elects the one that works. The
   * construct sets its asynchronous retries and its `LEASE_TABLE`, `LEASE_NAME` and `LEASE_MS`, so a function serves one
   * lease. It is made in the stack of the schedule, or imported with its role (`Function.fromFunctionAttributes`); an
   * imported one has to have these variables already. An alias gets them with its `currentVersion`. Its time-out may not
   * exceed the period.
   */
  readonly handler: IFunction
  readonly entry?: undefined
  readonly entryProps?: undefined
}

interface EntryProps {
  /** The module that exports such a `handler`; the construct makes the function. A path from where the app runs. */
  readonly entry: string
  /**
   * Of that function. Its environment may not set `LEASE_TABLE`, `LEASE_NAME` or `LEASE_MS` otherwise than the schedule.
   * @default a time-out of 30 s, 512 MiB
   */
  readonly entryProps?: Omit<HandlerFunctionProps, 'entry'> | undefined
  readonly handler?: undefined
}

interface RateProps {
  /** Tick every so often: whole minutes, at least one. */
  readonly rate: Duration
  readonly cron?: undefined
  readonly period?: undefined
}

interface CronProps {
  /** Tick at these times of day, in `cron.timeZone`, which is UTC unless it says otherwise. */
  readonly cron: CronOptionsWithTimezone
  /**
   * The *shortest* time between two ticks, at least 60 s: of two that are less than a period apart the second may count
   * as done. Such as 7 days for a weekly schedule, 28 for a monthly and 365 for a yearly one; in a time zone that has
   * summer time an hour less, as 23 hours for a daily one. Refused if a tick would be lost, in any of the next 28 years.
   */
  readonly period: Duration
  readonly rate?: undefined
}

export type ElectedScheduleProps = ElectionProps & (HandlerProps | EntryProps) & (RateProps | CronProps)
