// @ts-nocheck
import { RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, Billing, ProjectionType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { Construct } from 'constructs'
import { show } from '../../functions/election/show.ts'
import { ConfigurationError, LeaseTable } from '../constructs/index.ts'

/** The tables that are kept when the stack is removed, unless `deleteTables` names them. */
const TABLES = ['Leases', 'Subscriptions', 'Charges'] as const
type TableName = (typeof TABLES)[number]

/** The index of `subscriptions` by due time. */
export const DUE_INDEX = 'due'

/** The lease table and the tables of the business. Their data cannot be computed again. */
export class BillingTables {
  readonly leases: LeaseTable
  readonly subscriptions: TableV2
  readonly charges: TableV2

  /**
   * @param deleted names of tables to delete with the stack
   * @throws ConfigurationError for an unknown name
   */
  constructor(scope: Construct, deleted: readonly string[]) {
    const unknown = deleted.filter((name) => !TABLES.some((table) => table === name))
    if (unknown.length > 0) {
      const names = unknown.map((name) => show(name)).join(', ')
      throw new ConfigurationError(scope, [`\`deleteTables\` names ${names}; the tables are ${TABLES.join(', ')}`])
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
          indexName: DUE_INDEX,
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
