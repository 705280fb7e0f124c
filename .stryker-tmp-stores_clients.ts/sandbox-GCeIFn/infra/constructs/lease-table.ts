// @ts-nocheck
import { RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, Billing, StreamViewType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'
import { refuseIf } from './configuration.ts'
import { grantOnLeases, keyOfAlias } from './lease-grants.ts'
import * as prop from './prop-rules.ts'
import { type AnyTable, tableProblems } from './table-description.ts'

export interface LeaseTableProps {
  /**
   * An existing table, of this app or imported: partition key `lease` and sort key `record`, both strings. For
   * `LeadershipEvents` it needs a stream of new and old images; for these and for servers that stand, `ttl` as its
   * time-to-live attribute.
   * @default a new table
   */
  readonly table?: AnyTable
  /** @default a name that CloudFormation generates, so that the table can be replaced */
  readonly tableName?: string
  /**
   * Your own key for the new table, or an alias whose key the app knows; the stack's `env` must then have a Region.
   * Every request to the table then depends on KMS and its quota.
   * @default the key that DynamoDB owns
   */
  readonly encryptionKey?: IKey
  /**
   * What CloudFormation does with the new table when it is removed from the stack. `DESTROY` also turns off deletion
   * protection.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
}

const PROPS: prop.Rules = {
  table: prop.objectWith('tableArn', 'a table, such as `TableV2.fromTableName(this, id, name)`'),
  tableName: prop.text,
  encryptionKey: prop.objectWith('keyArn', 'a key, such as `Key.fromKeyArn(this, id, keyArn)`'),
  removalPolicy: prop.text,
}

/**
 * The table of leases; one table serves any number of leases. The row `(lease, "LEASE")` stores the leader, rows
 * `(lease, "TENURE#<fencing token>")` are the history, and rows `(lease, "CANDIDATE#<name>")` the servers that stand.
 *
 * Without its row, a lease no longer knows which ticks are done. So the table has deletion protection, retention and
 * point-in-time recovery, no grant includes deletion, and the lease row never has the time-to-live attribute.
 */
export class LeaseTable extends Construct {
  readonly table: AnyTable
  /** The table's own KMS key, if it has one. For an alias, the key behind it. */
  readonly encryptionKey: IKey | undefined

  /** @throws ConfigurationError if a prop is wrong, or given together with `table` */
  constructor(scope: Construct, id: string, props: LeaseTableProps = {}) {
    super(scope, id)
    prop.refuseWrong(this, props, PROPS)
    const { table, ...forNewTable } = props
    const excess = Object.entries(forNewTable).flatMap(([name, value]) => (value === undefined ? [] : [name]))
    const problem = `\`table\` was given, so set ${excess.join(', ')} on that table`
    refuseIf(this, table !== undefined && excess.length > 0, problem)
    this.encryptionKey = this.#keyOf(table ?? forNewTable)
    this.table = table ?? newTable(this, props, this.encryptionKey)
    // Validation runs at synthesis, after the last replica was added.
    this.node.addValidation({ validate: () => tableProblems(this.table) })
  }

  #keyOf({ encryptionKey }: Pick<AnyTable, 'encryptionKey'>): IKey | undefined {
    const key = encryptionKey === undefined ? undefined : keyOfAlias(encryptionKey)
    const problem =
      `the encryption key ${encryptionKey?.node.path} is an alias imported by name, and IAM policies cannot name an ` +
      'alias; import the key by its ARN: `Key.fromKeyArn(this, id, keyArn)`'
    refuseIf(this, encryptionKey !== undefined && key === undefined, problem)
    return key
  }

  get tableName(): string {
    return this.table.tableName
  }

  get tableArn(): string {
    return this.table.tableArn
  }

  /**
   * Allows `grantee` to take part in the election of this lease: acquire, renew, save a checkpoint, complete, release
   * (UpdateItem), and guard a transaction (ConditionCheckItem). It allows no deletion, nothing on other leases, and no
   * reads, because the replies to writes contain what a candidate needs.
   *
   * @throws ConfigurationError if `lease` is not a valid name, or `grantee` is a function of another Region or account
   */
  grantLead(grantee: IGrantable, lease: string): Grant {
    return grantOnLeases(this, grantee, [lease], 'write')
  }

  /**
   * Allows `grantee`, such as the task role of an ECS service, to stand for this lease by an `Election`: as
   * `grantLead`, and to read the rows of the lease and its candidates (GetItem, Query). Give the container a
   * `stopTimeout` longer than the election's `drainMs`, so that it can hand over when it is stopped.
   * @throws ConfigurationError as `grantLead` does
   */
  grantStand(grantee: IGrantable, lease: string): Grant {
    return grantOnLeases(this, grantee, [lease], 'stand')
  }

  /** Allows `grantee` to read the row and the history of this lease. @throws ConfigurationError as `grantLead` does */
  grantObserve(grantee: IGrantable, lease: string): Grant {
    return grantOnLeases(this, grantee, [lease], 'read')
  }
}

function newTable(scope: Construct, props: LeaseTableProps, encryptionKey: IKey | undefined): TableV2 {
  const { tableName, removalPolicy = RemovalPolicy.RETAIN } = props
  // The id `Default` gives the table the logical id of this construct: another one would replace deployed tables.
  return new TableV2(scope, 'Default', {
    ...(tableName === undefined ? {} : { tableName }),
    ...(encryptionKey === undefined ? {} : { encryption: TableEncryptionV2.customerManagedKey(encryptionKey) }),
    partitionKey: { name: 'lease', type: AttributeType.STRING },
    sortKey: { name: 'record', type: AttributeType.STRING },
    billing: Billing.onDemand(),
    timeToLiveAttribute: 'ttl',
    dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
    removalPolicy,
  })
}
