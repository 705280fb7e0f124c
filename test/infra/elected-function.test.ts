import { ArnFormat, Duration, NestedStack, Stack } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Alias, EventInvokeConfig, type IFunction, Function as LambdaFunction, Version } from 'aws-cdk-lib/aws-lambda'
import { describe, expect, test } from 'vitest'
import { ConfigurationError, ElectedSchedule, LeaseTable } from '../../infra/constructs/index.ts'
import { aFunction, newApp } from '../support/cdk-app.ts'

const hourly = { rate: Duration.hours(1) }

function aStack() {
  const stack = new Stack(newApp(), 'Stack')
  return { stack, leaseTable: new LeaseTable(stack, 'Leases') }
}

/** The CDK's own types do not take an alias for a function under `exactOptionalPropertyTypes`. */
const asFunction = (alias: object): IFunction => Object.assign(JSON.parse('{ "alias": null }'), { alias }).alias

describe('the environment of a function', () => {
  const withVariables = (environment: Record<string, string>) => {
    const { stack, leaseTable } = aStack()
    const handler = aFunction(stack, 'Function', { environment })
    const elect = () => new ElectedSchedule(stack, 'Elected', { leaseTable, lease: 'billing', handler, ...hourly })
    return { stack, handler, elect }
  }

  test('may name this very lease already', () => {
    const { stack, elect } = withVariables({ LEASE_NAME: 'billing', MINE: 'kept' })
    elect()
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ LEASE_NAME: 'billing', LEASE_MS: '15000', MINE: 'kept' }) },
    })
  })

  test('may not name another, which would be overwritten', () => {
    const { elect } = withVariables({ LEASE_NAME: 'theirs', LEASE_MS: '1' })
    expect(elect).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: expect.stringMatching(
          /^Stack\/Elected: the function Stack\/Function has the environment variable LEASE_NAME="theirs", but this schedule sets LEASE_NAME="billing"; leave it to the schedule.*; .*LEASE_MS="1"/,
        ),
      }),
    )
  })

  test('may not be set otherwise afterwards', () => {
    const { stack, handler, elect } = withVariables({})
    elect()
    handler.addEnvironment('LEASE_MS', '60000')
    expect(() => Template.fromStack(stack)).toThrow(
      '[Stack/Elected] the function Stack/Function has the environment variable LEASE_MS="60000", but this schedule sets LEASE_MS="15000"',
    )
  })
})

