import {
  AlarmStatusWidget,
  CustomWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  type MetricOptions,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { ConfigurationError } from './configuration-error.ts'
import type { ElectedSchedule } from './elected-schedule.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import type { LeadershipAlarms } from './leadership-alarms.ts'
import { leaseMetric } from './lease-metric.ts'
import { anObjectWith, type Kinds, refuseWrongProps, required, schedules, text } from './prop-problems.ts'

export interface LeadershipDashboardProps {
  /** Whose leases it shows: 1 to 50 schedules of one lease table. */
  readonly schedules: readonly ElectedSchedule[]
  /** Whose states it shows. @default none */
  readonly alarms?: LeadershipAlarms | undefined
  /** @default a name that CloudFormation makes up */
  readonly dashboardName?: string | undefined
}

const KINDS: Kinds = {
  schedules: required(schedules),
  alarms: anObjectWith('alarms', 'a LeadershipAlarms'),
  dashboardName: text,
}

/**
 * A CloudWatch dashboard: who leads, since when, until when, and how the last tenures ended, as a time line; then alarms and
 * metrics. It reads and changes nothing. Whoever looks at it needs `lambda:InvokeFunction` on `handler`.
 */
export class LeadershipDashboard extends Construct {
  readonly dashboard: Dashboard
  /** Draws leases and tenures. */
  readonly handler: HandlerFunction

  /** @throws ConfigurationError */
  constructor(scope: Construct, id: string, props: LeadershipDashboardProps) {
    super(scope, id)
    refuseWrongProps(this, props, KINDS)
    const { schedules, alarms, dashboardName } = props
    const [first] = schedules
    const leases = [...new Map(schedules.map((schedule) => [schedule.lease, schedule])).values()]
    if (first === undefined || leases.length > 50) {
      throw new ConfigurationError(this, [`\`schedules\` has ${leases.length} leases; give 1 to 50`])
    }
    const foreign = schedules.find(({ leaseTable }) => !leaseTable.isSameTable(first.leaseTable))
    if (foreign !== undefined) {
      throw new ConfigurationError(this, [
        `${foreign.node.path} has another lease table than ${first.node.path}; make a dashboard for each table`,
      ])
    }

    this.handler = new HandlerFunction(this, 'Widget', {
      entry: ownHandler('widget/handler'),
      description: 'Draws leases and tenures for a dashboard',
      memorySize: 256,
      environment: { LEASE_TABLE: first.leaseTable.tableName },
    })
    for (const { leaseTable, lease } of leases) leaseTable.grantObserve(this.handler, lease)

    const graph = (title: string, ...metrics: readonly (readonly [string, MetricOptions?])[]) =>
      new GraphWidget({ title, width: 8, height: 6, left: metricsOf(leases, metrics) })
    this.dashboard = new Dashboard(this, 'Dashboard', {
      ...(dashboardName === undefined ? {} : { dashboardName }),
      widgets: [
        [
          new CustomWidget({
            title: 'Leases',
            functionArn: this.handler.functionArn,
            width: 24,
            height: 10,
            params: { leases: leases.map(({ lease }) => lease) },
            updateOnRefresh: true,
            updateOnResize: true,
            updateOnTimeRangeChange: true,
          }),
        ],
        ...statesOf(alarms?.alarms ?? []),
        [
          graph('Ticks', ['ticksCompleted'], ['ticksFailed'], ['takeover']),
          graph('How long a tick takes', ['tickDuration', { statistic: 'Maximum' }]),
          graph('Clocks', ['clockSkew', { statistic: 'Maximum' }]),
        ],
        [
          graph('Elected', ['elected']),
          graph('Standing by', ...STANDBY_REASONS.map((reason) => ['standby', { dimensionsMap: { reason } }] as const)),
          graph('Replaced leaders', ['lost'], ['staleWritesRefused']),
        ],
      ],
    })
  }
}

/** One widget shows the states of 100 alarms at most. */
function statesOf(alarms: readonly IAlarm[]): IWidget[][] {
  const widgets = Array.from({ length: Math.ceil(alarms.length / 100) }, (_, index) => {
    const shown = alarms.slice(100 * index, 100 * (index + 1))
    return new AlarmStatusWidget({ title: 'Alarms', width: 24, alarms: shown })
  })
  return widgets.map((widget) => [widget])
}

const STANDBY_REASONS = ['held', 'tickDone', 'superseded', 'paused', 'contended'] as const

function metricsOf(
  leases: readonly ElectedSchedule[],
  metrics: readonly (readonly [string, MetricOptions?])[],
): IMetric[] {
  return leases.flatMap((schedule) =>
    metrics.map(([name, options]) => {
      const what = options?.dimensionsMap?.['reason'] ?? name
      return leaseMetric(schedule, name, { ...options, label: `${schedule.lease}: ${what}` })
    }),
  )
}
