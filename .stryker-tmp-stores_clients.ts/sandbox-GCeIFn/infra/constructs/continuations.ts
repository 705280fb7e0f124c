/** What a function needs so that `lease.handOver` can start the next invocation of its work. */
// @ts-nocheck

import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { CfnFunction, type IFunction, RecursiveLoop } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { warn } from './configuration.ts'
import { functionOf } from './elected-function.ts'

/**
 * Allows the function to invoke itself, by the ARN by which its schedules invoke it, as often as its work needs.
 *
 * The permission is in a policy of its own: the function depends on its role's default policy, which cannot depend on
 * the function in turn. @returns the policy; what invokes the function must depend on it
 */
export function allowContinuations(scope: Construct, handler: IFunction): Policy {
  allowRecursion(scope, functionOf(handler))
  const statement = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] })
  const policy = new Policy(scope, 'Continuations', { statements: [statement] })
  // Not by `roles`, which would attach it to a role `withoutPolicyUpdates`, too.
  handler.role?.attachInlinePolicy(policy)
  return policy
}

/**
 * Lambda takes a function that invokes itself for an endless loop, and stops it after about 16 invocations. This one
 * ends: `maxContinuations` bounds it. The setting is of the function, for all of its versions.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
function allowRecursion(scope: Construct, { node }: IFunction): void {
  const { defaultChild, path } = node
  if (defaultChild instanceof CfnFunction) {
    defaultChild.recursiveLoop ??= RecursiveLoop.ALLOW
    if (defaultChild.recursiveLoop === RecursiveLoop.ALLOW) return
  }
  const reason =
    defaultChild instanceof CfnFunction
      ? `sets recursiveLoop to ${defaultChild.recursiveLoop}; set it to ${RecursiveLoop.ALLOW}`
      : 'is imported, so its recursive loop detection cannot be set here; set it by ' +
        '`aws lambda put-function-recursion-config --recursive-loop Allow --function-name …`'
  const message = `the function ${path} ${reason}, because Lambda otherwise stops its work after about 16 invocations`
  warn(scope, [{ id: 'tenure:RecursiveLoop', message }])
}
