/**
 * What `cdk synth` and `cdk deploy` build. It names no account and no Region, and needs neither network nor credentials.
 *
 * Context: `candidates`, how many schedules fire at each tick; `leaseMs`, how long a leader leads without renewing.
 */
import { App, Duration, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { numberFromContext } from './context.ts'
import { BillingStack } from './stacks/billing-stack.ts'

const app = new App()
const leaseMs = numberFromContext(app, 'leaseMs')

new BillingStack(app, 'TenureBilling', {
  candidates: numberFromContext(app, 'candidates'),
  leaseDuration: leaseMs === undefined ? undefined : Duration.millis(leaseMs),
})

// What a stack acknowledges is written into its template, where an auditor finds it.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { writeSuppressionsToCloudFormation: true }))
