// @ts-nocheck
import { Duration, NestedStack, type Stack } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { Role } from 'aws-cdk-lib/aws-iam'
import {
  Alias,
  EventInvokeConfig,
  type FunctionProps,
  type IFunction,
  Function as LambdaFunction,
  Version,
} from 'aws-cdk-lib/aws-lambda'
import { expect, test } from 'vitest'
import { ElectedSchedule, LeaseTable } from '../../infra/constructs/index.ts'
import { ACCOUNT, aFunction, aRole, HOURLY, importFunction, newStack, refusal, twoStacks } from '../support/cdk-app.ts'

const ENV = { region: 'eu-central-1', account: ACCOUNT }
const HAS_RETRIES = 'already has an asynchronous invoke configuration'

/** The CDK's own types do not accept an alias as a function under `exactOptionalPropertyTypes`. */
const asFunction = (alias: object): IFunction => Object.assign(JSON.parse('{ "alias": null }'), { alias }).alias
const aliasOf = (stack: Stack, version: object) =>
  asFunction(new Alias(stack, 'Alias', Object.assign(JSON.parse('{ "aliasName": "live" }'), { version })))

/** A new function in `of`, and its alias in `stack`. */
const newAlias = (stack: Stack, of = stack, props: Partial<FunctionProps> = {}) =>
  aliasOf(stack, aFunction(of, 'F', props).currentVersion)

type Elect = ReturnType<typeof elector>
/** Elects functions in a stack, each for the same lease unless a name is given. */
function elector(stack: Stack) {
  const leaseTable = new LeaseTable(stack, 'ElectedLeases')
  let count = 0
  return (handler: IFunction, lease = 'billing') =>
    new ElectedSchedule(stack, `Elected${++count}`, { leaseTable, lease, handler, ...HOURLY })
}

function importAlias(stack: Stack, id: string, aliasName = 'live', lambda = importFunction(stack, `${id}Function`)) {
  const aliasVersion = Version.fromVersionAttributes(stack, `${id}Version`, { lambda, version: '3' })
  return asFunction(Alias.fromAliasAttributes(stack, id, { aliasName, aliasVersion }))
}

const OTHER_REGION = new RegExp(
  `the function Two/Theirs is in us-east-1 of account ${ACCOUNT}, but the schedule is in .*; ` +
    "make the schedule in a stack of the function's Region$",
)

const theirRole = (stack: Stack) => Role.fromRoleArn(stack, 'Role', `arn:aws:iam::${ACCOUNT}:role/theirs`)

test.each<[string | RegExp, (elect: Elect, ours: Stack, theirs: Stack) => unknown]>([
  [
    /^Two\/Elected1: .*Two\/F has .*LEASE_NAME="theirs", but .*="billing"; .*; .*LEASE_MS="1"/,
    (elect, ours) => elect(aFunction(ours, 'F', { environment: { LEASE_NAME: 'theirs', LEASE_MS: '1' } })),
  ],
  [
    'LEASE_NAME="billing", but this schedule sets LEASE_NAME="o',
    (elect, ours) => {
      const handler = aFunction(ours, 'F')
      elect(aliasOf(ours, handler.currentVersion))
      elect(handler, 'other')
    },
  ],
  ["the function's timeout is 960 s", (elect, ours) => elect(newAlias(ours, ours, { timeout: Duration.minutes(16) }))],
  ['One/F is in the stack One', (elect, _, theirs) => elect(aFunction(theirs, 'F'))],
  ['Two/Nested/F is in the stack Two/Nested', (elect, ours) => elect(aFunction(new NestedStack(ours, 'Nested'), 'F'))],
  ['One/F is in the stack One', (elect, ours, theirs) => elect(newAlias(ours, theirs, { role: theirRole(theirs) }))],
  ['One/Alias is in the stack One', (elect, ours, theirs) => elect(newAlias(theirs, ours))],
  [
    "function's role One/Role is in the stack One, and the stacks would depend on each other; make the role in",
    (elect, ours, theirs) => elect(aFunction(ours, 'F', { role: aRole(theirs) })),
  ],
  [OTHER_REGION, (elect, ours) => elect(importFunction(ours, 'Theirs', 'us-east-1'))],
  [
    /the function Two\/Theirs is imported without its role, .* `Function.fromFunctionAttributes\(….*`$/,
    (elect, ours) => elect(LambdaFunction.fromFunctionName(ours, 'Theirs', 'theirs')),
  ],
  [
    `the function Two/F ${HAS_RETRIES}`,
    (elect, ours) => {
      const configured = aFunction(ours, 'F')
      new EventInvokeConfig(ours, 'Retries', { function: configured, retryAttempts: 0 })
      elect(configured)
    },
  ],
])('a function is refused with the message: %s', (message, make) => {
  const { one, two } = twoStacks({ env: ENV })
  const elect = elector(two)
  expect(() => make(elect, two, one)).toThrow(refusal(message))
})

