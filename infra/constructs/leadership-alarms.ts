import { Duration } from 'aws-cdk-lib'
import { Alarm, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { ConfigurationError } from './configuration-error.ts'
import type { ElectedSchedule } from './elected-schedule.ts'
import type { LeadershipEvents } from './leadership-events.ts'
import { type AlarmDefinition, canLookBack, deadLetters, ofElection, overdue } from './lease-alarms.ts'
import { OverdueCheck } from './overdue-check.ts'
import { placeOfStack } from './place.ts'
import {
  anObjectWith,
  duration,
  type Kinds,
  list,
  number,
  refuseWrongProps,
  required,
  schedules,
} from './prop-problems.ts'

export interface LeadershipAlarmsProps {
  /** Where ticks are counted. */
  readonly events: LeadershipEvents
  /** What to watch: schedules of the same lease table as `events`. */
  readonly schedules: readonly ElectedSchedule[]
  /** Taken when an alarm goes off, and when it is over: mostly, a notification. @default none: alarms show in CloudWatch */
  readonly actions?: readonly IAlarmAction[] | undefined
  /**
   * How many periods may pass without a completed tick before somebody is told: whole, 2 to 100, and never less than five
   * minutes altogether. Of a `cron` schedule with pauses (weekdays only), count the longest pause in `period`s.
   * @default 3
   */
  readonly overdueAfter?: number | undefined
  /**
   * How far a candidate's clock may be off before somebody is told: candidates refuse to lead from half of their
   * `maxClockSkewMs` on, which is 500 ms unless the function sets it.
   * @default Duration.millis(250)
   */
  readonly clockSkew?: Duration | undefined
}

const KINDS: Kinds = {
  events: required(anObjectWith('eventBusArn', 'a LeadershipEvents')),
  schedules: required(schedules),
  actions: list,
  overdueAfter: number,
  clockSkew: duration,
}

/**
 * Says that something is wrong before customers notice. docs/operations.md has, for each alarm, what it means and what to
 * do. The dead man's alarm is on from the deployment until the first tick is completed.
 */
export class LeadershipAlarms extends Construct {
  readonly alarms: readonly Alarm[]

  /** @throws ConfigurationError */
  constructor(scope: Construct, id: string, props: LeadershipAlarmsProps) {
    super(scope, id)
    refuseWrongProps(this, props, KINDS)
    const { events, schedules, actions = [], overdueAfter = 3, clockSkew = Duration.millis(250) } = props
    if (!Number.isInteger(overdueAfter) || overdueAfter < 2 || overdueAfter > 100) {
      throw new ConfigurationError(this, [
        `\`overdueAfter\` is ${overdueAfter}; it must be a whole number from 2 to 100`,
      ])
    }
    events.leaseTable.assertSamePlace(this, placeOfStack(this))
    for (const { leaseTable, node } of schedules) {
      if (leaseTable.isSameTable(events.leaseTable)) continue
      throw new ConfigurationError(this, [
        `${node.path} has another lease table than ${events.node.path}; make events and alarms for each table`,
      ])
    }
    const unannounced = 'Changes of leases could not be announced: events, history and counts of ticks are missing'
    const alarms = [alarmOf(this, deadLetters('Unannounced', events.failures, unannounced))]
    const leases = new Construct(this, 'Leases')
    // Schedules that share a lease share its alarms.
    for (const [lease, sharing] of Map.groupBy(schedules, (schedule) => schedule.lease)) {
      const ofLease = new Construct(leases, constructIdOf(lease))
      const definitions = [
        ...sharing
          .slice(0, 1)
          .flatMap((schedule) => [overdue(schedule, overdueAfter), ...ofElection(schedule, clockSkew)]),
        ...sharing.map(({ failures }, index) =>
          deadLetters(
            `DeadLetters${index + 1}`,
            failures,
            `Ticks of the lease "${lease}" were given up, or delivered again while their leader was at work`,
          ),
        ),
      ]
      alarms.push(...definitions.map((definition) => alarmOf(ofLease, definition)))
    }
    const oneOfEach = new Map(schedules.map((schedule) => [schedule.lease, schedule])).values()
    const beyond = [...oneOfEach].filter(({ period }) => !canLookBack(period, overdueAfter))
    if (beyond.length > 0) new OverdueCheck(this, 'OverdueCheck', events.leaseTable, beyond)
    for (const alarm of alarms) {
      alarm.addAlarmAction(...actions)
      alarm.addOkAction(...actions)
    }
    this.alarms = alarms
  }
}

/** A construct's id has no slash, and is looked up in a plain object; no lease has a | or a # in its name. */
function constructIdOf(lease: string): string {
  return lease in Object.prototype ? `#${lease}` : lease.replaceAll('/', '|')
}

function alarmOf(scope: Construct, { id, ...definition }: AlarmDefinition): Alarm {
  const alarmDescription = `${definition.alarmDescription}. What to do: "${id.replace(/\d+$/, '')}" in docs/operations.md of Tenure.`
  return new Alarm(scope, id, { ...definition, alarmDescription })
}
