import { type Duration, RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, Billing, type ReplicaTableProps, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
import type { Construct, IConstruct } from 'constructs'
import { isLeaseName } from '../../functions/election/options.ts'
import { ConfigurationError } from './configuration-error.ts'

export interface LeaseTableProps {
  /** @default a name that CloudFormation makes up, so that the table can be replaced */
  readonly tableName?: string
}

/**
 * The table of leases. One table serves any number of them: the row `(lease, "LEASE")` says who leads, rows
 * `(lease, "TENURE#<fencing token>")` are its history.
 *
 * What the table remembers is what makes the protocol safe: a lost row forgets which ticks are done. Hence deletion
 * protection, retention, point-in-time recovery, and no permission that could delete an item. Only history rows carry
 * the TTL attribute; a lease row never does.
 *
 * It is encrypted with DynamoDB's own key, the default: with a customer's key, every acquire would depend on one more
 * service and its quota.
 */
export class LeaseTable extends TableV2 {
  readonly #periods = new Map<string, { readonly ms: number; readonly path: string }>()

  constructor(scope: Construct, id: string, props: LeaseTableProps = {}) {
    super(scope, id, {
      ...props,
      partitionKey: { name: 'lease', type: AttributeType.STRING },
      sortKey: { name: 'record', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      timeToLiveAttribute: 'ttl',
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
  }

  /**
   * Lets `grantee` take part in the election of this one lease: acquire, renew, save a checkpoint, complete and release
   * (each is an UpdateItem), and guard a transaction (ConditionCheckItem). No reads: the reply to a write says all that
   * a candidate must know. No other lease, and no deletion.
   *
   * Without the `Null` condition, ForAllValues would also allow a request that names no key at all.
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
   *
   * @throws ConfigurationError where `lease` is not a valid name
   */
  grantLease(grantee: IGrantable, lease: string): Grant {
    const problems = leaseNameProblems(lease)
    if (problems.length > 0) throw new ConfigurationError(this, problems)
    return Grant.addToPrincipal({
      grantee,
      actions: ['dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'],
      resourceArns: [this.tableArn],
      conditions: {
        'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [lease] },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    })
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
    const known = this.#periods.get(lease)
    if (known !== undefined && known.ms !== ms) {
      throw new ConfigurationError(schedule, [
        `its period is ${ms / 1000} s, but ${known.path} ticks the lease "${lease}" every ${known.ms / 1000} s; schedules that share a lease must have the same period, so give this one a lease of its own`,
      ])
    }
    if (known === undefined) this.#periods.set(lease, { ms, path: schedule.node.path })
  }

  /**
   * Always throws. Replicas in the default, eventual mode settle concurrent writes by the last one, so that candidates
   * in two Regions could both lead.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
   */
  override addReplica(props: ReplicaTableProps): void {
    throw new ConfigurationError(this, [
      `a replica in ${props.region} was asked for, but leases need one Region: global tables in eventual mode do not exclude two leaders`,
    ])
  }
}

/** Why this cannot be a lease's name; empty where it can. */
export function leaseNameProblems(lease: string): string[] {
  if (isLeaseName(lease)) return []
  return [
    `the lease name ${JSON.stringify(lease.slice(0, 60))} is not allowed; use 1 to 128 letters, digits and . _ - / :`,
  ]
}
