import { Stack } from 'aws-cdk-lib'
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'

/**
 * What Scheduler may do: invoke this function, and no version or alias of it, which the role that the CDK would make
 * also allows; and report what it cannot deliver. Only schedules of this account's default group may use it.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
 */
export function schedulerRole(scope: Construct, handler: IFunction, failures: IQueue): IRole {
  const stack = Stack.of(scope)
  const group = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: 'default' })
  const role = new Role(scope, 'SchedulerRole', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': group } },
    }),
    inlinePolicies: {
      Fire: new PolicyDocument({
        statements: [
          new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }),
          new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failures.queueArn] }),
        ],
      }),
    },
  })
  return role.withoutPolicyUpdates()
}
