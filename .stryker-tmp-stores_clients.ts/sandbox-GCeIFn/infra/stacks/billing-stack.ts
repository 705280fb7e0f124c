// @ts-nocheck
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import {
  ElectedSchedule,
  HandlerFunction,
  LeadershipAlarms,
  LeadershipDashboard,
  LeadershipEvents,
} from '../constructs/index.ts'
import { BillingTables, DUE_INDEX } from './billing-tables.ts'
import { RealGateway, SandboxGateway } from './gateways.ts'

export interface BillingStackProps extends StackProps {
  /** @default 2 */
  readonly candidates?: number | undefined
  /** @default Duration.seconds(15) */
  readonly leaseDuration?: Duration | undefined
  /** Whether the schedules are enabled. @default true */
  readonly enabled?: boolean | undefined
  /** The URL of a real payment gateway. @default the sandbox in this stack, which moves no money */
  readonly gatewayUrl?: string | undefined
  /** Alarms notify this address; its owner must confirm once. @default none: subscribe to the topic of the outputs */
  readonly alarmEmail?: string | undefined
  /** Tables to delete with the stack: `Leases`, `Subscriptions`, `Charges`. @default none: they are kept */
  readonly deleteTables?: readonly string[] | undefined
}

/** Charges due subscriptions every hour, by one of two candidates. */
export class BillingStack extends Stack {
  constructor(scope: Construct, id: string, props: BillingStackProps = {}) {
    const { candidates, leaseDuration, enabled, gatewayUrl, alarmEmail, deleteTables = [], ...stackProps } = props
    super(scope, id, { description: 'Tenure: charges due subscriptions every hour', ...stackProps })

    // The only place that decides whether charges move money.
    const gateway =
      gatewayUrl === undefined
        ? new SandboxGateway(this, 'Sandbox')
        : new RealGateway(this, 'Gateway', { url: gatewayUrl })
    const { leases, subscriptions, charges } = new BillingTables(this, deleteTables)

    const chargeSubscriptions = new HandlerFunction(this, 'ChargeSubscriptions', {
      entry: 'functions/billing/handler.ts',
      description: 'Charges due subscriptions if elected',
      timeout: Duration.minutes(5),
      environment: {
        SUBSCRIPTIONS_TABLE: subscriptions.tableName,
        CHARGES_TABLE: charges.tableName,
        ...gateway.environment,
      },
    })
    const allow = (action: string, resource: string) =>
      chargeSubscriptions.addToRolePolicy(new PolicyStatement({ actions: [action], resources: [resource] }))
    allow('dynamodb:Query', `${subscriptions.tableArn}/index/${DUE_INDEX}`)
    allow('dynamodb:UpdateItem', subscriptions.tableArn)
    allow('dynamodb:UpdateItem', charges.tableArn)
    chargeSubscriptions.addToRolePolicy(gateway.permission)

    const hourly = new ElectedSchedule(this, 'Hourly', {
      leaseTable: leases,
      lease: 'billing',
      handler: chargeSubscriptions,
      rate: Duration.hours(1),
      candidates,
      leaseDuration,
      // 20,000 subscriptions take longer than an invocation may.
      continues: true,
      enabled,
    })
    const schedules = [hourly]
    const events = new LeadershipEvents(this, 'Events', { leaseTable: leases })
    const topic = this.#alarmTopic(alarmEmail)
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
  /** Only this account's alarms may publish to it. The owner of `email` must confirm the subscription once. */
  #alarmTopic(email: string | undefined): Topic {
    const topic = new Topic(this, 'AlarmTopic', { displayName: 'Tenure alarms', enforceSSL: true })
    // `enforceSSL` replaces the default policy, which would allow alarms to publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    )
    if (email !== undefined) topic.addSubscription(new EmailSubscription(email))
    return topic
  }
}
