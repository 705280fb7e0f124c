/** How events reach a function, and where they end if it cannot handle them. */
// @ts-nocheck

import { Duration, Stack, Validations } from 'aws-cdk-lib'
import { Grant, type IGrantable, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { DlqDestinationConfig, IFunction } from 'aws-cdk-lib/aws-lambda'
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { RETRY_ATTEMPTS } from './timing.ts'

/** A dead-letter queue. It keeps messages for 14 days, the longest time that SQS allows. */
export function failureQueue(scope: Construct): Queue {
  const queue = new Queue(scope, 'Failures', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  })
  const reason = 'This queue is a dead-letter queue and needs none of its own'
  Validations.of(queue).acknowledge({ id: 'AwsSolutions-SQS3', reason })
  return queue
}

/**
 * Allows a function's role to send failed events. `grantSendMessages` would also allow to read the queue's attributes.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export function grantSend(queue: IQueue, grantee: IGrantable): Grant {
  return Grant.addToPrincipal({ grantee, actions: ['sqs:SendMessage'], resourceArns: [queue.queueArn] })
}

/** The queue as a failure destination. It needs the permission of {@link grantSend}. */
export function destinationOf(queue: IQueue): { bind(): DlqDestinationConfig } {
  return { bind: () => ({ destination: queue.queueArn }) }
}

/**
 * Targets by which schedules invoke the function with an input; undeliverable events go to the queue.
 *
 * They share a role that allows nothing else; the CDK's default role also allows all versions and aliases. Only
 * schedules of this account's default group can assume it.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
 */
export function schedulerTargets(scope: Construct, handler: IFunction, failures: IQueue, maxEventAge: Duration) {
  const stack = Stack.of(scope)
  const group = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: 'default' })
  const allow = (action: string, resource: string) => new PolicyStatement({ actions: [action], resources: [resource] })
  const statements = [allow('lambda:InvokeFunction', handler.functionArn), allow('sqs:SendMessage', failures.queueArn)]
  const role = new Role(scope, 'SchedulerRole', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': group } },
    }),
    inlinePolicies: { Fire: new PolicyDocument({ statements }) },
  }).withoutPolicyUpdates()
  const common = { role, retryAttempts: RETRY_ATTEMPTS, maxEventAge, deadLetterQueue: failures }
  return (input: object) => new LambdaInvoke(handler, { ...common, input: ScheduleTargetInput.fromObject(input) })
}
