/**
 * The app of `cdk synth` and `cdk deploy`. It names no account and no Region, and needs no network and no credentials.
 *
 * Context values, each a prop of `BillingStack`: `candidates`, `leaseMs` (`leaseDuration` in milliseconds), `enabled`,
 * `gatewayUrl`, `alarmEmail` and `deleteTables`.
 */
import { App, Duration, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { BillingStack } from './stacks/billing-stack.ts'
import { flagFromContext, namesFromContext, numberFromContext, textFromContext } from './stacks/context.ts'

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

// Acknowledged findings are written into the template, where an auditor sees them.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { writeSuppressionsToCloudFormation: true }))
