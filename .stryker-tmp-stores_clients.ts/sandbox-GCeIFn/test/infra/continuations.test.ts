// @ts-nocheck
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Duration, Stack } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { Alias, type IFunction, RecursiveLoop } from 'aws-cdk-lib/aws-lambda'
import { afterAll, expect, test } from 'vitest'
import { ElectedSchedule, HandlerFunction } from '../../infra/constructs/index.ts'
import {
  aFunction,
  aRole,
  electedSchedule,
  HOURLY,
  importFunction,
  newApp,
  stackWithTable,
} from '../support/cdk-app.ts'

type Choose = (stack: Stack) => { readonly handler: IFunction } | { readonly entry: string }

function continuing(choose: Choose, chosen: { readonly continues?: boolean } = { continues: true }) {
  const { stack, leaseTable } = stackWithTable()
  const props = { leaseTable, lease: 'billing', ...HOURLY, ...chosen, ...choose(stack) }
  const { handler } = new ElectedSchedule(stack, 'Elected', props)
  const template = Template.fromStack(stack)
  return { stack, handler, template, invocations: selfInvocations(template) }
}

/** The policies that allow to invoke a function. (Scheduler's is inline in its role.) */
function selfInvocations(template: Template) {
  const schedules = Object.values(template.findResources('AWS::Scheduler::Schedule'))
  return Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([, policy]) => JSON.stringify(policy).includes('lambda:'))
    .map(([id, { Properties }]) => ({
      statements: Properties.PolicyDocument.Statement,
      roles: Properties.Roles,
      schedulesAfterIt: schedules.filter(({ DependsOn }) => [DependsOn].flat().includes(id)).length,
    }))
}

const alias: Choose = (stack) => {
  const version = aFunction(stack, 'Function').currentVersion
  const made = new Alias(stack, 'Alias', Object.assign(JSON.parse('{ "aliasName": "live" }'), { version }))
  return { handler: Object.assign(JSON.parse('{ "alias": null }'), { alias: made }).alias }
}

test.each<[string, Choose]>([
  ['its function', (stack) => ({ handler: aFunction(stack, 'Function') })],
  ['the alias that it invokes', alias],
  ['the function that it makes', () => ({ entry: 'functions/sandbox/handler.ts' })],
])('a schedule whose work continues allows %s to invoke itself before the first tick, and to recur', (_, choose) => {
  const { stack, handler, template, invocations } = continuing(choose)
  const Resource = stack.resolve(handler.functionArn)
  expect(invocations).toEqual([
    {
      statements: [{ Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource }],
      roles: [stack.resolve(handler.role?.roleName)],
      schedulesAfterIt: 2,
    },
  ])
  template.allResourcesProperties('AWS::Lambda::Function', { RecursiveLoop: 'Allow' })
  Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue())
})

test.each([{}, { continues: false }])('a schedule with %j allows neither', (chosen) => {
  const { template, invocations } = continuing((stack) => ({ handler: aFunction(stack, 'Function') }), chosen)
  expect(invocations).toEqual([])
  template.allResourcesProperties('AWS::Lambda::Function', { RecursiveLoop: Match.absent() })
})

test('a role that takes no policies gets none', () => {
  const withoutPolicies: Choose = (stack) => ({
    handler: aFunction(stack, 'Function', { role: aRole(stack).withoutPolicyUpdates() }),
  })
  expect(continuing(withoutPolicies).invocations).toEqual([])
})

test.each<[string, Choose]>([
  [
    'sets recursiveLoop to Terminate; set it to Allow',
    (stack) => ({ handler: aFunction(stack, 'Function', { recursiveLoop: RecursiveLoop.TERMINATE }) }),
  ],
  ['is imported.*put-function-recursion-config', (stack) => ({ handler: importFunction(stack, 'Theirs') })],
])('a function that Lambda stops in its work causes a warning: it %s', (pattern, choose) => {
  const { stack, invocations } = continuing(choose)
  expect(invocations).toHaveLength(1)
  const message = Match.stringLikeRegexp(`${pattern}.*stops its work after about 16 invocations.*tenure:RecursiveLoop`)
  Annotations.fromStack(stack).hasWarning('/Stack/Elected', message)
})

test.each([
  [Duration.minutes(1), 2_100, 60],
  [Duration.hours(1), 3_600, 3_600],
])('with a period of %s, Lambda keeps a continuation until its second retry could end', (rate, lambdaS, schedulerS) => {
  const { template } = electedSchedule({ rate, continues: true })
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumEventAgeInSeconds: lambdaS })
  const RetryPolicy = { MaximumEventAgeInSeconds: schedulerS, MaximumRetryAttempts: 2 }
  template.hasResourceProperties('AWS::Scheduler::Schedule', { Target: Match.objectLike({ RetryPolicy }) })
})

// Inside the project, as the CDK asks of an entry.
const directory = mkdtempSync(join(import.meta.dirname, '../../node_modules/.continuations-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('only a function that imports the continuation has the client of Lambda in its bundle', () => {
  const library = join(import.meta.dirname, '../../functions/election')
  const bundleOf = (...lines: readonly string[]) => {
    const entry = join(directory, 'handler.ts')
    writeFileSync(entry, [`import { leaderOnly } from '${library}/index.ts'`, ...lines].join('\n'))
    const app = newApp({ context: { 'aws:cdk:bundling-stacks': ['**'] } })
    const stack = new Stack(app, 'Stack')
    new HandlerFunction(stack, 'Function', { entry })
    const [made] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function'))
    const asset = String(made?.['Properties'].Code.S3Key).replace('.zip', '')
    return readFileSync(join(app.outdir, `asset.${asset}`, 'index.mjs'), 'utf8')
  }
  const importing = `import { selfInvoke } from '${library}/self-invoke.ts'`
  expect(bundleOf('export const handler = leaderOnly()')).not.toContain('InvocationType')
  const continued = bundleOf(importing, 'export const handler = leaderOnly({ continueBy: selfInvoke() })')
  expect(continued).toContain('InvocationType')
}, 60_000)
