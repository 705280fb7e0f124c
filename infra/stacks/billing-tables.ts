import { RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, Billing, ProjectionType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { Construct } from 'constructs'
import { ConfigurationError, LeaseTable } from '../constructs/index.ts'

/** What the billing stack keeps when it is removed, unless somebody names it: leases, subscriptions, charges. */
const TABLES = ['Leases', 'Subscriptions', 'Charges'] as const
type TableName = (typeof TABLES)[number]

/** The index of `subscriptions` by the time they fall due. */
export const dueIndex = 'due'

/** The tables of the business, and that of the leases. None of it can be computed again, so it outlives the stack. */
export class BillingTables {
  readonly leases: LeaseTable
  readonly subscriptions: TableV2
  readonly charges: TableV2

  /**
   * @param deleted names of tables that go with the stack
   * @throws ConfigurationError for another name
   */
  constructor(scope: Construct, deleted: readonly string[]) {
    const unknown = deleted.filter((name) => !TABLES.some((table) => table === name))
    if (unknown.length > 0) {
      throw new ConfigurationError(scope, [
        `\`deleteTables\` names ${unknown.map((name) => JSON.stringify(name.slice(0, 60))).join(', ')}; the tables are ${TABLES.join(', ')}`,
      ])
    }
    const removalPolicy = (name: TableName) => (deleted.includes(name) ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN)
    const kept = (name: TableName) => ({
      billing: Billing.onDemand(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: !deleted.includes(name),
      removalPolicy: removalPolicy(name),
    })
    this.leases = new LeaseTable(scope, 'Leases', { removalPolicy: removalPolicy('Leases') })
    this.subscriptions = new TableV2(scope, 'Subscriptions', {
      ...kept('Subscriptions'),
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
    this.charges = new TableV2(scope, 'Charges', {
      ...kept('Charges'),
      partitionKey: { name: 'customer', type: AttributeType.STRING },
      sortKey: { name: 'charge', type: AttributeType.STRING },
    })
  }
}
