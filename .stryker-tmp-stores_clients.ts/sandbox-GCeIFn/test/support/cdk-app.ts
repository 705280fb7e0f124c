// @ts-nocheck
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type AppProps, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { AttributeType } from 'aws-cdk-lib/aws-dynamodb'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Code, type FunctionProps, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import { afterAll, expect } from 'vitest'
import { ElectedSchedule, type ElectedScheduleProps, LeaseTable } from '../../infra/constructs/index.ts'
import { BillingStack, type BillingStackProps } from '../../infra/stacks/billing-stack.ts'

export const ACCOUNT = '111111111111'
export const HOURLY = { rate: Duration.hours(1) }
/** The props of a table that can store leases. */
export const LEASE_KEYS = {
  partitionKey: { name: 'lease', type: AttributeType.STRING },
  sortKey: { name: 'record', type: AttributeType.STRING },
}

const outdirs: string[] = []
afterAll(() => {
  for (const outdir of outdirs.splice(0)) rmSync(outdir, { recursive: true, force: true })
})

/** An app without bundling. Its output directory is removed after the tests, which the CDK never does. */
export function newApp(props: AppProps = {}): App {
  const outdir = mkdtempSync(join(tmpdir(), 'tenure-cdk-'))
  outdirs.push(outdir)
  return new App({ outdir, ...props, context: { 'aws:cdk:bundling-stacks': [], ...props.context } })
}

export function newStack(props: StackProps = {}): Stack {
  return new Stack(newApp(), 'Stack', props)
}

/** The template of the billing stack. */
export function billingTemplate(props: BillingStackProps = {}): Template {
  return Template.fromStack(new BillingStack(newApp(), 'Billing', props))
}

export function stackWithTable() {
  const stack = newStack()
  return { stack, leaseTable: new LeaseTable(stack, 'Leases') }
}

/** The stacks `One` and `Two` of an app. */
export function twoStacks(props: StackProps = {}) {
  const app = newApp()
  return { app, one: new Stack(app, 'One', props), two: new Stack(app, 'Two', props) }
}

export function aFunction(stack: Stack, id: string, props: Partial<FunctionProps> = {}): LambdaFunction {
  return new LambdaFunction(stack, id, {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('export const handler = () => {}'),
    timeout: Duration.seconds(30),
    ...props,
  })
}

/** The function `theirs` of this account in `eu-central-1`, with its role. */
export function importFunction(stack: Stack, id: string, region = 'eu-central-1', account = ACCOUNT, qualifier = '') {
  const functionArn = `arn:aws:lambda:${region}:${account}:function:theirs${qualifier}`
  const role = Role.fromRoleArn(stack, `${id}Role`, `arn:aws:iam::${account}:role/theirs`)
  return LambdaFunction.fromFunctionAttributes(stack, id, { functionArn, role, sameEnvironment: true })
}

export function aRole(stack: Stack): Role {
  return new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
}

/** An hourly schedule of a new function, by default for the lease `billing`. */
export function elect(stack: Stack, id: string, leaseTable: LeaseTable, lease = 'billing', rate = HOURLY.rate) {
  return new ElectedSchedule(stack, id, { leaseTable, lease, handler: aFunction(stack, `${id}Function`), rate })
}

export type Chosen = ({ readonly rate: Duration } | { readonly cron: CronOptionsWithTimezone }) &
  Partial<Omit<ElectedScheduleProps, 'leaseTable' | 'handler' | 'entry' | 'entryProps' | 'rate' | 'cron'>> & {
    readonly timeout?: Duration
  }

/** A schedule for the lease `billing` with other props as chosen. */
export function electedSchedule({ timeout = Duration.seconds(30), ...chosen }: Chosen) {
  const { stack, leaseTable } = stackWithTable()
  const handler = aFunction(stack, 'Function', { timeout })
  const schedule = new ElectedSchedule(stack, 'Elected', { leaseTable, lease: 'billing', handler, ...chosen })
  return { stack, schedule, leaseTable, handler, template: Template.fromStack(stack) }
}

/** Matches a ConfigurationError whose message contains this text, or matches it. */
export function refusal(message: string | RegExp) {
  const expected = typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message)
  return expect.objectContaining({ name: 'ConfigurationError', message: expected })
}
