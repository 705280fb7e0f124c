// @ts-nocheck
import { Duration } from 'aws-cdk-lib'
import { Alarm, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { Construct } from 'constructs'
import { problemsIf, refuse } from './configuration.ts'
import type { ElectedSchedule } from './elected-schedule.ts'
import { failureQueue, schedulerTargets } from './event-delivery.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import type { LeadershipEvents } from './leadership-events.ts'
import { grantOnLeases } from './lease-grants.ts'
import {
  type AlarmDefinition,
  changesAlarm,
  deadLetterAlarm,
  deadTicksAlarm,
  electionAlarms,
  failedTicksAlarm,
  fitsWindow,
  leaderlessAlarm,
  overdueAlarm,
} from './lease-metrics.ts'
import type { LeaseTable } from './lease-table.ts'
import { assertSameRegion, assertSameTable, timeZoneOf } from './lease-table-use.ts'
import * as prop from './prop-rules.ts'
import { envOfStack } from './regions.ts'
import type { StandingElection } from './standing-election.ts'

export interface LeadershipAlarmsProps {
  /** Counts the ticks. */
  readonly events: LeadershipEvents
  /** The schedules to watch, all of the lease table of `events`. @default none */
  readonly schedules?: readonly ElectedSchedule[] | undefined
  /** The standing elections to watch, all of the lease table of `events`. @default none */
  readonly elections?: readonly StandingElection[] | undefined
  /**
   * Run when an alarm goes off and when it returns to OK, such as a notification.
   * @default none: alarms are visible in CloudWatch only
   */
  readonly actions?: readonly IAlarmAction[] | undefined
  /**
   * How many ticks may pass without a completed one: a whole number from 2 to 100. The alarm of a `rate` waits at least
   * five minutes. The ticks of a `cron`, and of a rate of more than a week divided by this, are counted every hour.
   * @default 3
   */
  readonly overdueAfter?: number | undefined
  /**
   * How long a standing election may have no leader: at least 30 s. It is measured every minute.
   * @default Duration.minutes(2)
   */
  readonly leaderlessAfter?: Duration | undefined
  /**
   * The alarm goes off if a standing election has so many leaders in an hour: a whole number from 2 to 1000.
   * @default 12
   */
  readonly leadersPerHour?: number | undefined
  /**
   * The alarm goes off if the clocks of a candidate and of DynamoDB differ by this much. A candidate refuses to lead
   * from half of its `maxClockSkewMs`, which is 500 ms unless the function sets it.
   * @default Duration.millis(250)
   */
  readonly clockSkew?: Duration | undefined
}

const PROPS: prop.Rules = {
  events: prop.required(prop.objectWith('eventBusArn', 'a LeadershipEvents')),
  schedules: prop.schedules,
  elections: prop.elections,
  actions: prop.list,
  overdueAfter: prop.number,
  leaderlessAfter: prop.duration,
  leadersPerHour: prop.number,
  clockSkew: prop.duration,
}

/**
 * CloudWatch alarms for failed, overdue and dead ticks, standing elections without a leader or with too many, dead
 * leaders and wrong clocks. docs/operations.md explains for each alarm what it means and what to do. The alarms for
 * overdue ticks and missing leaders are on from the deployment until the first tick is completed, or the first leader
 * is elected. A function judges dead letters every five minutes; it removes none.
 */
export class LeadershipAlarms extends Construct {
  readonly alarms: readonly Alarm[]

  /** @throws ConfigurationError if a prop is wrong, or the lease tables differ */
  constructor(scope: Construct, id: string, props: LeadershipAlarmsProps) {
    super(scope, id)
    prop.refuseWrong(this, props, PROPS)
    const { events, schedules = [], elections = [], actions = [] } = props
    const { overdueAfter, leaderlessAfter, leadersPerHour, clockSkew } = limitsOf(this, props)
    assertSameRegion(events.leaseTable, this, envOfStack(this))
    assertSameTable(this, [events, ...schedules, ...elections], 'make events and alarms for each table')
    const unannounced = 'Changes of leases could not be announced: events, history and counts of ticks are missing'
    const alarms = [alarmOf(this, deadLetterAlarm('Unannounced', events.failures, unannounced))]
    const leases = new Construct(this, 'Leases')
    const byLease = Map.groupBy(schedules, (schedule) => schedule.lease)
    const addAlarms = (lease: string, definitions: readonly AlarmDefinition[]) => {
      const scopeOfLease = new Construct(leases, constructIdOf(lease))
      alarms.push(...definitions.map((definition) => alarmOf(scopeOfLease, definition)))
    }
    // Schedules of one lease share its alarms.
    for (const [lease, [first]] of byLease) {
      if (first === undefined) continue
      const ofTicks = [overdueAlarm(first, overdueAfter), deadTicksAlarm(first), failedTicksAlarm(first)]
      addAlarms(lease, [...ofTicks, ...electionAlarms(first, clockSkew)])
    }
    const standing = new Map(elections.map((election) => [election.lease, election]))
    for (const [lease, election] of standing) {
      const ofLeaders = [leaderlessAlarm(election, leaderlessAfter), changesAlarm(election, leadersPerHour)]
      addAlarms(lease, [...ofLeaders, ...electionAlarms(election, clockSkew)])
    }
    const watched = [...byLease.keys(), ...standing.keys()]
    if (watched.length > 0) {
      const check = checks(new Construct(this, 'Check'), events.leaseTable, watched)
      if (byLease.size > 0) checkTicks(check, events.leaseTable, byLease, overdueAfter)
      if (standing.size > 0) check.schedule('Leaderless', Duration.minutes(1), { standing: [...standing.keys()] })
    }
    for (const alarm of alarms) {
      alarm.addAlarmAction(...actions)
      alarm.addOkAction(...actions)
    }
    this.alarms = alarms
  }
}

function limitsOf(scope: Construct, props: LeadershipAlarmsProps) {
  const { overdueAfter = 3, leadersPerHour = 12 } = props
  const { leaderlessAfter = Duration.minutes(2), clockSkew = Duration.millis(250) } = props
  const isCount = (value: number, most: number) => Number.isInteger(value) && value >= 2 && value <= most
  const leaderlessMs = leaderlessAfter.toMilliseconds()
  const problems = problemsIf(
    [!isCount(overdueAfter, 100), `\`overdueAfter\` is ${overdueAfter}; it must be a whole number from 2 to 100`],
    [
      !isCount(leadersPerHour, 1000),
      `\`leadersPerHour\` is ${leadersPerHour}; it must be a whole number from 2 to 1000`,
    ],
    [leaderlessMs < 30_000, `\`leaderlessAfter\` is ${leaderlessMs} ms; it must be at least 30 s`],
  )
  refuse(scope, problems)
  return { overdueAfter, leaderlessAfter, leadersPerHour, clockSkew }
}

/** The function that measures these leases, and what schedules it. */
function checks(scope: Construct, leaseTable: LeaseTable, leases: readonly string[]) {
  const description = 'Measures overdue ticks, ticks that no candidate tries any more, and leases without a leader'
  const handler = new HandlerFunction(scope, 'Function', {
    entry: ownHandler('announce/check-handler'),
    description,
    timeout: Duration.minutes(1),
    memorySize: 256,
    environment: { LEASE_TABLE: leaseTable.tableName },
  })
  const allow = (action: string, ...resources: readonly string[]) =>
    handler.addToRolePolicy(new PolicyStatement({ actions: [action], resources: [...resources] }))
  const targetWith = schedulerTargets(scope, handler, failureQueue(scope), Duration.hours(1))
  const schedule = (id: string, rate: Duration, event: object) =>
    new Schedule(scope, id, { description, schedule: ScheduleExpression.rate(rate), target: targetWith(event) })
  grantOnLeases(leaseTable, handler, leases, 'read')
  return { allow, schedule }
}

/**
 * Measures, every five minutes, `ticksDead` of all leases; and every hour `ticksOverdue` of those whose ticks are too
 * far apart, or too uneven, for an alarm of CloudWatch on completed ticks.
 */
function checkTicks(
  { allow, schedule }: ReturnType<typeof checks>,
  leaseTable: LeaseTable,
  byLease: ReadonlyMap<string, readonly ElectedSchedule[]>,
  overdueAfter: number,
): void {
  const queues = [...byLease.values()].flat().map(({ failures }) => failures.queueArn)
  allow('sqs:ReceiveMessage', ...new Set(queues))
  const deadLetters = Array.from(byLease, ([lease, of]) => ({
    lease,
    queues: of.map(({ failures }) => failures.queueUrl),
  }))
  schedule('DeadTicks', Duration.minutes(5), { deadLetters })

  const leases = [...byLease.values()].flatMap(([first]) =>
    first === undefined || fitsWindow(first, overdueAfter)
      ? []
      : [{ lease: first.lease, schedule: first.expression.expressionString, timeZone: timeZoneOf(first.expression) }],
  )
  if (leases.length === 0) return
  // Before the first completed tick, the check counts from the table's creation.
  allow('dynamodb:DescribeTable', leaseTable.tableArn)
  schedule('Overdue', Duration.hours(1), { leases })
}

/**
 * The id must contain no slash and must not be a property of `Object.prototype`, because the CDK looks it up in a plain
 * object. No lease name contains a | or a #.
 */
function constructIdOf(lease: string): string {
  return lease in Object.prototype ? `#${lease}` : lease.replaceAll('/', '|')
}

function alarmOf(scope: Construct, { id, ...definition }: AlarmDefinition): Alarm {
  const advice = `What to do: "${id.replace(/\d+$/, '')}" in docs/operations.md of Tenure.`
  return new Alarm(scope, id, { ...definition, alarmDescription: `${definition.alarmDescription}. ${advice}` })
}