describe('an alias or a version', () => {
  function electedAlias({ isCurrent = true, timeout = Duration.seconds(30) } = {}) {
    const { stack, leaseTable } = aStack()
    const handler = aFunction(stack, 'Function', { timeout })
    const published = Version.fromVersionAttributes(stack, 'V1', { lambda: handler, version: '1' })
    const alias = isCurrent
      ? handler.addAlias('live')
      : new Alias(stack, 'Live', { aliasName: 'live', version: published })
    // The CDK's own types do not take an alias for a function under `exactOptionalPropertyTypes`.
    const props = Object.assign(JSON.parse('{}'), { leaseTable, lease: 'billing', handler: alias, ...hourly })
    new ElectedSchedule(stack, 'Elected', props)
    return { stack, leaseTable, handler, alias }
  }

  test('is fired, and its function told its lease, which the current version is published with', () => {
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

  test('draws a warning if it keeps the environment that it was published with', () => {
    const { stack } = electedAlias({ isCurrent: false })
    Annotations.fromStack(stack).hasWarning(
      '/Stack/Elected',
      Match.stringLikeRegexp('make it of `currentVersion`, or publish a new version.*tenure:PublishedVersion'),
    )
  })

  test("is judged by its function's time-out", () => {
    expect(() => electedAlias({ timeout: Duration.minutes(16) })).toThrow("the function's time-out is 960 s")
  })

  test('may stand for the lease of its function beside it, and for no other', () => {
    const { stack, leaseTable, handler } = electedAlias()
    const beside = (id: string, lease: string) =>
      new ElectedSchedule(stack, id, { leaseTable, lease, handler, ...hourly })
    expect(() => beside('Other', 'other')).toThrow(
      'Stack/Other: the function Stack/Function has the environment variable LEASE_NAME="billing", but this schedule sets LEASE_NAME="other"',
    )
    const same = electedAlias()
    new ElectedSchedule(same.stack, 'Same', {
      leaseTable: same.leaseTable,
      lease: 'billing',
      handler: same.handler,
      ...hourly,
    })
    expect(() => Template.fromStack(same.stack)).not.toThrow()
  })
})

describe('a function that two stacks would need', () => {
  const env = { region: 'eu-central-1', account: '111111111111' }
  function twoStacks() {
    const app = newApp()
    const [theirs, ours] = ['Theirs', 'Ours'].map((id) => new Stack(app, id, { env }))
    if (theirs === undefined || ours === undefined) throw new Error('there are two')
    const leaseTable = new LeaseTable(ours, 'Leases')
    let schedules = 0
    const elect = (handler: IFunction) => () =>
      new ElectedSchedule(ours, `Elected${++schedules}`, { leaseTable, lease: 'billing', handler, ...hourly })
    return { app, theirs, ours, elect }
  }

  test('is refused: the schedule belongs into its stack', () => {
    const { theirs, elect } = twoStacks()
    const handler = aFunction(theirs, 'Function')
    expect(elect(handler)).toThrow(ConfigurationError)
    expect(elect(handler)).toThrow(
      "Ours/Elected2: the function Theirs/Function is made in the stack Theirs, which would need this one, and this one it; make the schedule in the function's stack: `new ElectedSchedule(Theirs, …)`",
    )
  })

  test('is refused in a nested stack too', () => {
    const { ours, elect } = twoStacks()
    expect(elect(aFunction(new NestedStack(ours, 'Nested'), 'Function'))).toThrow(
      'the function Ours/Nested/Function is made in the stack Ours/Nested',
    )
  })

  test("is refused behind an alias of this stack, and an alias of it behind a schedule in the function's stack", () => {
    const { theirs, ours, elect } = twoStacks()
    const role = Role.fromRoleArn(theirs, 'Role', 'arn:aws:iam::111111111111:role/theirs')
    const aliasIn = (stack: Stack, handler: LambdaFunction) =>
      asFunction(
        new Alias(
          stack,
          'Alias',
          Object.assign(JSON.parse('{ "aliasName": "live" }'), { version: handler.currentVersion }),
        ),
      )
    expect(elect(aliasIn(ours, aFunction(theirs, 'Function', { role })))).toThrow(
      "Ours/Elected1: the function Theirs/Function is made in the stack Theirs, which would need this one, and this one it; make the schedule in the function's stack: `new ElectedSchedule(Theirs, …)`, and Ours/Alias there too",
    )
    expect(elect(aliasIn(theirs, aFunction(ours, 'Function')))).toThrow(
      "Ours/Elected2: Theirs/Alias is made in the stack Theirs, but its function Ours/Function and the schedule in another; make it in the function's stack",
    )
  })

  test('is refused if its role is made elsewhere, and works if that role is imported or takes no policies', () => {
    const { app, theirs, ours, elect } = twoStacks()
    const role = new Role(theirs, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    expect(elect(aFunction(ours, 'One', { role }))).toThrow(
      "the role Theirs/Role of the function is made in the stack Theirs, which would need this one, and this one it; make the role in the function's stack, or give the function `Role.fromRoleArn(this, …, role.roleArn)`",
    )
    elect(aFunction(ours, 'Two', { role: Role.fromRoleArn(ours, 'Imported', role.roleArn) }))()
    elect(aFunction(ours, 'Three', { role: role.withoutPolicyUpdates() }))()
    expect(() => app.synth()).not.toThrow()
  })

  test.each([
    ['Region', 'us-east-1', '111111111111'],
    ['account', 'eu-central-1', '222222222222'],
  ])('is refused in another %s', (what, region, account) => {
    const { ours, elect } = twoStacks()
    const functionArn = `arn:aws:lambda:${region}:${account}:function:theirs`
    const role = Role.fromRoleArn(ours, 'Role', `arn:aws:iam::${account}:role/theirs`)
    expect(elect(LambdaFunction.fromFunctionAttributes(ours, 'Theirs', { functionArn, role }))).toThrow(
      `Ours/Elected1: the function Ours/Theirs is in ${region} of account ${account}, but the schedule in eu-central-1 of account 111111111111; make the schedule in a stack of the function's ${what}`,
    )
  })
})

describe('a function that is imported', () => {
  const env = { region: 'eu-central-1', account: '111111111111' }
  const functionArn = 'arn:aws:lambda:eu-central-1:111111111111:function:theirs'
  function imported(stack: Stack, id: string, arn = functionArn) {
    const role = Role.fromRoleArn(stack, `${id}Role`, 'arn:aws:iam::111111111111:role/theirs')
    return LambdaFunction.fromFunctionAttributes(stack, id, { functionArn: arn, role, sameEnvironment: true })
  }
  function importedAlias(stack: Stack, id: string, aliasName: string, ofArn = functionArn) {
    const lambda = imported(stack, `${id}Function`, ofArn)
    const aliasVersion = Version.fromVersionAttributes(stack, `${id}Version`, { lambda, version: '3' })
    return asFunction(Alias.fromAliasAttributes(stack, id, { aliasName, aliasVersion }))
  }
  const electIn = (stack: Stack, handler: IFunction) => () =>
    new ElectedSchedule(stack, `Elect${handler.node.id}`, {
      leaseTable: new LeaseTable(stack, `${handler.node.id}Leases`),
      lease: 'billing',
      handler,
      ...hourly,
    })

  test('is refused by an ARN with a qualifier, also behind an alias', () => {
    const stack = new Stack(newApp(), 'Stack', { env })
    for (const qualifier of ['live', '3', '$LATEST']) {
      expect(electIn(stack, imported(stack, `Of${qualifier}`, `${functionArn}:${qualifier}`))).toThrow(
        `Stack/ElectOf${qualifier}: the function Stack/Of${qualifier} is imported by an ARN that ends in the qualifier ":${qualifier}", whose retries could not be set; import it without, and of that function the alias, \`Alias.fromAliasAttributes(`,
      )
    }
    expect(electIn(stack, importedAlias(stack, 'Alias', 'live', `${functionArn}:live`))).toThrow(ConfigurationError)
  })

  test('has its retries set once for each qualifier, in all stacks together', () => {
    const app = newApp()
    const [one, two] = ['One', 'Two'].map((id) => new Stack(app, id, { env }))
    if (one === undefined || two === undefined) throw new Error('there are two')
    electIn(one, importedAlias(one, 'Live', 'live'))()
    electIn(one, importedAlias(one, 'Next', 'next'))()
    electIn(one, imported(one, 'Itself'))()
    for (const again of [
      importedAlias(one, 'Again', 'live'),
      importedAlias(two, 'Again', 'live'),
      imported(two, 'Itself'),
    ]) {
      expect(electIn(again.stack, again)).toThrow('already has an asynchronous invoke configuration')
    }
  })
})

test('The latest version of a function is the function itself: no warning, and not twice', () => {
  const { stack, leaseTable } = aStack()
  const handler = aFunction(stack, 'Function')
  const elect = (id: string, elected: IFunction) =>
    new ElectedSchedule(stack, id, { leaseTable, lease: 'billing', handler: elected, ...hourly })
  expect(elect('Latest', handler.latestVersion).handler).toBe(handler)
  Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue())
  expect(() => elect('Itself', handler)).toThrow('already has an asynchronous invoke configuration')
  const other = aFunction(stack, 'Other')
  elect('OtherItself', other)
  expect(() => elect('OtherLatest', other.latestVersion)).toThrow('already has an asynchronous invoke configuration')
})

test('A function is refused whose retries are configured elsewhere, or that is imported twice', () => {
  const { stack, leaseTable } = aStack()
  const elect = (handler: IFunction) => () =>
    new ElectedSchedule(stack, `Elect${handler.node.id}`, { leaseTable, lease: 'billing', handler, ...hourly })
  const configured = aFunction(stack, 'Configured')
  new EventInvokeConfig(stack, 'Retries', { function: configured, retryAttempts: 0 })
  expect(elect(configured)).toThrow('the function Stack/Configured already has an asynchronous invoke configuration')
  const role = Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::111111111111:role/theirs')
  const functionArn = 'arn:aws:lambda:eu-central-1:111111111111:function:theirs'
  const [once, twice] = ['Once', 'Twice'].map((id) =>
    LambdaFunction.fromFunctionAttributes(stack, id, { functionArn, role, sameEnvironment: true }),
  )
  if (once === undefined || twice === undefined) throw new Error('there are two')
  elect(once)()
  expect(elect(twice)).toThrow('the function Stack/Twice already has an asynchronous invoke configuration')
})

describe('a function that was not made in this app', () => {
  test.each([
    ['name', (stack: Stack) => LambdaFunction.fromFunctionName(stack, 'Theirs', 'theirs')],
    [
      'ARN',
      (stack: Stack) =>
        LambdaFunction.fromFunctionArn(
          stack,
          'Theirs',
          stack.formatArn({
            service: 'lambda',
            resource: 'function',
            resourceName: 'theirs',
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        ),
    ],
  ])('is refused if it is imported by its %s alone: it could not be permitted anything', (_, imported) => {
    const { stack, leaseTable } = aStack()
    const elect = () =>
      new ElectedSchedule(stack, 'Elected', { leaseTable, lease: 'billing', handler: imported(stack), ...hourly })
    expect(elect).toThrow(
      /^Stack\/Elected: the function Stack\/Theirs is imported without its role, .* `Function.fromFunctionAttributes\(…, \{ functionArn, role, sameEnvironment: true \}\)`$/,
    )
  })

  test('is configured and fired only when its role may lead and report', () => {
    const template = Template.fromStack(electedForeign())
    const [policy] = Object.keys(template.findResources('AWS::IAM::Policy', { Properties: { Roles: ['theirs'] } }))
    const waiting = ['AWS::Lambda::EventInvokeConfig', 'AWS::Scheduler::Schedule'].flatMap((type) =>
      Object.values(template.findResources(type)),
    )
    expect(waiting).toHaveLength(3)
    for (const { DependsOn } of waiting) expect(DependsOn).toContain(policy)
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: 'sqs:SendMessage' }),
          Match.objectLike({ Action: Match.arrayWith(['dynamodb:UpdateItem']) }),
        ]),
      },
    })
  })

  function electedForeign() {
    const { stack, leaseTable } = aStack()
    const role = Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::111111111111:role/theirs')
    const functionArn = 'arn:aws:lambda:eu-central-1:111111111111:function:theirs'
    const handler = LambdaFunction.fromFunctionAttributes(stack, 'Theirs', { functionArn, role, sameEnvironment: true })
    new ElectedSchedule(stack, 'Elected', { leaseTable, lease: 'billing', handler, ...hourly })
    return stack
  }

  test('is fired, retried and permitted to lead like any other', () => {
    const template = Template.fromStack(electedForeign())
    template.resourceCountIs('AWS::Scheduler::Schedule', 2)
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: 'theirs',
      MaximumRetryAttempts: 2,
    })
    template.hasResourceProperties('AWS::IAM::Policy', { Roles: ['theirs'] })
  })

  test('draws a warning, because its environment cannot be set from here', () => {
    Annotations.fromStack(electedForeign()).hasWarning(
      '/Stack/Elected',
      Match.stringLikeRegexp(
        'is imported.*check that it has LEASE_TABLE, LEASE_NAME, LEASE_MS.*tenure:ForeignFunction',
      ),
    )
  })
})
