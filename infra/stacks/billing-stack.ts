import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import { AttributeType, Billing, ProjectionType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { HandlerFunction } from '../constructs/handler-function.ts'
import { ElectedSchedule, LeaseTable } from '../constructs/index.ts'
import { RealGateway } from './real-gateway.ts'
import { SandboxGateway } from './sandbox-gateway.ts'

export interface BillingStackProps extends StackProps {
  /** @default 2 */
  readonly candidates?: number | undefined
  /** @default Duration.seconds(15) */
  readonly leaseDuration?: Duration | undefined
  /** Where a real gateway answers. @default the sandbox, which moves no money and is part of the stack */
  readonly gatewayUrl?: string | undefined
}

/** The index of `subscriptions` by the time they fall due. */
const dueIndex = 'due'

/** For what cannot be computed again: who subscribed, and who was charged. */
const kept = {
  billing: Billing.onDemand(),
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
}

/** Every hour one of two candidates charges the subscriptions that fell due. */
export class BillingStack extends Stack {
  constructor(scope: Construct, id: string, props: BillingStackProps = {}) {
    const { candidates, leaseDuration, gatewayUrl, ...stackProps } = props
    super(scope, id, { description: 'Tenure: charges subscriptions that fall due, once per hour', ...stackProps })

    // One or the other and never both: whether money is real is decided once, here.
    const gateway =
      gatewayUrl === undefined
        ? new SandboxGateway(this, 'Sandbox')
        : new RealGateway(this, 'Gateway', { url: gatewayUrl })

    const leases = new LeaseTable(this, 'Leases')
    const subscriptions = new TableV2(this, 'Subscriptions', {
      ...kept,
      partitionKey: { name: 'customer', type: AttributeType.STRING },
      sortKey: { name: 'plan', type: AttributeType.STRING },
      globalSecondaryIndexes: [
        {
          indexName: dueIndex,
          partitionKey: { name: 'dueShard', type: AttributeType.STRING },
          sortKey: { name: 'dueAt', type: AttributeType.STRING },
          projectionType: ProjectionType.KEYS_ONLY,
        },
      ],
    })
    const charges = new TableV2(this, 'Charges', {
      ...kept,
      partitionKey: { name: 'customer', type: AttributeType.STRING },
      sortKey: { name: 'charge', type: AttributeType.STRING },
    })

    const chargeSubscriptions = new HandlerFunction(this, 'ChargeSubscriptions', {
      entry: 'functions/billing/handler.ts',
      description: 'Charges subscriptions that fall due, where it is elected to',
      timeout: Duration.minutes(5),
      memorySize: 512,
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
    })
    new CfnOutput(this, 'LeaseTableName', { value: leases.tableName })
    new CfnOutput(this, 'SubscriptionsTableName', { value: subscriptions.tableName })
    new CfnOutput(this, 'ChargesTableName', { value: charges.tableName })
    new CfnOutput(this, 'FunctionName', { value: chargeSubscriptions.functionName })
    new CfnOutput(this, 'FailureQueueUrl', { value: hourly.failures.queueUrl })
  }
}
