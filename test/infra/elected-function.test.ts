import { Duration, NestedStack, type Stack } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { Role } from 'aws-cdk-lib/aws-iam'
import { Alias, EventInvokeConfig, type IFunction, Function as LambdaFunction, Version } from 'aws-cdk-lib/aws-lambda'
import { describe, expect, test } from 'vitest'
import { ElectedSchedule, LeaseTable } from '../../infra/constructs/index.ts'
import {
  ACCOUNT,
  aFunction,
  aRole,
  HOURLY,
  importFunction,
  newStack,
  refusal,
  stackWithTable,
  twoStacks,
} from '../support/cdk-app.ts'

const ENV = { region: 'eu-central-1', account: ACCOUNT }
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/theirs`
const HAS_RETRIES = 'already has an asynchronous invoke configuration'

/** The CDK's own types do not accept an alias as a function under `exactOptionalPropertyTypes`. */
const asFunction = (alias: object): IFunction => Object.assign(JSON.parse('{ "alias": null }'), { alias }).alias
const aliasOf = (stack: Stack, version: object) =>
  asFunction(new Alias(stack, 'Alias', Object.assign(JSON.parse('{ "aliasName": "live" }'), { version })))

/** Elects functions in a stack, each for the same lease unless a name is given. */
function elector(stack: Stack, leaseTable = new LeaseTable(stack, 'ElectedLeases')) {
  let count = 0
  return (handler: IFunction, lease = 'billing') =>
    new ElectedSchedule(stack, `Elected${++count}`, { leaseTable, lease, handler, ...HOURLY })
}

function importAlias(stack: Stack, id: string, aliasName = 'live', lambda = importFunction(stack, `${id}Function`)) {
  const aliasVersion = Version.fromVersionAttributes(stack, `${id}Version`, { lambda, version: '3' })
  return asFunction(Alias.fromAliasAttributes(stack, id, { aliasName, aliasVersion }))
}

describe('the environment of a function', () => {
  const withVariables = (environment: Record<string, string>) => {
    const stack = newStack()
    const handler = aFunction(stack, 'Function', { environment })
    return { stack, handler, elect: () => elector(stack)(handler) }
  }

  test('can already name this lease', () => {
    const { stack, elect } = withVariables({ LEASE_NAME: 'billing', MINE: 'kept' })
    elect()
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ LEASE_NAME: 'billing', LEASE_MS: '15000', MINE: 'kept' }) },
    })
  })

  test('cannot have other values of these variables', () => {
    expect(withVariables({ LEASE_NAME: 'theirs', LEASE_MS: '1' }).elect).toThrow(
      refusal(/^Stack\/Elected1: .*Function has .*LEASE_NAME="theirs", but .*="billing"; .*; .*LEASE_MS="1"/),
    )
  })

  test('cannot get other values of these variables later', () => {
    const { stack, handler, elect } = withVariables({})
    elect()
    handler.addEnvironment('LEASE_MS', '60000')
    expect(() => Template.fromStack(stack)).toThrow(
      '[Stack/Elected1] the function Stack/Function has the environment variable LEASE_MS="60000", but this schedule',
    )
  })
})

describe('an alias or a version', () => {
  function electedAlias({ isCurrent = true, timeout = Duration.seconds(30) } = {}) {
    const stack = newStack()
    const handler = aFunction(stack, 'Function', { timeout })
    const published = Version.fromVersionAttributes(stack, 'V1', { lambda: handler, version: '1' })
    const alias = aliasOf(stack, isCurrent ? handler.currentVersion : published)
    const elect = elector(stack)
    elect(alias)
    return { stack, elect, handler, alias }
  }

  test('is invoked and retried, and its function gets the variables of the lease', () => {
    const { stack, handler, alias } = electedAlias()
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

  test('causes a warning if it keeps the environment with which it was published', () => {
    Annotations.fromStack(electedAlias({ isCurrent: false }).stack).hasWarning(
      '/Stack/Elected1',
      Match.stringLikeRegexp('use `currentVersion`, or publish a new version.*tenure:PublishedVersion'),
    )
  })

  test('has the timeout of its function', () => {
    expect(() => electedAlias({ timeout: Duration.minutes(16) })).toThrow("the function's timeout is 960 s")
  })

  test('can be elected together with its function, for the same lease only', () => {
    const other = electedAlias()
    expect(() => other.elect(other.handler, 'other')).toThrow(
      refusal('LEASE_NAME="billing", but this schedule sets LEASE_NAME="o'),
    )
    const same = electedAlias()
    same.elect(same.handler)
    expect(() => Template.fromStack(same.stack)).not.toThrow()
  })

  test('is the function itself if it is its latest version', () => {
    const stack = newStack()
    const elect = elector(stack)
    const [handler, other] = [aFunction(stack, 'Function'), aFunction(stack, 'Other')]
    expect(elect(handler.latestVersion).handler).toBe(handler)
    Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue())
    expect(() => elect(handler)).toThrow(HAS_RETRIES)
    elect(other)
    expect(() => elect(other.latestVersion)).toThrow(HAS_RETRIES)
  })
})

describe('a schedule and its function must be made in one stack', () => {
  const theirsAndOurs = () => {
    const { app, one: theirs, two: ours } = twoStacks({ env: ENV })
    return { app, theirs, ours, elect: elector(ours) }
  }

  test.each<[string, (theirs: Stack, ours: Stack) => IFunction, string]>([
    ['a function of another stack', (theirs) => aFunction(theirs, 'Function'), 'One/Function is in the stack One'],
    [
      'a function of a nested stack',
      (_, ours) => aFunction(new NestedStack(ours, 'Nested'), 'Function'),
      'Two/Nested/Function is in the stack Two/Nested',
    ],
    [
      'an alias of a function of another stack',
      (theirs, ours) => {
        const role = Role.fromRoleArn(theirs, 'Role', ROLE_ARN)
        return aliasOf(ours, aFunction(theirs, 'Function', { role }).currentVersion)
      },
      'One/Function is in the stack One',
    ],
    [
      'an alias in another stack',
      (theirs, ours) => aliasOf(theirs, aFunction(ours, 'Function').currentVersion),
      'One/Alias is in the stack One',
    ],
    [
      'a function with a role of another stack',
      (theirs, ours) => aFunction(ours, 'Function', { role: aRole(theirs) }),
      "function's role One/Role is in the stack One, and the stacks would depend on each other; make the role in",
    ],
  ])('so %s is refused', (_, makeHandler, message) => {
    const { theirs, ours, elect } = theirsAndOurs()
    expect(() => elect(makeHandler(theirs, ours))).toThrow(refusal(message))
  })

  test('but its role can be imported from another stack, or take no policies', () => {
    const { app, theirs, ours, elect } = theirsAndOurs()
    const role = aRole(theirs)
    elect(aFunction(ours, 'One', { role: Role.fromRoleArn(ours, 'Imported', role.roleArn) }))
    elect(aFunction(ours, 'Two', { role: role.withoutPolicyUpdates() }))
    expect(() => app.synth()).not.toThrow()
  })

  test.each([
    ['Region', 'us-east-1', ACCOUNT],
    ['account', 'eu-central-1', '222222222222'],
  ])('so a function of another %s is refused', (difference, region, account) => {
    const { ours, elect } = theirsAndOurs()
    expect(() => elect(importFunction(ours, 'Theirs', region, account))).toThrow(
      refusal(
        new RegExp(
          `the function Two/Theirs is in ${region} of account ${account}, but the schedule is in .*; ` +
            `make the schedule in a stack of the function's ${difference}$`,
        ),
      ),
    )
  })
})

