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

let template: Template
let withRealGateway: Template
beforeAll(() => {
  template = synthesized()
  withRealGateway = synthesized({ gatewayUrl: 'https://api.stripe.com' })
})

function logicalId(type: string, prefix: string, of = template): string {
  return Object.keys(of.findResources(type)).find((id) => id.startsWith(prefix)) ?? `no ${prefix}`
}

/** The variables of the function with this logical id. */
function variablesOf(prefix: string, of = template): Record<string, unknown> {
  return of.findResources('AWS::Lambda::Function')[logicalId('AWS::Lambda::Function', prefix, of)]?.['Properties']
    .Environment.Variables
}

test('no change of the code gives a table that is kept another logical id, which would replace it by an empty one', () => {
  const kept = Object.keys(template.findResources('AWS::DynamoDB::GlobalTable', { DeletionPolicy: 'Retain' }))
  expect(kept.toSorted()).toEqual(['Charges260CEA4B', 'LeasesEBFF46EF', 'Subscriptions1F71F6D8'])
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

  test.each(['Leases', 'Subscriptions', 'Charges'])('%s goes with the stack where somebody names it', (name) => {
    const named = synthesized({ deleteTables: [name] })
    const deleted = Object.entries(named.findResources('AWS::DynamoDB::GlobalTable', { DeletionPolicy: 'Delete' }))
    const [[id, table] = [], ...others] = deleted.filter(([id]) => !id.startsWith('Sandbox'))
    expect(others).toEqual([])
    expect(id).toMatch(new RegExp(`^${name}`))
    expect(table?.['Properties'].Replicas).toMatchObject([{ DeletionProtectionEnabled: false }])
  })

  test('are known by name: another one is refused, before somebody believes it deleted', () => {
    expect(() => synthesized({ deleteTables: ['Leases', 'leases'] })).toThrow(
      'Billing: `deleteTables` names "leases"; the tables are Leases, Subscriptions, Charges',
    )
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

  test('is there and does not fire, where the app says so', () => {
    const off = synthesized({ enabled: false })
    off.allResourcesProperties('AWS::Scheduler::Schedule', { State: 'DISABLED' })
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

  test('can be reached by IAM alone: it has no URL, and no policy that lets others in', () => {
    template.resourceCountIs('AWS::Lambda::Url', 0)
    template.resourceCountIs('AWS::Lambda::Permission', 0)
  })

  test('has time to answer later than anybody waits', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 20,
      Environment: { Variables: { SANDBOX_TABLE: { Ref: logicalId('AWS::DynamoDB::GlobalTable', 'Sandbox') } } },
    })
  })

  test('has a table that goes with the stack', () => {
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
    withRealGateway.resourceCountIs('AWS::Lambda::Function', 3)
    withRealGateway.resourceCountIs('AWS::DynamoDB::GlobalTable', 3)
    expect(JSON.stringify(withRealGateway)).not.toMatch(/sandbox|GATEWAY_FUNCTION/i)
  })

  test('the function is told its URL, and which secret holds its key', () => {
    expect(variablesOf('ChargeSubscriptions', withRealGateway)).toMatchObject({
      GATEWAY_URL: 'https://api.stripe.com',
      GATEWAY_SECRET: { Ref: secret() },
    })
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

describe('alarms', () => {
  test('are told to a topic, when they go off and when they are over', () => {
    const topic = { Ref: logicalId('AWS::SNS::Topic', 'AlarmTopic') }
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topic], OKActions: [topic] })
    template.resourceCountIs('AWS::SNS::Subscription', 0)
  })

  test('reach whoever the app names', () => {
    synthesized({ alarmEmail: 'oncall@example.com' }).hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'oncall@example.com',
    })
  })
})

test('the outputs name what an operator needs', () => {
  const always = [
    ...['LeaseTableName', 'SubscriptionsTableName', 'ChargesTableName', 'FunctionName', 'FailureQueueUrl'],
    ...['UnannouncedQueueUrl', 'AlarmTopicArn', 'DashboardName'],
  ]
  expect(Object.keys(template.findOutputs('*'))).toEqual(['SandboxFunctionName', ...always])
  expect(Object.keys(withRealGateway.findOutputs('*'))).toEqual(['GatewaySecretName', ...always])
})

test('a stack has no parameters to be forgotten at a deployment', () => {
  expect(Object.keys(template.findParameters('*'))).toEqual(['BootstrapVersion'])
})