test.each(['live', '3', '$LATEST'])(
  'a function is refused with the qualifier %s in its ARN, also behind an alias',
  (of) => {
    const stack = newStack({ env: ENV })
    const elect = elector(stack)
    const lambda = importFunction(stack, 'Theirs', 'eu-central-1', ACCOUNT, `:${of}`)
    for (const handler of [lambda, importAlias(stack, 'Alias', 'live', lambda)]) {
      expect(() => elect(handler)).toThrow(refusal(`Stack/Theirs is imported by an ARN with the qualifier ":${of}"`))
    }
  },
)

test('a function is refused twice for one qualifier, in all stacks together', () => {
  const { one, two } = twoStacks({ env: ENV })
  const [electInOne, electInTwo] = [elector(one), elector(two)]
  electInOne(importAlias(one, 'Live'))
  electInOne(importAlias(one, 'Next', 'next'))
  electInOne(importFunction(one, 'Itself'))
  const made = aFunction(one, 'F')
  expect(electInOne(made.latestVersion).handler).toBe(made)
  expect(() => electInOne(made)).toThrow(HAS_RETRIES)
  expect(() => electInOne(importAlias(one, 'Again'))).toThrow(HAS_RETRIES)
  expect(() => electInTwo(importAlias(two, 'Again'))).toThrow(HAS_RETRIES)
  expect(() => electInOne(importFunction(one, 'Twice'))).toThrow(HAS_RETRIES)
  expect(() => electInTwo(importFunction(two, 'Itself'))).toThrow(HAS_RETRIES)
})

test('a function is refused that gets another value of a variable later', () => {
  const stack = newStack()
  const handler = aFunction(stack, 'F')
  elector(stack)(handler)
  handler.addEnvironment('LEASE_MS', '60000')
  expect(() => Template.fromStack(stack)).toThrow(
    '[Stack/Elected1] the function Stack/F has the environment variable LEASE_MS="60000", but this schedule',
  )
})

test('variables that name this lease are accepted, and others are kept', () => {
  const stack = newStack()
  elector(stack)(aFunction(stack, 'F', { environment: { LEASE_NAME: 'billing', MINE: 'kept' } }))
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: Match.objectLike({ LEASE_NAME: 'billing', LEASE_MS: '15000', MINE: 'kept' }) },
  })
})

test('an alias is invoked and retried, also together with its function, which gets the variables of the lease', () => {
  const stack = newStack()
  const elect = elector(stack)
  const handler = aFunction(stack, 'F')
  const alias = aliasOf(stack, handler.currentVersion)
  elect(alias)
  elect(handler)
  const template = Template.fromStack(stack)
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: Match.objectLike({ LEASE_NAME: 'billing', LEASE_MS: '15000' }) },
  })
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
    FunctionName: stack.resolve(handler.functionName),
    Qualifier: Match.not('$LATEST'),
    MaximumRetryAttempts: 2,
  })
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    Target: Match.objectLike({ Arn: stack.resolve(alias.functionArn) }),
  })
  Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue())
})

test('the role can be imported from another stack, or take no policies', () => {
  const { app, one: theirs, two: ours } = twoStacks({ env: ENV })
  const elect = elector(ours)
  const role = aRole(theirs)
  elect(aFunction(ours, 'One', { role: Role.fromRoleArn(ours, 'Imported', role.roleArn) }))
  elect(aFunction(ours, 'Two', { role: role.withoutPolicyUpdates() }))
  expect(() => app.synth()).not.toThrow()
})

test.each<[string, (stack: Stack) => IFunction]>([
  [
    'use `currentVersion`, or publish a new version.*tenure:PublishedVersion',
    (stack) =>
      aliasOf(stack, Version.fromVersionAttributes(stack, 'V1', { lambda: aFunction(stack, 'F'), version: '1' })),
  ],
  [
    'is imported.*make sure that it has LEASE_TABLE, LEASE_NAME, LEASE_MS.*tenure:ForeignFunction',
    (stack) => importFunction(stack, 'Theirs'),
  ],
])('a function whose environment cannot be set here causes a warning: %s', (pattern, make) => {
  const stack = newStack()
  elector(stack)(make(stack))
  Annotations.fromStack(stack).hasWarning('/Stack/Elected1', Match.stringLikeRegexp(pattern))
})

test('an imported function is retried and invoked, after its role may lead and report failures', () => {
  const stack = newStack()
  elector(stack)(importFunction(stack, 'Theirs'))
  const template = Template.fromStack(stack)
  const [policy] = Object.keys(template.findResources('AWS::IAM::Policy', { Properties: { Roles: ['theirs'] } }))
  const dependents = ['AWS::Lambda::EventInvokeConfig', 'AWS::Scheduler::Schedule'].flatMap((type) =>
    Object.values(template.findResources(type)),
  )
  expect(dependents).toHaveLength(3)
  for (const { DependsOn } of dependents) expect(DependsOn).toContain(policy)
  expect(JSON.stringify(template.findResources('AWS::IAM::Policy'))).toMatch(/sqs:SendMessage.*dynamodb:UpdateItem/)
  const retries = { FunctionName: 'theirs', MaximumRetryAttempts: 2 }
  template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', retries)
})