describe('the retries of a function', () => {
  test('cannot be set by another construct', () => {
    const stack = newStack()
    const configured = aFunction(stack, 'Configured')
    new EventInvokeConfig(stack, 'Retries', { function: configured, retryAttempts: 0 })
    expect(() => elector(stack)(configured)).toThrow(refusal(`the function Stack/Configured ${HAS_RETRIES}`))
  })

  test('are set once for each qualifier, in all stacks together', () => {
    const { one, two } = twoStacks({ env: ENV })
    const [electInOne, electInTwo] = [elector(one), elector(two)]
    electInOne(importAlias(one, 'Live'))
    electInOne(importAlias(one, 'Next', 'next'))
    electInOne(importFunction(one, 'Itself'))
    expect(() => electInOne(importAlias(one, 'Again'))).toThrow(HAS_RETRIES)
    expect(() => electInTwo(importAlias(two, 'Again'))).toThrow(HAS_RETRIES)
    expect(() => electInOne(importFunction(one, 'Twice'))).toThrow(HAS_RETRIES)
    expect(() => electInTwo(importFunction(two, 'Itself'))).toThrow(HAS_RETRIES)
  })
})

describe('an imported function', () => {
  const elected = () => {
    const { stack, leaseTable } = stackWithTable()
    elector(stack, leaseTable)(importFunction(stack, 'Theirs'))
    return { stack, template: Template.fromStack(stack) }
  }

  test.each(['live', '3', '$LATEST'])('is refused with the qualifier %s in its ARN, also behind an alias', (of) => {
    const stack = newStack({ env: ENV })
    const elect = elector(stack)
    const lambda = importFunction(stack, 'Theirs', 'eu-central-1', ACCOUNT, `:${of}`)
    for (const handler of [lambda, importAlias(stack, 'Alias', 'live', lambda)]) {
      expect(() => elect(handler)).toThrow(refusal(`Stack/Theirs is imported by an ARN with the qualifier ":${of}"`))
    }
  })

  test('is refused by its name alone, because it cannot get permissions', () => {
    const stack = newStack()
    expect(() => elector(stack)(LambdaFunction.fromFunctionName(stack, 'Theirs', 'theirs'))).toThrow(
      refusal(/the function Stack\/Theirs is imported without its role, .* `Function.fromFunctionAttributes\(….*`$/),
    )
  })

  test('is retried and invoked, after its role has the permissions to lead and to report failures', () => {
    const { template } = elected()
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

  test('causes a warning, because its environment cannot be set here', () => {
    const pattern = 'is imported.*make sure that it has LEASE_TABLE, LEASE_NAME, LEASE_MS.*tenure:ForeignFunction'
    Annotations.fromStack(elected().stack).hasWarning('/Stack/Elected1', Match.stringLikeRegexp(pattern))
  })
})
