import { Duration } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { beforeAll, describe, expect, test } from 'vitest'
import { ConfigurationError } from '../../infra/constructs/index.ts'
import { BillingStack, type BillingStackProps } from '../../infra/stacks/billing-stack.ts'
import { newApp } from '../support/cdk-app.ts'

/** Without bundling, which app.test.ts covers. */
function synthesized(props: BillingStackProps = {}): Template {
  const app = newApp({ context: { 'aws:cdk:bundling-stacks': [] } })
  return Template.fromStack(new BillingStack(app, 'Billing', props))
}

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
}

let template: Template
let withRealGateway: Template
beforeAll(() => {
  template = synthesized()
  withRealGateway = synthesized({ gatewayUrl: 'https://api.stripe.com' })
})

function logicalId(type: string, prefix: string, of = template): string {
  return Object.keys(of.findResources(type)).find((id) => id.startsWith(prefix)) ?? `no ${prefix}`
}

/** What all roles of the stack are allowed, as pairs of an action and the text of its resource. */
function allowed(of = template): { readonly action: string; readonly resource: string }[] {
  const documents = [
    ...Object.values(of.findResources('AWS::IAM::Policy')).map(({ Properties }) => Properties.PolicyDocument),
    ...Object.values(of.findResources('AWS::IAM::Role')).flatMap(({ Properties }) =>
      (Properties.Policies ?? []).map((policy: { PolicyDocument: unknown }) => policy.PolicyDocument),
    ),
  ]
  const statements: Statement[] = documents.flatMap((document) => document.Statement)
  return statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource }) =>
      [Action].flat().map((action) => ({ action, resource: JSON.stringify(Resource) })),
    )
}

const actionsOn = (resource: unknown, of = template) =>
  allowed(of)
    .filter((permission) => permission.resource === JSON.stringify(resource))
    .map(({ action }) => action)

const arnOf = (table: string) => ({ 'Fn::GetAtt': [logicalId('AWS::DynamoDB::GlobalTable', table), 'Arn'] })

/** The variables of the function with this logical id. */
function variablesOf(prefix: string, of = template): Record<string, unknown> {
  return of.findResources('AWS::Lambda::Function')[logicalId('AWS::Lambda::Function', prefix, of)]?.['Properties']
    .Environment.Variables
}

describe('permissions', () => {
  test('on the lease table are updates and condition checks: no role may delete or replace a lease', () => {
    const onLeases = allowed().filter(({ resource }) => resource.includes('"Leases'))
    expect(onLeases.map(({ action }) => action)).toEqual(['dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'])
  })

  test('on subscriptions are a query of the index of due ones, and updates', () => {
    expect(actionsOn(arnOf('Subscriptions'))).toEqual(['dynamodb:UpdateItem'])
    expect(actionsOn({ 'Fn::Join': ['', [arnOf('Subscriptions'), '/index/due']] })).toEqual(['dynamodb:Query'])
  })

  test('on charges are updates of the ledger: no entry is replaced whole, and none deleted', () => {
    expect(actionsOn(arnOf('Charges'))).toEqual(['dynamodb:UpdateItem'])
  })

  test('name each action and each resource, without wildcards and without managed policies', () => {
    for (const of of [template, withRealGateway]) {
      for (const { action, resource } of allowed(of)) expect(action + resource).not.toContain('*')
      of.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() })
    }
  })
})

describe('the tables of the business', () => {
  test.each(['Subscriptions', 'Charges'])('%s outlives the stack, refuses deletion and can be restored', (name) => {
    const { [logicalId('AWS::DynamoDB::GlobalTable', name)]: table } =
      template.findResources('AWS::DynamoDB::GlobalTable')
    expect(table).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        Replicas: [
          {
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        ],
      },
    })
  })

  test('find subscriptions by the time they fall due, by an index that holds keys only', () => {
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      KeySchema: [
        { AttributeName: 'customer', KeyType: 'HASH' },
        { AttributeName: 'plan', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    })
  })

  test('keep one row per charge of a customer', () => {
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      KeySchema: [
        { AttributeName: 'customer', KeyType: 'HASH' },
        { AttributeName: 'charge', KeyType: 'RANGE' },
      ],
    })
  })
})

describe('the function', () => {
  test('runs on the pinned runtime, on arm64, for at most five minutes', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: 512,
      Timeout: 300,
      TracingConfig: Match.absent(),
    })
  })

  test('finds its tables and its lease by its environment', () => {
    expect(variablesOf('ChargeSubscriptions')).toMatchObject({
      LEASE_TABLE: { Ref: logicalId('AWS::DynamoDB::GlobalTable', 'Leases') },
      LEASE_NAME: 'billing',
      LEASE_MS: '15000',
      SUBSCRIPTIONS_TABLE: { Ref: logicalId('AWS::DynamoDB::GlobalTable', 'Subscriptions') },
      CHARGES_TABLE: { Ref: logicalId('AWS::DynamoDB::GlobalTable', 'Charges') },
    })
  })

  test('logs JSON to a group of its own, kept for three months', () => {
    const logs = logicalId('AWS::Logs::LogGroup', 'ChargeSubscriptions')
    template.hasResourceProperties('AWS::Lambda::Function', {
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: logs } },
    })
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 })
  })
})

