/**
 * What `cdk synth` and `cdk deploy` build. It names no account and no Region, and needs neither network nor credentials.
 *
 * Context: `candidates`, how many schedules fire at each tick; `leaseMs`, how long a leader leads without renewing;
 * `enabled`, whether the schedules fire;
 * `gatewayUrl`, the real gateway to charge at, such as https://api.stripe.com (without it, a sandbox that moves no money);
 * `alarmEmail`, who is told when an alarm goes off; `deleteTables`, which tables are deleted with the stack.
 */
import { App, Duration, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { flagFromContext, namesFromContext, numberFromContext, textFromContext } from './context.ts'
import { BillingStack } from './stacks/billing-stack.ts'

const app = new App()
const leaseMs = numberFromContext(app, 'leaseMs')

new BillingStack(app, 'TenureBilling', {
  candidates: numberFromContext(app, 'candidates'),
  leaseDuration: leaseMs === undefined ? undefined : Duration.millis(leaseMs),
  enabled: flagFromContext(app, 'enabled'),
  gatewayUrl: textFromContext(app, 'gatewayUrl'),
  alarmEmail: textFromContext(app, 'alarmEmail'),
  deleteTables: namesFromContext(app, 'deleteTables'),
})

// What a stack acknowledges is written into its template, where an auditor finds it.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { writeSuppressionsToCloudFormation: true }))
