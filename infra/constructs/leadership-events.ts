import { Annotations, Duration } from 'aws-cdk-lib'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { Grant, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { ConfigurationError } from './configuration-error.ts'
import { destinationOf, failureQueue, grantSend } from './failure-queue.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import { grantKey } from './lease-grants.ts'
import type { LeaseTable } from './lease-table.ts'
import { difference, type Place, placeOfArn, placeOfStack, regionWarnings, written } from './place.ts'
import { anObjectWith, duration, type Kinds, leaseTable, refuseWrongProps, required } from './prop-problems.ts'
import { expiresBy, isForeign, isStrong, showsImages, streamArnOf } from './table-problems.ts'
import { warn } from './warning.ts'

export interface LeadershipEventsProps {
  /** Its stream must show new and old images, as that of a new `LeaseTable` does. */
  readonly leaseTable: LeaseTable
  /** Where events are sent: a bus of this Region. @default the default event bus of the account */
  readonly eventBus?: { readonly eventBusArn: string; readonly env?: Place } | undefined
  /**
   * How long a tenure's history row is kept: whole days, 1 to 3650; or `false` for no history. The rows also remember what
   * was announced: without them a change that the stream delivers twice is announced and counted twice, under the same id.
   * Set it for an imported table, of which the app does not know whether it expires rows by the attribute `ttl`; a global
   * table in strong mode cannot.
   * @default Duration.days(30), with a warning for an imported table; `false` for one made here in strong mode
   */
  readonly history?: Duration | false | undefined
}

const KINDS: Kinds = {
  leaseTable: required(leaseTable),
  eventBus: anObjectWith('eventBusArn', 'an event bus, such as `EventBus.fromEventBusName(this, id, name)`'),
  history: {
    expected: 'a Duration of whole days, or false',
    accepts: (value) => value === false || duration.accepts(value),
  },
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
    refuseWrongProps(this, props, KINDS)
    const { leaseTable: table } = props
    this.leaseTable = table
    table.assertSamePlace(this, placeOfStack(this))
    const eventBus = props.eventBus ?? EventBus.fromEventBusName(this, 'DefaultBus', 'default')
    this.eventBusArn = eventBus.eventBusArn
    this.#refuseBusOfAnotherRegion(eventBus)
    this.failures = failureQueue(this)
    const streamArn = this.#streamArn()
    const historyDays = this.#historyDays(props.history)
    table.announceBy(this)

    const announcer = new HandlerFunction(this, 'Announcer', {
      entry: ownHandler('announce/handler'),
      description: 'Turns changes of leases into events, history and metrics',
      // A batch is 100 changes; where each is announced, that is some 400 requests.
      timeout: Duration.minutes(1),
      memorySize: 256,
      environment: {
        LEASE_TABLE: table.tableName,
        EVENT_BUS: this.eventBusArn,
        HISTORY_DAYS: String(historyDays),
      },
    })
    // Not grantStreamRead: of an older Table it permits ListStreams on everything.
    const read = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map(
      (action) => `dynamodb:${action}`,
    )
    announcer.addToRolePolicy(new PolicyStatement({ actions: read, resources: [streamArn] }))
    announcer.addToRolePolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: [this.eventBusArn] }))
    grantKey(table, announcer, historyDays > 0 ? 'write' : 'read')
    if (historyDays > 0) this.#grantHistory(announcer)
    grantSend(this.failures, announcer)
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
      onFailure: destinationOf(this.failures),
    })
  }

  #streamArn(): string {
    const { table, node } = this.leaseTable
    if (!showsImages(table)) {
      throw new ConfigurationError(this, [
        `the lease table ${node.path} has no stream of new and old images; give it one`,
      ])
    }
    const streamArn = streamArnOf(table)
    if (streamArn !== undefined) return streamArn
    const withoutHistory = isStrong(table) ? ', and set `history` to false, since strong mode cannot expire rows' : ''
    throw new ConfigurationError(this, [
      `the ARN of the stream of the lease table ${node.path} is not known here; import the table with it, \`TableV2.fromTableAttributes(this, id, { tableArn, tableStreamArn })\`${withoutHistory}`,
    ])
  }

  /** For PutEvents, an event bus of another Region does not exist; one of another account may let us in. */
  #refuseBusOfAnotherRegion(eventBus: { readonly eventBusArn: string; readonly env?: Place }): void {
    const here = placeOfStack(this)
    const there = placeOfArn(eventBus.eventBusArn, eventBus.env ?? here)
    if (difference(there, here) !== 'Region') {
      warn(this, regionWarnings('the event bus', there, this))
      return
    }
    throw new ConfigurationError(this, [
      `the event bus is in ${written(there)}, but the announcer in ${written(here)}, from which it cannot send there; give a bus of its own Region, and that one a rule which passes the events on`,
    ])
  }

  /** 0 for no history. */
  #historyDays(history: LeadershipEventsProps['history']): number {
    const { table, node } = this.leaseTable
    if (history === false) return 0
    if (history === undefined && isStrong(table)) {
      Annotations.of(this).addInfo(
        `There is no history of tenures: ${node.path} is a global table in strong mode, which cannot expire rows`,
      )
      return 0
    }
    if (history === undefined && isForeign(table)) {
      const message = `it is not known here whether the imported lease table ${node.path} expires rows by the attribute "ttl": if so, set \`history\` to \`Duration.days(30)\`; if not, as in strong mode, to false, or its history is kept forever`
      warn(this, [{ id: 'tenure:UnknownExpiry', message }])
    }
    if (expiresBy(table) !== 'ttl') {
      throw new ConfigurationError(this, [
        `the lease table ${node.path} does not expire rows by the attribute "ttl", so that its history would be kept forever; make that its time-to-live attribute, or set \`history\` to false`,
      ])
    }
    const days = (history ?? Duration.days(30)).toDays({ integral: false })
    if (Number.isInteger(days) && days >= 1 && days <= 3650) return days
    throw new ConfigurationError(this, [`\`history\` is ${days} days; it must be whole days from 1 to 3650`])
  }

  /**
   * Both requests name the attributes that they are about, and nothing else comes back.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
   */
  #grantHistory(announcer: HandlerFunction): void {
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
