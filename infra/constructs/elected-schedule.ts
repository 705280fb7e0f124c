import { Annotations, Duration, Names, Stack } from 'aws-cdk-lib'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import { ContextAttribute, Schedule, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { type ElectedScheduleProps, type ElectedScheduleSettings, settingsOf } from './elected-schedule-props.ts'
import { functionEventAge, retryAttempts, scheduleEventAge, timingWarnings } from './timing.ts'

/**
 * A scheduled function that survives the loss of a schedule, an event or an invocation, and still does its work once per
 * tick: several EventBridge schedules fire it, one invocation is elected, the others stand by.
 *
 * Each event is `{ tick, periodMs, schedule }`: the scheduled time, the period in milliseconds, and the schedule's name.
 */
export class ElectedSchedule extends Construct {
  /** One per candidate. */
  readonly schedules: readonly Schedule[]
  /** Where ticks end that Scheduler could not deliver, and those whose last retry failed. Kept for 14 days. */
  readonly failures: Queue

  /** @throws ConfigurationError where the props cannot work, or another schedule gives the lease another period */
  constructor(scope: Construct, id: string, props: ElectedScheduleProps) {
    super(scope, id)
    const settings = settingsOf(this, props)
    const { leaseTable, lease, handler, leaseDuration, expression, period } = settings
    leaseTable.agreeOnPeriod(lease, period, this)

    this.failures = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    handler.configureAsyncInvoke({
      retryAttempts,
      maxEventAge: functionEventAge(period),
      onFailure: new SqsDestination(this.failures),
    })
    handler.addEnvironment('LEASE_TABLE', leaseTable.tableName)
    handler.addEnvironment('LEASE_NAME', lease)
    handler.addEnvironment('LEASE_MS', String(leaseDuration.toMilliseconds()))
    leaseTable.grantLease(handler, lease)
    this.schedules = this.#schedulesFor(settings)

    for (const { id, message } of timingWarnings({ period, leaseDuration, timeout: handler.timeout }, expression)) {
      Annotations.of(this).addWarningV2(id, message)
    }
  }

  #schedulesFor({ handler, lease, candidates, expression, period }: ElectedScheduleSettings): Schedule[] {
    const role = this.#schedulerRole(handler).withoutPolicyUpdates()
    // Explicit names, because a schedule's input cannot refer to the schedule. Scheduler allows 64 characters.
    const stem = Names.uniqueResourceName(this, { maxLength: 61, separator: '-' })
    return Array.from({ length: candidates }, (_, index) => {
      const scheduleName = `${stem}-${index + 1}`
      const input = { tick: ContextAttribute.scheduledTime, periodMs: period.toMilliseconds(), schedule: scheduleName }
      return new Schedule(this, `Candidate${index + 1}`, {
        scheduleName,
        description: `Candidate ${index + 1} of ${candidates} for the lease ${lease}`,
        schedule: expression,
        target: new LambdaInvoke(handler, {
          role,
          retryAttempts,
          maxEventAge: scheduleEventAge(period),
          deadLetterQueue: this.failures,
          input: ScheduleTargetInput.fromObject(input),
        }),
      })
    })
  }

  /**
   * What Scheduler may do: invoke this function, and no version or alias of it, which the role that the CDK would make
   * also allows; and report what it cannot deliver. Only schedules of this account's default group may use it.
   * https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
   */
  #schedulerRole(handler: LambdaFunction): Role {
    const stack = Stack.of(this)
    const group = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: 'default' })
    return new Role(this, 'SchedulerRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': group } },
      }),
      inlinePolicies: {
        Fire: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }),
            new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.failures.queueArn] }),
          ],
        }),
      },
    })
  }
}
