// @ts-nocheck
import type { Duration } from 'aws-cdk-lib'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import type { IConstruct } from 'constructs'
import { problemsIf, refuse } from './configuration.ts'
import { HANDLER_OPTIONS, type HandlerFunctionProps } from './handler-function.ts'
import { isFunction } from './lease-grants.ts'
import type { LeaseTable } from './lease-table.ts'
import * as prop from './prop-rules.ts'

interface ElectionProps {
  readonly leaseTable: LeaseTable
  /** 1 to 128 characters out of `A-Z a-z 0-9 . _ - / :`. Schedules of one lease must have the same `rate` or `cron`. */
  readonly lease: string
  /**
   * How many schedules invoke the function at each tick, 1 to 10.
   * @default 2
   */
  readonly candidates?: number | undefined
  /**
   * How long a leader leads without renewing: at least 1 s, and less than the 60 s after which Lambda retries the event
   * of a leader that died.
   * @default Duration.seconds(15)
   */
  readonly leaseDuration?: Duration | undefined
  /**
   * Allows a `leaseDuration` of up to an hour. The lease of a leader that died can then outlast Lambda's two retries,
   * and its tick can be lost.
   * @default false
   */
  readonly leaseOutlastsRetries?: boolean | undefined
  /**
   * Scheduler invokes each candidate at a random time within this window after the tick: 1 to 1440 whole minutes, less
   * than the period. It spreads the load of many schedules.
   * @default none: at the tick
   */
  readonly flexibleWindow?: Duration | undefined
  /**
   * Whether the work of a tick may be longer than an invocation. `lease.handOver` then starts the next one: the
   * function may invoke itself, and Lambda's detection of recursive loops, which stops such a chain after about 16
   * invocations, is off for this function. The option `maxContinuations` bounds the chain instead. A tick that is due
   * meanwhile stands by, and is in `missed` of the next leader.
   * @default false
   */
  readonly continues?: boolean | undefined
  /**
   * Whether the schedules are enabled.
   * @default true
   */
  readonly enabled?: boolean | undefined
}

interface HandlerProps {
  /**
   * The function that runs at every tick, once per candidate; `withLease` or `leaderOnly` in it elects the leader.
   *
   * One function serves one lease: the construct sets its asynchronous retries and its environment variables
   * `LEASE_TABLE`, `LEASE_NAME`, `LEASE_MS`, `LEASE_SCHEDULE` and `LEASE_TIME_ZONE`. Make the function in the
   * schedule's stack, or import it with its role
   * (`Function.fromFunctionAttributes`); an imported function must have these variables already. An alias gets them if
   * it is an alias of `currentVersion`. The function's timeout must not exceed the period.
   */
  readonly handler: IFunction
  readonly entry?: undefined
  readonly entryProps?: undefined
}

interface EntryProps {
  /**
   * The module that exports `handler`, a path from the app's working directory; the construct makes the function. It is
   * bundled as an ES module: `exports.handler` of CommonJS is refused.
   */
  readonly entry: string
  /**
   * Options of that function. Its environment must not set the variables of the lease to other values.
   * @default a timeout of 30 s, 512 MiB
   */
  readonly entryProps?: Omit<HandlerFunctionProps, 'entry'> | undefined
  readonly handler?: undefined
}

interface RateProps {
  /** The time between two ticks: whole minutes, at least one. */
  readonly rate: Duration
  readonly cron?: undefined
}

interface CronProps {
  /**
   * The times of the ticks, in `cron.timeZone`, which is UTC by default: weekly, monthly or yearly ones, too. A local
   * time that clocks skip has no tick, and one that they repeat has one.
   */
  readonly cron: CronOptionsWithTimezone
  readonly rate?: undefined
}

export type ElectedScheduleProps = ElectionProps & (HandlerProps | EntryProps) & (RateProps | CronProps)

const PROPS: prop.Rules = {
  leaseTable: prop.required(prop.leaseTable),
  lease: prop.required(prop.text),
  handler: { expected: 'a function', accepts: isFunction },
  entry: prop.text,
  entryProps: { expected: 'an object', accepts: prop.isObject },
  rate: prop.duration,
  cron: { expected: "an object of its fields, such as `{ minute: '0', hour: '6' }`", accepts: prop.isObject },
  candidates: prop.number,
  leaseDuration: prop.duration,
  leaseOutlastsRetries: prop.boolean,
  flexibleWindow: prop.duration,
  continues: prop.boolean,
  enabled: prop.boolean,
}

const CRON_FIELDS: prop.Rules = {
  ...{ minute: prop.text, hour: prop.text, day: prop.text, month: prop.text, weekDay: prop.text, year: prop.text },
  timeZone: prop.objectWith('timezoneName', "a TimeZone, such as `TimeZone.of('Europe/Berlin')`"),
}

/** Checks what the types forbid, for apps that no compiler checks. @throws ConfigurationError */
export function refuseWrongScheduleProps(scope: IConstruct, props: ElectedScheduleProps): void {
  const { handler, entry, entryProps, rate, cron }: Record<string, unknown> = { ...props }
  const { day, weekDay }: Record<string, unknown> = prop.isObject(cron) ? { ...cron } : {}
  const has = (...values: readonly unknown[]) => values.every((value) => value !== undefined)
  const combinations = problemsIf(
    [has(day, weekDay), '`cron` has both `day` and `weekDay`; Scheduler takes only one of them'],
    [!has(handler) && !has(entry), 'give `handler`, a function, or `entry`, the path of its module'],
    [!has(rate) && !has(cron), 'give `rate`, or `cron`, the times of the ticks'],
    [has(handler, entryProps), '`entryProps` was given with `handler`; set these options on that function'],
    [has(handler, entry), 'both `handler` and `entry` were given; give one of them'],
    [has(rate, cron), 'both `rate` and `cron` were given; give one of them'],
  )
  refuse(scope, [
    ...prop.problemsOf(props, PROPS),
    ...(prop.isObject(entryProps) ? prop.problemsOf(entryProps, HANDLER_OPTIONS, 'entryProps.') : []),
    ...(prop.isObject(cron) ? prop.problemsOf(cron, CRON_FIELDS, 'cron.') : []),
    ...combinations,
  ])
}
