// @ts-nocheck
import { Annotations, Duration } from 'aws-cdk-lib'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { Grant, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { LEASE_RECORD } from '../../functions/election/stores/row.ts'
import { ConfigurationError, refuseIf, warn } from './configuration.ts'
import { destinationOf, failureQueue, grantSend } from './event-delivery.ts'
import { HandlerFunction, ownHandler } from './handler-function.ts'
import { grantKey } from './lease-grants.ts'
import type { LeaseTable } from './lease-table.ts'
import { assertSameRegion, registerAnnouncer } from './lease-table-use.ts'
import * as prop from './prop-rules.ts'
import { type Env, envDifference, envOfArn, envOfStack, regionWarnings, showEnv } from './regions.ts'
import { announcerSupport } from './table-description.ts'

export interface LeadershipEventsProps {
  /** Its stream must contain new and old images; that of a new `LeaseTable` does. */
  readonly leaseTable: LeaseTable
  /** The bus to which events are sent, in the same Region. @default the default event bus of the account */
  readonly eventBus?: { readonly eventBusArn: string; readonly env?: Env } | undefined
  /**
   * How long a history row is kept after the end of its tenure: whole days, 1 to 3650; or `false` for no history.
   * Without history, a change that the stream delivers twice is announced and counted twice, with one id. Set it for an
   * imported table: the app does not know whether it expires rows by the attribute `ttl`. A table with strong
   * consistency cannot.
   * @default Duration.days(30), with a warning for an imported table; `false` for a table with strong consistency
   */
  readonly history?: Duration | false | undefined
}

const PROPS: prop.Rules = {
  leaseTable: prop.required(prop.leaseTable),
  eventBus: prop.objectWith('eventBusArn', 'an event bus, such as `EventBus.fromEventBusName(this, id, name)`'),
  history: {
    expected: 'a Duration of whole days, or false',
    accepts: (value) => value === false || prop.duration.accepts(value),
  },
}

/**
 * The attributes that the announcer may read or write: those of history rows. Lease rows have only the keys in common
 * with them, so the announcer can change neither leaders nor completed ticks. (IAM does not distinguish the rows of one
 * lease: faulty code could add a `ttl` to a lease row. The announcer then logs a warning.)
 */
export const HISTORY_ATTRIBUTES = [
  ...['lease', 'record', 'candidate', 'forTick', 'beganAtMs', 'endedAtMs', 'outcome', 'failure', 'successor'],
  ...['announced', 'closedTick', 'ttl'],
]

const LEASE_ROW = { Keys: { record: { S: FilterRule.isEqual(LEASE_RECORD) } } }
const PAUSED = { pausedUntilMs: { N: FilterRule.exists() } }

/**
 * Which changes of a lease row invoke the announcer: any of these. A filter cannot compare the row with what it was, so
 * all changes of a lease with ticks do. Without ticks, a leader renews for days, and its renewals invoke nothing unless
 * the row has a pause. At most five: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 * A missing attribute: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.Lambda.Tutorial2.html
 */
const ANNOUNCED = [
  { NewImage: { tick: { S: FilterRule.exists() } } },
  { NewImage: { step: { N: FilterRule.isEqual('0') } } }, // an election
  { NewImage: { holder: { S: FilterRule.notExists() } } }, // an end, or the row was deleted
  { NewImage: PAUSED },
  { OldImage: PAUSED },
]

/**
 * Announces changes of a table's leases: events on EventBridge (docs/events), one history row per tenure, and metrics.
 * It reads the table's stream, so candidates send no additional requests.
 */
export class LeadershipEvents extends Construct {
  readonly leaseTable: LeaseTable
  readonly eventBusArn: string
  /** Dead-letter queue: changes that could not be announced. It keeps 14 days; the stream keeps one. */
  readonly failures: Queue

  /** @throws ConfigurationError if a prop is wrong, the table has no such stream, or it already has LeadershipEvents */
  constructor(scope: Construct, id: string, props: LeadershipEventsProps) {
    super(scope, id)
    prop.refuseWrong(this, props, PROPS)
    const table = props.leaseTable
    this.leaseTable = table
    assertSameRegion(table, this, envOfStack(this))
    const eventBus = props.eventBus ?? EventBus.fromEventBusName(this, 'DefaultBus', 'default')
    this.eventBusArn = eventBus.eventBusArn
    this.#refuseBusOfAnotherRegion(eventBus)
    this.failures = failureQueue(this)
    const streamArn = this.#streamArn()
    const historyDays = this.#historyDays(props.history)
    registerAnnouncer(table, this)

    const announcer = new HandlerFunction(this, 'Announcer', {
      entry: ownHandler('announce/handler'),
      description: 'Turns changes of leases into events, history and metrics',
      // A batch has up to 100 changes. If each is announced, the announcer sends about 400 requests.
      timeout: Duration.minutes(1),
      memorySize: 256,
      environment: {
        LEASE_TABLE: table.tableName,
        EVENT_BUS: this.eventBusArn,
        HISTORY_DAYS: String(historyDays),
      },
    })
    this.#grant(announcer, streamArn, historyDays)
    announcer.addEventSourceMapping('Stream', {
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: ANNOUNCED.map((images) => FilterCriteria.filter({ dynamodb: { ...LEASE_ROW, ...images } })),
      batchSize: 100,
      // Enough to survive an outage of EventBridge. A change that always fails blocks its shard until its last retry.
      retryAttempts: 100,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      maxRecordAge: Duration.hours(24),
      onFailure: destinationOf(this.failures),
    })
  }

  #streamArn(): string {
    const { path } = this.leaseTable.node
    const { streamArn, streamsImages, isStronglyConsistent } = announcerSupport(this.leaseTable.table)
    refuseIf(this, !streamsImages, `the lease table ${path} has no stream of new and old images; give it one`)
    if (streamArn !== undefined) return streamArn
    const noHistory = ', and set `history` to false, because a table with strong consistency cannot expire rows'
    const problem =
      `the app does not know the stream's ARN of the lease table ${path}; import the table with it, ` +
      '`TableV2.fromTableAttributes(this, id, { tableArn, tableStreamArn })`'
    throw new ConfigurationError(this, [`${problem}${isStronglyConsistent ? noHistory : ''}`])
  }

  /** `PutEvents` does not find a bus of another Region. A bus of another account can allow the announcer. */
  #refuseBusOfAnotherRegion(eventBus: { readonly eventBusArn: string; readonly env?: Env }): void {
    const env = envOfStack(this)
    const busEnv = envOfArn(eventBus.eventBusArn, eventBus.env ?? env)
    const problem =
      `the event bus is in ${showEnv(busEnv)}, but the announcer is in ${showEnv(env)} and cannot send events there; ` +
      'give a bus of the same Region, and add a rule to it that forwards the events'
    refuseIf(this, envDifference(busEnv, env) === 'Region', problem)
    warn(this, regionWarnings('the event bus', busEnv, this))
  }

  /** 0 for no history. */
  #historyDays(history: LeadershipEventsProps['history']): number {
    const { path } = this.leaseTable.node
    const { isImported, isStronglyConsistent, expiresByTtl } = announcerSupport(this.leaseTable.table)
    if (history === false) return 0
    if (history === undefined && isStronglyConsistent) {
      Annotations.of(this).addInfo(
        `There is no history of tenures: ${path} is a global table with strong consistency and cannot expire rows`,
      )
      return 0
    }
    if (history === undefined && isImported) {
      const message =
        `the app does not know whether the imported lease table ${path} expires rows by the attribute "ttl": ` +
        'if it does, set `history` to `Duration.days(30)`; otherwise set it to false, or the history is kept forever'
      warn(this, [{ id: 'tenure:UnknownExpiry', message }])
    }
    const days = (history ?? Duration.days(30)).toDays({ integral: false })
    const isDays = Number.isInteger(days) && days >= 1 && days <= 3650
    const keptForever =
      `the lease table ${path} does not expire rows by the attribute "ttl", so its history would be kept ` +
      'forever; make "ttl" its time-to-live attribute, or set `history` to false'
    refuseIf(this, !expiresByTtl, keptForever)
    refuseIf(this, !isDays, `\`history\` is ${days} days; it must be whole days from 1 to 3650`)
    return days
  }

  #grant(announcer: HandlerFunction, streamArn: string, historyDays: number): void {
    const allow = (resource: string, ...actions: string[]) =>
      announcer.addToRolePolicy(new PolicyStatement({ actions, resources: [resource] }))
    // For a `Table`, grantStreamRead would allow ListStreams on all resources.
    const read = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams']
    allow(streamArn, ...read.map((action) => `dynamodb:${action}`))
    allow(this.eventBusArn, 'events:PutEvents')
    grantKey(this.leaseTable, announcer, historyDays > 0 ? 'write' : 'read')
    // Requests must name their attributes, and the replies contain no others.
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    const history = {
      GetItem: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
      UpdateItem: { 'dynamodb:ReturnValues': 'NONE' },
    }
    for (const [action, reply] of historyDays > 0 ? Object.entries(history) : []) {
      Grant.addToPrincipal({
        grantee: announcer,
        actions: [`dynamodb:${action}`],
        resourceArns: [this.leaseTable.tableArn],
        conditions: {
          'ForAllValues:StringEquals': { 'dynamodb:Attributes': HISTORY_ATTRIBUTES },
          StringEqualsIfExists: reply,
          Null: { 'dynamodb:Attributes': 'false' },
        },
      })
    }
    grantSend(this.failures, announcer)
  }
}
