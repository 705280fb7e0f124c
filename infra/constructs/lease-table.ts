import { type Duration, RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, Billing, StreamViewType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Construct, type IConstruct } from 'constructs'
import { ConfigurationError } from './configuration-error.ts'
import { grantOnLease, keyBehind } from './lease-grants.ts'
import { difference, type Place, regionWarnings, written } from './place.ts'
import { anObjectWith, type Kinds, refuseWrongProps, text } from './prop-problems.ts'
import { type AnyTable, tableProblems } from './table-problems.ts'
import { placeOfTable, type TableUse, useOf } from './table-use.ts'
import { warn } from './warning.ts'

export interface LeaseTableProps {
  /**
   * A table that exists already, in this app or outside it: partition key `lease`, sort key `record`, both texts. For
   * `LeadershipEvents` it needs a stream of new and old images, and `ttl` as its time-to-live attribute.
   * @default a new table
   */
  readonly table?: AnyTable
  /** @default a name that CloudFormation makes up, so that the table can be replaced */
  readonly tableName?: string
  /**
   * A key of your own for the new table, or an alias whose key the app knows; the stack must then name its Region. Every
   * request depends on KMS too, and on its quota.
   * @default DynamoDB's own key
   */
  readonly encryptionKey?: IKey
  /**
   * What becomes of the new table when its stack, or this construct, is removed. A table that is not kept is not
   * protected against deletion either.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
}

const KINDS: Kinds = {
  table: anObjectWith('tableArn', 'a table, such as `TableV2.fromTableName(this, id, name)`'),
  tableName: text,
  encryptionKey: anObjectWith('keyArn', 'a key, such as `Key.fromKeyArn(this, id, keyArn)`'),
  removalPolicy: text,
}

/**
 * The table of leases. One table serves any number of them: the row `(lease, "LEASE")` says who leads, rows
 * `(lease, "TENURE#<fencing token>")` are its history.
 *
 * What the table remembers is what makes the protocol safe: a lost row forgets which ticks are done. Hence deletion
 * protection, retention, point-in-time recovery, and no permission that could delete an item. Only history rows carry
 * the TTL attribute; a lease row never does.
 */
export class LeaseTable extends Construct {
  readonly table: AnyTable
  /** The table's own KMS key, if it has one: of an alias, the key that it stands for. */
  readonly encryptionKey: IKey | undefined
  readonly #use: TableUse

  /** @throws ConfigurationError where the props contradict each other */
  constructor(scope: Construct, id: string, props: LeaseTableProps = {}) {
    super(scope, id)
    refuseWrongProps(this, props, KINDS)
    const { table, ...ofNewTable } = props
    const besides = Object.entries(ofNewTable).flatMap(([name, value]) => (value === undefined ? [] : [name]))
    if (table !== undefined && besides.length > 0) {
      throw new ConfigurationError(this, [`\`table\` was given, so ${besides.join(', ')} must be set on that table`])
    }
    this.encryptionKey = this.#keyOf(table ?? ofNewTable)
    this.table = table ?? newTable(this, { ...ofNewTable, encryptionKey: this.encryptionKey })
    this.#use = useOf(this.table)
    // At synthesis, when nobody can add a replica any more.
    this.node.addValidation({ validate: () => tableProblems(this.table) })
  }

  #keyOf({ encryptionKey }: Pick<AnyTable, 'encryptionKey'>): IKey | undefined {
    if (encryptionKey === undefined) return undefined
    const key = keyBehind(encryptionKey)
    if (key !== undefined) return key
    throw new ConfigurationError(this, [
      `the encryption key ${encryptionKey.node.path} is an alias imported by its name, which no permission can name; import the key by its ARN: \`Key.fromKeyArn(this, id, keyArn)\``,
    ])
  }

  get tableName(): string {
    return this.table.tableName
  }

  get tableArn(): string {
    return this.table.tableArn
  }

