// @ts-nocheck
import {
  AlarmStatusWidget,
  CustomWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IWidget,
  type MetricOptions,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import type { MetricName } from '../../functions/election/measurements.ts'
import { STANDBY_REASONS } from '../../functions/election/rules.ts'
import { ConfigurationError } from './configuration.ts'
import type { ElectedSchedule } from './elected-schedule.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import type { LeadershipAlarms } from './leadership-alarms.ts'
import { leaseMetric } from './lease-metrics.ts'
import { assertSameTable } from './lease-table-use.ts'
import * as prop from './prop-rules.ts'
import type { StandingElection } from './standing-election.ts'

export interface LeadershipDashboardProps {
  /** The schedules whose leases are shown. @default none */
  readonly schedules?: readonly ElectedSchedule[] | undefined
  /** The standing elections whose leases are shown; with `schedules` 1 to 50 leases of one table. @default none */
  readonly elections?: readonly StandingElection[] | undefined
  /** The alarms whose states are shown. @default none */
  readonly alarms?: LeadershipAlarms | undefined
  /** @default a name that CloudFormation generates */
  readonly dashboardName?: string | undefined
}

const PROPS: prop.Rules = {
  schedules: prop.schedules,
  elections: prop.elections,
  alarms: prop.objectWith('alarms', 'a LeadershipAlarms'),
  dashboardName: prop.text,
}

/**
 * A CloudWatch dashboard: a timeline of leaders and of how the last tenures ended, then alarms and metrics. It only
 * reads. To view it, a user needs `lambda:InvokeFunction` on `handler`.
 */
export class LeadershipDashboard extends Construct {
  readonly dashboard: Dashboard
  /** Renders the timeline. */
  readonly handler: HandlerFunction

  /** @throws ConfigurationError if a prop is wrong, or the lease tables differ */
  constructor(scope: Construct, id: string, props: LeadershipDashboardProps) {
    super(scope, id)
    prop.refuseWrong(this, props, PROPS)
    const { schedules = [], elections = [], alarms, dashboardName } = props
    const shown = [...schedules, ...elections]
    const [first] = shown
    const leases = [...new Map(shown.map((each) => [each.lease, each])).values()]
    if (first === undefined || leases.length > 50) {
      throw new ConfigurationError(this, [`\`schedules\` and \`elections\` have ${leases.length} leases; give 1 to 50`])
    }
    assertSameTable(this, shown, 'make a dashboard for each table')

    this.handler = new HandlerFunction(this, 'Widget', {
      entry: ownHandler('widget/handler'),
      description: 'Draws leases and tenures for a dashboard',
      memorySize: 256,
      environment: { LEASE_TABLE: first.leaseTable.tableName },
    })
    for (const { leaseTable, lease } of leases) leaseTable.grantObserve(this.handler, lease)

    const timeline = new CustomWidget({
      title: 'Leases',
      functionArn: this.handler.functionArn,
      width: 24,
      height: 10,
      params: { leases: leases.map(({ lease }) => lease) },
      updateOnRefresh: true,
      updateOnResize: true,
      updateOnTimeRangeChange: true,
    })
    const graph = (title: string, ...metrics: readonly (readonly [MetricName, MetricOptions?])[]) => {
      const left = leases.flatMap((each) =>
        metrics.map(([name, options]) => {
          const label = `${each.lease}: ${options?.dimensionsMap?.['reason'] ?? name}`
          return leaseMetric(each, name, { ...options, label })
        }),
      )
      return new GraphWidget({ title, width: 8, height: 6, left })
    }
    this.dashboard = new Dashboard(this, 'Dashboard', {
      ...(dashboardName === undefined ? {} : { dashboardName }),
      widgets: [
        [timeline],
        ...alarmRows(alarms?.alarms ?? []),
        // A row that is full goes on below.
        [
          ...(schedules.length === 0
            ? []
            : [
                graph('Ticks', ['ticksCompleted'], ['ticksFailed'], ['ticksDead', { statistic: 'Maximum' }]),
                graph('Duration of ticks', ['tickDuration', { statistic: 'Maximum' }]),
              ]),
          graph('Clock skew', ['clockSkew', { statistic: 'Maximum' }]),
          graph('Elections', ['elected'], ['takeover'], ['continuations', { statistic: 'Maximum' }]),
          graph('Standbys', ...STANDBY_REASONS.map((reason) => ['standby', { dimensionsMap: { reason } }] as const)),
          graph('Lost leases', ['lost'], ['staleWritesRefused']),
        ],
      ],
    })
  }
}

/** A widget shows at most 100 alarms. */
function alarmRows(alarms: readonly IAlarm[]): IWidget[][] {
  return Array.from({ length: Math.ceil(alarms.length / 100) }, (_, index) => [
    new AlarmStatusWidget({ title: 'Alarms', width: 24, alarms: alarms.slice(100 * index, 100 * (index + 1)) }),
  ])
}