describe('the schedule', () => {
  test('fires two candidates every hour', () => {
    template.resourceCountIs('AWS::Scheduler::Schedule', 2)
    template.allResourcesProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(1 hour)' })
  })

  test('fires as many candidates, for leases as long, as the app asks for', () => {
    const other = synthesized({ candidates: 4, leaseDuration: Duration.millis(1500) })
    other.resourceCountIs('AWS::Scheduler::Schedule', 4)
    other.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { LEASE_MS: '1500' } } })
  })
})

describe('without a gateway, the sandbox', () => {
  const sandbox = () => logicalId('AWS::Lambda::Function', 'Sandbox')

  test('is what the function charges at, and all that it is told of gateways', () => {
    const { GATEWAY_FUNCTION, ...others } = variablesOf('ChargeSubscriptions')
    expect(GATEWAY_FUNCTION).toEqual({ Ref: sandbox() })
    expect(Object.keys(others).filter((name) => name.startsWith('GATEWAY'))).toEqual([])
    template.resourceCountIs('AWS::SecretsManager::Secret', 0)
  })

  test('may be invoked by that function, and by nobody else: it has no URL', () => {
    expect(
      allowed().filter(({ action }) => action.startsWith('lambda:') && action !== 'lambda:InvokeFunction'),
    ).toEqual([])
    const invokers = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
      JSON.stringify(Properties.PolicyDocument).includes(sandbox()),
    )
    expect(invokers).toMatchObject([
      { Properties: { Roles: [{ Ref: logicalId('AWS::IAM::Role', 'ChargeSubscriptionsRole') }] } },
    ])
    expect(actionsOn({ 'Fn::GetAtt': [sandbox(), 'Arn'] })).toEqual(['lambda:InvokeFunction'])
    template.resourceCountIs('AWS::Lambda::Url', 0)
    template.resourceCountIs('AWS::Lambda::Permission', 0)
  })

  test('has time to answer later than anybody waits', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 20,
      Environment: { Variables: { SANDBOX_TABLE: { Ref: logicalId('AWS::DynamoDB::GlobalTable', 'Sandbox') } } },
    })
  })

  test('may update and query its table, which goes with the stack', () => {
    expect(actionsOn(arnOf('Sandbox'))).toEqual(['dynamodb:UpdateItem', 'dynamodb:Query'])
    const { [logicalId('AWS::DynamoDB::GlobalTable', 'Sandbox')]: table } =
      template.findResources('AWS::DynamoDB::GlobalTable')
    expect(table).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'customer', KeyType: 'HASH' },
          { AttributeName: 'key', KeyType: 'RANGE' },
        ],
      },
    })
  })
})

describe('with a real gateway', () => {
  const secret = () => logicalId('AWS::SecretsManager::Secret', 'Gateway', withRealGateway)

  test('there is nothing of the sandbox', () => {
    withRealGateway.resourceCountIs('AWS::Lambda::Function', 1)
    withRealGateway.resourceCountIs('AWS::DynamoDB::GlobalTable', 3)
    expect(JSON.stringify(withRealGateway)).not.toMatch(/sandbox|GATEWAY_FUNCTION/i)
  })

  test('the function is told its URL, and which secret holds its key', () => {
    expect(variablesOf('ChargeSubscriptions', withRealGateway)).toMatchObject({
      GATEWAY_URL: 'https://api.stripe.com',
      GATEWAY_SECRET: { Ref: secret() },
    })
  })

  test('the function may read that secret, and no other', () => {
    const ofSecrets = allowed(withRealGateway).filter(({ action }) => action.startsWith('secretsmanager:'))
    expect(ofSecrets).toEqual([
      { action: 'secretsmanager:GetSecretValue', resource: JSON.stringify({ Ref: secret() }) },
    ])
  })

  test('its secret outlives the stack, and holds no key when it is new', () => {
    withRealGateway.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { GenerateSecretString: { GenerateStringKey: 'placeholder' }, SecretString: Match.absent() },
    })
  })

  test.each(['', 'http://gateway.example', 'https://two words', 'null'])('its URL may not be %j', (gatewayUrl) => {
    expect(() => synthesized({ gatewayUrl })).toThrow(ConfigurationError)
    expect(() => synthesized({ gatewayUrl })).toThrow(
      `Billing/Gateway: the gateway's URL is "${gatewayUrl}"; give an https:// URL`,
    )
  })

  test('a key in its URL is not repeated in the error', () => {
    expect(() => synthesized({ gatewayUrl: 'https://sk_test_1:@api.stripe.com' })).toThrow(
      "the gateway's URL is one that is not shown, as it may hold a key; give",
    )
  })
})

test('the outputs name what an operator needs', () => {
  const always = ['LeaseTableName', 'SubscriptionsTableName', 'ChargesTableName', 'FunctionName', 'FailureQueueUrl']
  expect(Object.keys(template.findOutputs('*'))).toEqual(['SandboxFunctionName', ...always])
  expect(Object.keys(withRealGateway.findOutputs('*'))).toEqual(['GatewaySecretName', ...always])
})

test('a stack has no parameters to be forgotten at a deployment', () => {
  expect(Object.keys(template.findParameters('*'))).toEqual(['BootstrapVersion'])
})
