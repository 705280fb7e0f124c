import { Duration } from 'aws-cdk-lib'
import { Alarm, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { Construct } from 'constructs'
import { refuseIf } from './configuration.ts'
import type { ElectedSchedule } from './elected-schedule.ts'
import { failureQueue, schedulerTargets } from './event-delivery.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import type { LeadershipEvents } from './leadership-events.ts'
import { grantOnLeases } from './lease-grants.ts'
import {
  type AlarmDefinition,
  deadLetterAlarm,
  deadTicksAlarm,
  electionAlarms,
  fitsWindow,
  overdueAlarm,
} from './lease-metrics.ts'
import type { LeaseTable } from './lease-table.ts'
import { assertSameRegion, assertSameTable, timeZoneOf } from './lease-table-use.ts'
import * as prop from './prop-rules.ts'
import { envOfStack } from './regions.ts'

export interface LeadershipAlarmsProps {
  /** Counts the ticks. */
  readonly events: LeadershipEvents
  /** The schedules to watch, all of the lease table of `events`. */
  readonly schedules: readonly ElectedSchedule[]
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
   * The alarm goes off if the clocks of a candidate and of DynamoDB differ by this much. A candidate refuses to lead
   * from half of its `maxClockSkewMs`, which is 500 ms unless the function sets it.
   * @default Duration.millis(250)
   */
  readonly clockSkew?: Duration | undefined
}

const PROPS: prop.Rules = {
  events: prop.required(prop.objectWith('eventBusArn', 'a LeadershipEvents')),
  schedules: prop.required(prop.schedules),
  actions: prop.list,
  overdueAfter: prop.number,
  clockSkew: prop.duration,
}

/**
 * CloudWatch alarms for failed, overdue and dead ticks, dead leaders and wrong clocks. docs/operations.md explains for
 * each alarm what it means and what to do. The alarm for overdue ticks is on from the deployment until the first tick
 * is completed. A function judges dead letters every five minutes; it removes none.
 */
export class LeadershipAlarms extends Construct {
  readonly alarms: readonly Alarm[]

  /** @throws ConfigurationError if a prop is wrong, or the lease tables of `events` and `schedules` differ */
  constructor(scope: Construct, id: string, props: LeadershipAlarmsProps) {
    super(scope, id)
    prop.refuseWrong(this, props, PROPS)
    const { events, schedules, actions = [], overdueAfter = 3, clockSkew = Duration.millis(250) } = props
    const isCount = Number.isInteger(overdueAfter) && overdueAfter >= 2 && overdueAfter <= 100
    refuseIf(this, !isCount, `\`overdueAfter\` is ${overdueAfter}; it must be a whole number from 2 to 100`)
    assertSameRegion(events.leaseTable, this, envOfStack(this))
    assertSameTable(this, [events, ...schedules], 'make events and alarms for each table')
    const unannounced = 'Changes of leases could not be announced: events, history and counts of ticks are missing'
    const alarms = [alarmOf(this, deadLetterAlarm('Unannounced', events.failures, unannounced))]
    const leases = new Construct(this, 'Leases')
    const byLease = Map.groupBy(schedules, (schedule) => schedule.lease)
    // Schedules of one lease share its alarms.
    for (const [lease, [first]] of byLease) {
      if (first === undefined) continue
      const definitions = [
        overdueAlarm(first, overdueAfter),
        deadTicksAlarm(first),
        ...electionAlarms(first, clockSkew),
      ]
      const scopeOfLease = new Construct(leases, constructIdOf(lease))
      alarms.push(...definitions.map((definition) => alarmOf(scopeOfLease, definition)))
    }
    if (byLease.size > 0) checkTicks(new Construct(this, 'Check'), events.leaseTable, byLease, overdueAfter)
    for (const alarm of alarms) {
      alarm.addAlarmAction(...actions)
      alarm.addOkAction(...actions)
    }
    this.alarms = alarms
  }
}

/**
 * Measures, every five minutes, `ticksDead` of all leases; and every hour `ticksOverdue` of those whose ticks are too
 * far apart, or too uneven, for an alarm of CloudWatch on completed ticks.
 */
function checkTicks(
  scope: Construct,
  leaseTable: LeaseTable,
  byLease: ReadonlyMap<string, readonly ElectedSchedule[]>,
  overdueAfter: number,
): void {
  const description = 'Measures overdue ticks, and ticks that no candidate tries any more'
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
  const every = (id: string, rate: Duration, event: object) =>
    new Schedule(scope, id, { description, schedule: ScheduleExpression.rate(rate), target: targetWith(event) })

  grantOnLeases(leaseTable, handler, [...byLease.keys()], 'read')
  const queues = [...byLease.values()].flat().map(({ failures }) => failures.queueArn)
  allow('sqs:ReceiveMessage', ...new Set(queues))
  const deadLetters = Array.from(byLease, ([lease, of]) => ({
    lease,
    queues: of.map(({ failures }) => failures.queueUrl),
  }))
  every('DeadTicks', Duration.minutes(5), { deadLetters })

  const leases = [...byLease.values()].flatMap(([first]) =>
    first === undefined || fitsWindow(first, overdueAfter)
      ? []
      : [{ lease: first.lease, schedule: first.expression.expressionString, timeZone: timeZoneOf(first.expression) }],
  )
  if (leases.length === 0) return
  // Before the first completed tick, the check counts from the table's creation.
  allow('dynamodb:DescribeTable', leaseTable.tableArn)
  every('Overdue', Duration.hours(1), { leases })
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
