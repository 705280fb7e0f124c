import { Duration } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Schedule, ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { Construct } from 'constructs'
import type { ElectedSchedule } from './elected-schedule.ts'
import { failureQueue } from './failure-queue.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import type { LeaseTable } from './lease-table.ts'
import { schedulerTargets } from './scheduler-target.ts'

const DESCRIPTION = 'Measures how many periods have passed since the last completed tick of each lease'

/** Reads leases every hour and measures `ticksOverdue`, for periods that are too long for a CloudWatch alarm. */
export class OverdueCheck extends Construct {
  /** @param schedules one per lease, all of this table */
  constructor(scope: Construct, id: string, leaseTable: LeaseTable, schedules: readonly ElectedSchedule[]) {
    super(scope, id)
    const handler = new HandlerFunction(this, 'Function', {
      entry: ownHandler('announce/overdue-handler'),
      description: DESCRIPTION,
      memorySize: 256,
      environment: { LEASE_TABLE: leaseTable.tableName },
    })
    for (const { lease } of schedules) leaseTable.grantObserve(handler, lease)
    // Before the first completed tick, the check counts from the table's creation.
    const resources = [leaseTable.tableArn]
    handler.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:DescribeTable'], resources }))
    const targetWith = schedulerTargets(this, handler, failureQueue(this), Duration.hours(1))
    const leases = schedules.map(({ lease, period }) => ({ lease, periodMs: period.toMilliseconds() }))
    new Schedule(this, 'Hourly', {
      description: DESCRIPTION,
      schedule: ScheduleExpression.rate(Duration.hours(1)),
      target: targetWith({ leases }),
    })
  }
}
