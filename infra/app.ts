/**
 * What `cdk synth` and `cdk deploy` build. It names no account and no Region, and needs neither network nor credentials.
 *
 * Context: `candidates`, how many schedules fire at each tick; `leaseMs`, how long a leader leads without renewing;
 * `gatewayUrl`, the real gateway to charge at, such as https://api.stripe.com (without it, a sandbox that moves no money).
 */
import { App, Duration, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { numberFromContext } from './context.ts'
import { BillingStack } from './stacks/billing-stack.ts'

const app = new App()
const leaseMs = numberFromContext(app, 'leaseMs')
const gatewayUrl: unknown = app.node.tryGetContext('gatewayUrl')

new BillingStack(app, 'TenureBilling', {
  candidates: numberFromContext(app, 'candidates'),
  leaseDuration: leaseMs === undefined ? undefined : Duration.millis(leaseMs),
  // What is no text is no URL either: the stack says so.
  gatewayUrl: gatewayUrl === undefined || typeof gatewayUrl === 'string' ? gatewayUrl : '',
})

// What a stack acknowledges is written into its template, where an auditor finds it.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { writeSuppressionsToCloudFormation: true }))
