import { Annotations, type Duration, Names } from 'aws-cdk-lib'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { ContextAttribute, Schedule, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { ConfigurationError } from './configuration-error.ts'
import {
  environmentProblems,
  functionOf,
  isCurrent,
  isOwn,
  type LeaseVariables,
  unqualified,
} from './elected-function.ts'
import type { ElectedScheduleProps } from './elected-schedule-props.ts'
import { type ElectedScheduleSettings, settingsOf } from './elected-schedule-settings.ts'
import { destinationOf, failureQueue, grantSend } from './failure-queue.ts'
import { HandlerFunction } from './handler-function.ts'
import type { LeaseTable } from './lease-table.ts'
import { schedulerRole } from './scheduler-role.ts'
import { functionEventAge, retryAttempts, scheduleEventAge } from './timing.ts'
import { warn } from './warning.ts'

/**
 * A scheduled function that survives the loss of a schedule, an event or an invocation, and still does its work once per
 * tick: several EventBridge schedules fire it, one invocation is elected, the others stand by.
 *
 * Each event is `{ tick, periodMs, exactPeriod, schedule }`: the scheduled time, the period in milliseconds, whether all ticks
 * are exactly so far apart, as those of a `rate` are, and the schedule's name.
 */
export class ElectedSchedule extends Construct {
  readonly leaseTable: LeaseTable
  readonly lease: string
  /** The shortest time between two ticks. */
  readonly period: Duration
  /** The function that runs at every tick: yours (itself for its `latestVersion`), or the one made from `entry`. Grant it what its task needs. */
  readonly handler: IFunction
  /** One per candidate. */
  readonly schedules: readonly Schedule[]
  /** Where ticks end that Scheduler could not deliver, and those whose last retry failed. Kept for 14 days. */
  readonly failures: Queue

  /** @throws ConfigurationError where the props cannot work, or another schedule gives the lease another period */
  constructor(scope: Construct, id: string, props: ElectedScheduleProps) {
    super(scope, id)
    const settings = settingsOf(this, props)
    const { leaseDuration, period } = settings
    this.leaseTable = props.leaseTable
    this.lease = props.lease
    this.period = period
    this.leaseTable.agreeOnPeriod(this.lease, period, this)

    this.failures = failureQueue(this)
    this.handler =
      props.entry === undefined
        ? unqualified(props.handler)
        : new HandlerFunction(this, 'Handler', { ...props.entryProps, entry: props.entry })
    // Lambda takes a destination only from a function whose role may already send there.
    const mayFail = grantSend(this.failures, this.handler)
    const mayLead = this.leaseTable.grantLead(this.handler, this.lease)
    this.handler.configureAsyncInvoke({
      retryAttempts,
      maxEventAge: functionEventAge(period),
      onFailure: destinationOf(this.failures),
    })
    this.#tellLease({
      LEASE_TABLE: this.leaseTable.tableName,
      LEASE_NAME: this.lease,
      LEASE_MS: String(leaseDuration.toMilliseconds()),
    })
    this.schedules = this.#schedulesFor(settings)
    // An imported role's policy is made here, and nothing else waits for it.
    const needPermission = [this.handler.node.findChild('EventInvokeConfig'), ...this.schedules]
    for (const grant of [mayFail, mayLead]) grant.applyBefore(...needPermission)

    warn(this, settings.warnings)
  }

  #schedulesFor(settings: ElectedScheduleSettings): Schedule[] {
    const { candidates, expression, period, exactPeriod, timeWindow, enabled } = settings
    const role = schedulerRole(this, this.handler, this.failures)
    // Explicit names, because a schedule's input cannot refer to the schedule. Scheduler allows 64 characters.
    const stem = Names.uniqueResourceName(this, { maxLength: 61, separator: '-' })
    return Array.from({ length: candidates }, (_, index) => {
      const scheduleName = `${stem}-${index + 1}`
      const input = {
        tick: ContextAttribute.scheduledTime,
        periodMs: period.toMilliseconds(),
        exactPeriod,
        schedule: scheduleName,
      }
      return new Schedule(this, `Candidate${index + 1}`, {
        scheduleName,
        description: `Candidate ${index + 1} of ${candidates} for the lease ${this.lease}`,
        schedule: expression,
        timeWindow,
        enabled,
        target: new LambdaInvoke(this.handler, {
          role,
          retryAttempts,
          maxEventAge: scheduleEventAge(period),
          deadLetterQueue: this.failures,
          input: ScheduleTargetInput.fromObject(input),
        }),
      })
    })
  }

  #tellLease(variables: LeaseVariables): void {
    const handler = functionOf(this.handler)
    const problems = environmentProblems(handler, variables)
    if (problems.length > 0) throw new ConfigurationError(this, problems)
    const names = Object.keys(variables).join(', ')
    if (!isOwn(handler)) {
      Annotations.of(this).addWarningV2(
        'tenure:ForeignFunction',
        `the function ${this.handler.node.path} is imported, so that its environment cannot be set from here: check that it has ${names}`,
      )
      return
    }
    for (const [name, value] of Object.entries(variables)) handler.addEnvironment(name, value)
    // At synthesis: no other value can be set after that.
    this.node.addValidation({ validate: () => environmentProblems(handler, variables) })
    if (isCurrent(this.handler)) return
    Annotations.of(this).addWarningV2(
      'tenure:PublishedVersion',
      `the function ${this.handler.node.path} is a version, or an alias of one, that keeps the environment with which it was published: make it of \`currentVersion\`, or publish a new version whenever ${names} change`,
    )
  }
}
