/**
 * The app of `cdk synth` and `cdk deploy`. It names no account and no Region, and needs no network and no credentials.
 *
 * Context values, each a prop of `BillingStack`: `candidates`, `leaseMs` (`leaseDuration` in milliseconds), `enabled`,
 * `gatewayUrl`, `alarmEmail` and `deleteTables`.
 */
// @ts-nocheck

import { App, Duration, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { BillingStack } from './stacks/billing-stack.ts'
import { CONTEXT, fromContext } from './stacks/context.ts'

const app = new App()
const leaseMs = fromContext(app, 'leaseMs', CONTEXT.number)

new BillingStack(app, 'TenureBilling', {
  candidates: fromContext(app, 'candidates', CONTEXT.number),
  leaseDuration: leaseMs === undefined ? undefined : Duration.millis(leaseMs),
  enabled: fromContext(app, 'enabled', CONTEXT.flag),
  gatewayUrl: fromContext(app, 'gatewayUrl', CONTEXT.text),
  alarmEmail: fromContext(app, 'alarmEmail', CONTEXT.text),
  deleteTables: fromContext(app, 'deleteTables', CONTEXT.names),
})

// Acknowledged findings are written into the template, where an auditor sees them.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { writeSuppressionsToCloudFormation: true }))