  /** Where the table is, as far as the app knows. */
  get place(): Place {
    return placeOfTable(this.table)
  }

  /** Whether `other` goes by the same table, as far as the app knows. */
  isSameTable(other: LeaseTable): boolean {
    return this.#use === other.#use
  }

  /**
   * Refuses what would look for the table where it is not: a function asks DynamoDB in its own Region and account, and a
   * stream and metrics are there too. Warns if only the deployment knows where `user` runs.
   *
   * @param place where `user` runs
   * @throws ConfigurationError if that is certainly another Region or account than the table's
   */
  assertSamePlace(user: IConstruct, place: Place): void {
    const other = difference(place, this.place)
    if (other === undefined) {
      warn(user, regionWarnings(`the lease table ${this.node.path}`, this.place, user, place))
      return
    }
    const replica = '`new LeaseTable(this, id, { table: table.replica(region) })` of a global table in strong mode'
    throw new ConfigurationError(user, [
      `it is in ${written(place)} and would look there for the lease table ${this.node.path}, which is in ${written(this.place)}; use a lease table of the same ${other}${other === 'Region' ? `, or ${replica}` : ''}`,
    ])
  }

  /**
   * Lets `grantee` take part in the election of this one lease: acquire, renew, save a checkpoint, complete and release
   * (each is an UpdateItem), and guard a transaction (ConditionCheckItem). No reads: the reply to a write says all that
   * a candidate must know. No other lease, and no deletion.
   *
   * @throws ConfigurationError where `lease` is not a valid name, or `grantee` is a function of another Region or account
   */
  grantLead(grantee: IGrantable, lease: string): Grant {
    return grantOnLease(this, grantee, lease, 'write', ['dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'])
  }

  /**
   * Lets `grantee` read who leads this one lease, and its history.
   *
   * @throws ConfigurationError where `lease` is not a valid name, or `grantee` is a function of another Region or account
   */
  grantObserve(grantee: IGrantable, lease: string): Grant {
    return grantOnLease(this, grantee, lease, 'read', ['dynamodb:GetItem', 'dynamodb:Query'])
  }

  /**
   * Notes that the ticks of `lease` come every `period`, for `schedule`. Ticks are floored to the period, so schedules
   * of one lease must agree on it: with two periods, a long one's tick would look older than a short one's and be
   * refused as done.
   *
   * @throws ConfigurationError where another schedule of the lease has another period
   */
  agreeOnPeriod(lease: string, period: Duration, schedule: IConstruct): void {
    const ms = period.toMilliseconds()
    const known = this.#use.periods.get(lease)
    if (known !== undefined && known.ms !== ms) {
      throw new ConfigurationError(schedule, [
        `its period is ${ms / 1000} s, but ${known.path} ticks the lease "${lease}" every ${known.ms / 1000} s; schedules that share a lease must have the same period, so give this one a lease of its own`,
      ])
    }
    if (known === undefined) this.#use.periods.set(lease, { ms, path: schedule.node.path })
  }

  /**
   * Notes that `announcer` announces what happens to these leases. What one has announced is marked in the history, so
   * that a second one would announce only what is left over.
   *
   * @throws ConfigurationError where another one does already
   */
  announceBy(announcer: IConstruct): void {
    const { announcer: first } = this.#use
    if (first !== undefined) {
      throw new ConfigurationError(announcer, [
        `${first.node.path} announces the leases of ${this.node.path} already; for more receivers, give its event bus more rules`,
      ])
    }
    this.#use.announcer = announcer
  }
}

type NewTableProps = Omit<LeaseTableProps, 'table' | 'encryptionKey'> & { readonly encryptionKey: IKey | undefined }

function newTable(scope: Construct, props: NewTableProps): TableV2 {
  const { tableName, encryptionKey, removalPolicy = RemovalPolicy.RETAIN } = props
  // As the default child it has the logical id of this construct: see the test that fixes it.
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
