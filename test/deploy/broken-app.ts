/**
 * An update that fails: the billing stack with other settings, and a parameter whose name the bootstrap stack already
 * uses. The parameter depends on the function and its schedules, so they have changed when it fails.
 */
import { App, CfnResource, Duration } from 'aws-cdk-lib'
import { CfnFunction } from 'aws-cdk-lib/aws-lambda'
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler'
import { BillingStack } from '../../infra/stacks/billing-stack.ts'

const app = new App()
const stack = new BillingStack(app, 'TenureBilling', { candidates: 4, leaseDuration: Duration.seconds(5) })
const taken = new CfnResource(stack, 'Taken', {
  type: 'AWS::SSM::Parameter',
  properties: { Name: '/cdk-bootstrap/hnb659fds/version', Type: 'String', Value: 'taken' },
})
for (const construct of stack.node.findAll()) {
  if (construct instanceof CfnFunction || construct instanceof CfnSchedule) taken.addResourceDependency(construct)
}
