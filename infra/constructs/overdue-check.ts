import { Duration } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { Construct } from 'constructs'
import type { ElectedSchedule } from './elected-schedule.ts'
import { failureQueue } from './failure-queue.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import type { LeaseTable } from './lease-table.ts'
import { schedulerRole } from './scheduler-role.ts'

/** Looks at leases every hour, and measures how many periods have passed since their last completed ticks: for periods longer than CloudWatch remembers. */
export class OverdueCheck extends Construct {
  /** @param schedules one for each lease, all of one table */
  constructor(scope: Construct, id: string, leaseTable: LeaseTable, schedules: readonly ElectedSchedule[]) {
    super(scope, id)
    const handler = new HandlerFunction(this, 'Function', {
      entry: ownHandler('announce/overdue-handler'),
      description: 'Measures how many periods have passed since the last completed tick of each lease',
      memorySize: 256,
      environment: { LEASE_TABLE: leaseTable.tableName },
    })
    for (const { lease } of schedules) leaseTable.grantObserve(handler, lease)
    // Where no tick was ever completed, it counts from the table's creation.
    handler.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:DescribeTable'], resources: [leaseTable.tableArn] }),
    )
    const failures = failureQueue(this)
    const leases = schedules.map(({ lease, period }) => ({ lease, periodMs: period.toMilliseconds() }))
    new Schedule(this, 'Hourly', {
      description: 'How many periods have passed since the last completed tick of each lease',
      schedule: ScheduleExpression.rate(Duration.hours(1)),
      target: new LambdaInvoke(handler, {
        role: schedulerRole(this, handler, failures),
        retryAttempts: 2,
        maxEventAge: Duration.hours(1),
        deadLetterQueue: failures,
        input: ScheduleTargetInput.fromObject({ leases }),
      }),
    })
  }
}
