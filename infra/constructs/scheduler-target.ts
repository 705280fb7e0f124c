import { type Duration, Stack } from 'aws-cdk-lib'
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler'
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { RETRY_ATTEMPTS } from './timing.ts'

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
