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
import { type AlarmDefinition, deadLetterAlarm, electionAlarms, fitsWindow, overdueAlarm } from './lease-metrics.ts'
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
 * CloudWatch alarms for failed and overdue ticks, dead leaders, wrong clocks and dead letters. docs/operations.md
 * explains for each alarm what it means and what to do. The alarm for overdue ticks is on from the deployment until the
 * first tick is completed.
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
    const toCheck: ElectedSchedule[] = []
    // Schedules of one lease share its alarms, except those of their queues.
    for (const [lease, [first, ...others]] of Map.groupBy(schedules, (schedule) => schedule.lease)) {
      if (first === undefined) continue
      if (!fitsWindow(first, overdueAfter)) toCheck.push(first)
      const deadLetters =
        `Ticks of the lease "${lease}" could not be retried any more, ` +
        'or were retried while their leader was working'
      const definitions = [
        overdueAlarm(first, overdueAfter),
        ...electionAlarms(first, clockSkew),
        ...[first, ...others].map(({ failures }, index) =>
          deadLetterAlarm(`DeadLetters${index + 1}`, failures, deadLetters),
        ),
      ]
      const scopeOfLease = new Construct(leases, constructIdOf(lease))
      alarms.push(...definitions.map((definition) => alarmOf(scopeOfLease, definition)))
    }
    if (toCheck.length > 0) checkOverdue(new Construct(this, 'OverdueCheck'), events.leaseTable, toCheck)
    for (const alarm of alarms) {
      alarm.addAlarmAction(...actions)
      alarm.addOkAction(...actions)
    }
    this.alarms = alarms
  }
}

/**
 * Reads leases every hour and measures `ticksOverdue`, for ticks that are too far apart, or too uneven, for an alarm
 * of CloudWatch on completed ticks.
 * @param schedules one per lease, all of this table
 */
function checkOverdue(scope: Construct, leaseTable: LeaseTable, schedules: readonly ElectedSchedule[]): void {
  const description = 'Counts the ticks of each lease since the last completed one'
  const handler = new HandlerFunction(scope, 'Function', {
    entry: ownHandler('announce/overdue-handler'),
    description,
    memorySize: 256,
    environment: { LEASE_TABLE: leaseTable.tableName },
  })
  for (const { lease } of schedules) leaseTable.grantObserve(handler, lease)
  // Before the first completed tick, the check counts from the table's creation.
  const resources = [leaseTable.tableArn]
  handler.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:DescribeTable'], resources }))
  const targetWith = schedulerTargets(scope, handler, failureQueue(scope), Duration.hours(1))
  const leases = schedules.map(({ lease, expression }) => ({
    ...{ lease, schedule: expression.expressionString, timeZone: timeZoneOf(expression) },
  }))
  new Schedule(scope, 'Hourly', {
    description,
    schedule: ScheduleExpression.rate(Duration.hours(1)),
    target: targetWith({ leases }),
  })
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
