import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import {
  ElectedSchedule,
  HandlerFunction,
  LeadershipAlarms,
  LeadershipDashboard,
  LeadershipEvents,
} from '../constructs/index.ts'
import { AlarmTopic } from './alarm-topic.ts'
import { BillingTables, dueIndex } from './billing-tables.ts'
import { RealGateway } from './real-gateway.ts'
import { SandboxGateway } from './sandbox-gateway.ts'

export interface BillingStackProps extends StackProps {
  /** @default 2 */
  readonly candidates?: number | undefined
  /** @default Duration.seconds(15) */
  readonly leaseDuration?: Duration | undefined
  /** Whether the schedules fire. @default true */
  readonly enabled?: boolean | undefined
  /** Where a real gateway answers. @default the sandbox, which moves no money and is part of the stack */
  readonly gatewayUrl?: string | undefined
  /** Who is told when an alarm goes off; has to confirm it once. @default nobody: subscribe to the topic of the outputs */
  readonly alarmEmail?: string | undefined
  /** Tables that are deleted with the stack: `Leases`, `Subscriptions`, `Charges`. @default none: they are kept */
  readonly deleteTables?: readonly string[] | undefined
}

/** Every hour one of two candidates charges the subscriptions that fell due. */
export class BillingStack extends Stack {
  constructor(scope: Construct, id: string, props: BillingStackProps = {}) {
    const { candidates, leaseDuration, enabled, gatewayUrl, alarmEmail, deleteTables = [], ...stackProps } = props
    super(scope, id, { description: 'Tenure: charges subscriptions that fall due, once per hour', ...stackProps })

    // One or the other and never both: whether money is real is decided once, here.
    const gateway =
      gatewayUrl === undefined
        ? new SandboxGateway(this, 'Sandbox')
        : new RealGateway(this, 'Gateway', { url: gatewayUrl })
    const { leases, subscriptions, charges } = new BillingTables(this, deleteTables)

    const chargeSubscriptions = new HandlerFunction(this, 'ChargeSubscriptions', {
      entry: 'functions/billing/handler.ts',
      description: 'Charges subscriptions that fall due, where it is elected to',
      timeout: Duration.minutes(5),
      environment: {
        SUBSCRIPTIONS_TABLE: subscriptions.tableName,
        CHARGES_TABLE: charges.tableName,
        ...gateway.environment,
      },
    })
    const may = (actions: string[], resource: string) =>
      chargeSubscriptions.addToRolePolicy(new PolicyStatement({ actions, resources: [resource] }))
    may(['dynamodb:Query'], `${subscriptions.tableArn}/index/${dueIndex}`)
    may(['dynamodb:UpdateItem'], subscriptions.tableArn)
    may(['dynamodb:UpdateItem'], charges.tableArn)
    chargeSubscriptions.addToRolePolicy(gateway.permission)

    const hourly = new ElectedSchedule(this, 'Hourly', {
      leaseTable: leases,
      lease: 'billing',
      handler: chargeSubscriptions,
      rate: Duration.hours(1),
      candidates,
      leaseDuration,
      enabled,
    })
    const schedules = [hourly]
    const events = new LeadershipEvents(this, 'Events', { leaseTable: leases })
    const topic = new AlarmTopic(this, 'AlarmTopic', alarmEmail)
    const alarms = new LeadershipAlarms(this, 'Alarms', { events, schedules, actions: [new SnsAction(topic)] })
    const { dashboard } = new LeadershipDashboard(this, 'Dashboard', { schedules, alarms })

    new CfnOutput(this, 'LeaseTableName', { value: leases.tableName })
    new CfnOutput(this, 'SubscriptionsTableName', { value: subscriptions.tableName })
    new CfnOutput(this, 'ChargesTableName', { value: charges.tableName })
    new CfnOutput(this, 'FunctionName', { value: chargeSubscriptions.functionName })
    new CfnOutput(this, 'FailureQueueUrl', { value: hourly.failures.queueUrl })
    new CfnOutput(this, 'UnannouncedQueueUrl', { value: events.failures.queueUrl })
    new CfnOutput(this, 'AlarmTopicArn', { value: topic.topicArn })
    new CfnOutput(this, 'DashboardName', { value: dashboard.dashboardName })
  }
}
