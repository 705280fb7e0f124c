import { Duration } from 'aws-cdk-lib'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { Grant, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { ConfigurationError } from './configuration-error.ts'
import { failureQueue } from './failure-queue.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import { grantKey } from './lease-grants.ts'
import type { LeaseTable } from './lease-table.ts'
import { refuseWrongProps } from './prop-problems.ts'
import { expiresBy, streamArnOf } from './table-problems.ts'

export interface LeadershipEventsProps {
  /** Its stream must show new and old images, as that of a new `LeaseTable` does. */
  readonly leaseTable: LeaseTable
  /** Where events are sent. @default the default event bus of the account */
  readonly eventBus?: { readonly eventBusArn: string } | undefined
  /** How long a tenure's history row is kept: whole days, 1 to 3650. @default Duration.days(30) */
  readonly history?: Duration | undefined
}

/**
 * All that the announcer may read or write: attributes of history rows. A lease row has none of them but its keys, so who
 * leads and which ticks are done is beyond it. (IAM does not tell rows of one lease apart: code that went wrong could give a
 * lease row a `ttl`, which the announcer then warns of.)
 */
export const HISTORY_ATTRIBUTES = [
  ...['lease', 'record', 'candidate', 'forTick', 'beganAtMs', 'endedAtMs', 'outcome', 'failure', 'successor'],
  ...['announced', 'ttl'],
]

/**
 * Makes known what happens to the leases of a table: events on EventBridge (docs/events), one history row per tenure, and
 * metrics. It reads the table's stream, so candidates wait for nothing and send nothing more.
 */
export class LeadershipEvents extends Construct {
  readonly leaseTable: LeaseTable
  readonly eventBusArn: string
  /** Where changes end that could not be announced, after all retries. Kept for 14 days; the stream itself keeps one. */
  readonly failures: Queue

  /** @throws ConfigurationError */
  constructor(scope: Construct, id: string, props: LeadershipEventsProps) {
    super(scope, id)
    refuseWrongProps(this, props, ['leaseTable'], ['eventBus', 'history'])
    const { leaseTable, history = Duration.days(30) } = props
    this.leaseTable = leaseTable
    const eventBus = props.eventBus ?? EventBus.fromEventBusName(this, 'DefaultBus', 'default')
    this.eventBusArn = eventBus.eventBusArn
    this.failures = failureQueue(this)
    const streamArn = this.#streamArn()
    if (expiresBy(leaseTable.table) !== 'ttl') {
      throw new ConfigurationError(this, [
        `the lease table ${leaseTable.node.path} does not expire rows by the attribute "ttl", so that its history would be kept for ever; make that its time-to-live attribute`,
      ])
    }
    leaseTable.announceBy(this)

    const announcer = new HandlerFunction(this, 'Announcer', {
      entry: ownHandler('announce/handler'),
      description: 'Turns changes of leases into events, history and metrics',
      // A batch is 100 changes; where each is announced, that is some 400 requests.
      timeout: Duration.minutes(1),
      memorySize: 256,
      environment: {
        LEASE_TABLE: leaseTable.tableName,
        EVENT_BUS: this.eventBusArn,
        HISTORY_DAYS: String(this.#daysOf(history)),
      },
    })
    // Not grantStreamRead: of an older Table it permits ListStreams on everything.
    const read = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
      (action) => `dynamodb:${action}`,
    )
    announcer.addToRolePolicy(new PolicyStatement({ actions: read, resources: [streamArn] }))
    announcer.addToRolePolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: [this.eventBusArn] }))
    this.#grantHistory(announcer)
    announcer.addEventSourceMapping('Stream', {
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: [FilterCriteria.filter({ dynamodb: { Keys: { record: { S: FilterRule.isEqual('LEASE') } } } })],
      batchSize: 100,
      // An outage of EventBridge should last no event; a change that can never be announced holds up the others of its
      // shard until its retries are over, and then ends in the queue.
      retryAttempts: 100,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      maxRecordAge: Duration.hours(24),
      onFailure: new SqsDlq(this.failures),
    })
  }

  #streamArn(): string {
    const streamArn = streamArnOf(this.leaseTable.table)
    if (streamArn !== undefined) return streamArn
    throw new ConfigurationError(this, [
      `the lease table ${this.leaseTable.node.path} has no stream of new and old images; give it one, and where it is imported, import it with its \`tableStreamArn\``,
    ])
  }

  #daysOf(history: Duration): number {
    const days = history.toDays({ integral: false })
    if (Number.isInteger(days) && days >= 1 && days <= 3650) return days
    throw new ConfigurationError(this, [`\`history\` is ${days} days; it must be whole days from 1 to 3650`])
  }

  /**
   * Both requests name the attributes that they are about, and nothing else comes back.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
   */
  #grantHistory(announcer: HandlerFunction): void {
    grantKey(this.leaseTable, announcer)
    const grant = (action: string, returned: Readonly<Record<string, string>>) =>
      Grant.addToPrincipal({
        grantee: announcer,
        actions: [action],
        resourceArns: [this.leaseTable.tableArn],
        conditions: {
          'ForAllValues:StringEquals': { 'dynamodb:Attributes': HISTORY_ATTRIBUTES },
          StringEqualsIfExists: returned,
          Null: { 'dynamodb:Attributes': 'false' },
        },
      })
    grant('dynamodb:GetItem', { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' })
    grant('dynamodb:UpdateItem', { 'dynamodb:ReturnValues': 'NONE' })
  }
}
