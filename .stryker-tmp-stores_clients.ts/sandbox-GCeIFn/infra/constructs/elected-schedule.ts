// @ts-nocheck
import { type Duration, Names } from 'aws-cdk-lib'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { ContextAttribute, Schedule, type ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { refuse, warn } from './configuration.ts'
import { allowContinuations } from './continuations.ts'
import { environmentProblems, functionOf, hasPresentEnvironment, isMadeHere, unqualified } from './elected-function.ts'
import type { ElectedScheduleProps } from './elected-schedule-props.ts'
import { type ElectedScheduleSettings, settingsOf } from './elected-schedule-settings.ts'
import { destinationOf, failureQueue, grantSend, schedulerTargets } from './event-delivery.ts'
import { HandlerFunction } from './handler-function.ts'
import type { LeaseTable } from './lease-table.ts'
import { assertSameTimes, isRate, timeZoneOf } from './lease-table-use.ts'
import { CONTINUATION_AGE_MS, eventAge, RETRY_ATTEMPTS } from './timing.ts'

/**
 * A scheduled function that works once per tick even if a schedule, an event or an invocation is lost: several
 * EventBridge schedules invoke it, one invocation is elected, the others stand by.
 *
 * Each event is `{ tick, periodMs, schedule }`: the scheduled time, to what it is floored (the period of a rate, a
 * minute for a cron), and the schedule's name.
 */
export class ElectedSchedule extends Construct {
  readonly leaseTable: LeaseTable
  readonly lease: string
  /** The shortest time between two ticks. */
  readonly period: Duration
  /** When it ticks: its `expressionString` and its `timeZone`. */
  readonly expression: ScheduleExpression
  /**
   * The function that runs at every tick: `handler` (the function itself for its `latestVersion`), or the function made
   * from `entry`. Grant it the permissions that its task needs.
   */
  readonly handler: IFunction
  /** One per candidate. */
  readonly schedules: readonly Schedule[]
  /** Dead-letter queue: events that Scheduler could not deliver or whose last retry failed. It keeps 14 days. */
  readonly failures: Queue

  /** @throws ConfigurationError if a prop cannot work, or another schedule of the lease ticks at other times */
  constructor(scope: Construct, id: string, props: ElectedScheduleProps) {
    super(scope, id)
    const settings = settingsOf(this, props)
    const { leaseDuration, period, expression } = settings
    this.leaseTable = props.leaseTable
    this.lease = props.lease
    this.period = period
    this.expression = expression
    assertSameTimes(this.leaseTable, this.lease, expression, this)

    this.failures = failureQueue(this)
    this.handler =
      props.entry === undefined
        ? unqualified(props.handler)
        : new HandlerFunction(this, 'Handler', { ...props.entryProps, entry: props.entry })
    const sendGrant = grantSend(this.failures, this.handler)
    const leadGrant = this.leaseTable.grantLead(this.handler, this.lease)
    this.handler.configureAsyncInvoke({
      retryAttempts: RETRY_ATTEMPTS,
      maxEventAge: eventAge('lambda', period, props.continues ? CONTINUATION_AGE_MS : 0),
      onFailure: destinationOf(this.failures),
    })
    this.#setVariables({
      LEASE_TABLE: this.leaseTable.tableName,
      LEASE_NAME: this.lease,
      LEASE_MS: String(leaseDuration.toMilliseconds()),
      LEASE_SCHEDULE: expression.expressionString,
      ...(props.cron === undefined ? {} : { LEASE_TIME_ZONE: timeZoneOf(expression) }),
    })
    this.schedules = this.#schedulesFor(settings)
    // Lambda accepts a destination only if the role may already send there, and an imported role's policy is made here.
    const dependents = [this.handler.node.findChild('EventInvokeConfig'), ...this.schedules]
    for (const grant of [sendGrant, leadGrant]) grant.applyBefore(...dependents)
    if (props.continues) {
      const continuations = allowContinuations(this, this.handler)
      for (const schedule of this.schedules) schedule.node.addDependency(continuations)
    }
    warn(this, settings.warnings)
  }

  #schedulesFor(settings: ElectedScheduleSettings): Schedule[] {
    const { candidates, expression, period, timeWindow, enabled } = settings
    const targetWith = schedulerTargets(this, this.handler, this.failures, eventAge('scheduler', period))
    // A schedule's input cannot refer to the schedule, so its name is set here. Scheduler allows 64 characters.
    const stem = Names.uniqueResourceName(this, { maxLength: 61, separator: '-' })
    // Also for a function whose environment is not set here, or is older: it floors ticks as the others do.
    const periodMs = isRate(expression) ? period.toMilliseconds() : 60_000
    const input = { tick: ContextAttribute.scheduledTime, periodMs }
    return Array.from({ length: candidates }, (_, index) => {
      const scheduleName = `${stem}-${index + 1}`
      return new Schedule(this, `Candidate${index + 1}`, {
        scheduleName,
        description: `Candidate ${index + 1} of ${candidates} for the lease ${this.lease}`,
        schedule: expression,
        timeWindow,
        enabled,
        target: targetWith({ ...input, schedule: scheduleName }),
      })
    })
  }

  #setVariables(variables: Readonly<Record<string, string>>): void {
    const handler = functionOf(this.handler)
    refuse(this, environmentProblems(handler, variables))
    const names = Object.keys(variables).join(', ')
    if (!isMadeHere(handler)) {
      const message =
        `the function ${this.handler.node.path} is imported, so its environment cannot be set here: ` +
        `make sure that it has ${names}`
      warn(this, [{ id: 'tenure:ForeignFunction', message }])
      return
    }
    for (const [name, value] of Object.entries(variables)) handler.addEnvironment(name, value)
    // Validation runs at synthesis, when no other value can be set any more.
    this.node.addValidation({ validate: () => environmentProblems(handler, variables) })
    if (hasPresentEnvironment(this.handler)) return
    const message =
      `the function ${this.handler.node.path} is a version, or an alias of a version, and keeps the environment with ` +
      `which it was published: use \`currentVersion\`, or publish a new version whenever ${names} change`
    warn(this, [{ id: 'tenure:PublishedVersion', message }])
  }
}
