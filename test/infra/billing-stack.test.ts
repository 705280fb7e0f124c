import { Duration } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { beforeAll, describe, expect, test } from 'vitest'
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
beforeAll(() => {
  template = synthesized()
})

function logicalId(type: string, prefix: string): string {
  return Object.keys(template.findResources(type)).find((id) => id.startsWith(prefix)) ?? `no ${prefix}`
}

/** What all roles of the stack are allowed, as pairs of an action and the text of its resource. */
function allowed(): { readonly action: string; readonly resource: string }[] {
  const documents = [
    ...Object.values(template.findResources('AWS::IAM::Policy')).map(({ Properties }) => Properties.PolicyDocument),
    ...Object.values(template.findResources('AWS::IAM::Role')).flatMap(({ Properties }) =>
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

const actionsOn = (resource: unknown) =>
  allowed()
    .filter((permission) => permission.resource === JSON.stringify(resource))
    .map(({ action }) => action)

const arnOf = (table: string) => ({ 'Fn::GetAtt': [logicalId('AWS::DynamoDB::GlobalTable', table), 'Arn'] })

describe('permissions', () => {
  test('on the lease table are updates and condition checks: no role may delete or replace a lease', () => {
    const onLeases = allowed().filter(({ resource }) => resource.includes('"Leases'))
    expect(onLeases.map(({ action }) => action)).toEqual(['dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'])
  })

  test('on subscriptions are a query of the index of due ones, and updates', () => {
    expect(actionsOn(arnOf('Subscriptions'))).toEqual(['dynamodb:UpdateItem'])
    expect(actionsOn({ 'Fn::Join': ['', [arnOf('Subscriptions'), '/index/due']] })).toEqual(['dynamodb:Query'])
  })

  test('on charges are additions to the ledger', () => {
    expect(actionsOn(arnOf('Charges'))).toEqual(['dynamodb:PutItem'])
  })

  test('name each action and each resource, without wildcards and without managed policies', () => {
    for (const { action, resource } of allowed()) expect(action + resource).not.toContain('*')
    template.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() })
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
    template.resourceCountIs('AWS::Lambda::Function', 1)
    template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: 512,
      Timeout: 300,
      TracingConfig: Match.absent(),
    })
  })

  test('finds its tables, its lease and the gateway by its environment', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: {
          LEASE_TABLE: { Ref: logicalId('AWS::DynamoDB::GlobalTable', 'Leases') },
          LEASE_NAME: 'billing',
          LEASE_MS: '15000',
          SUBSCRIPTIONS_TABLE: { Ref: logicalId('AWS::DynamoDB::GlobalTable', 'Subscriptions') },
          CHARGES_TABLE: { Ref: logicalId('AWS::DynamoDB::GlobalTable', 'Charges') },
          GATEWAY_URL: { Ref: 'GatewayUrl' },
        },
      },
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

describe('the gateway URL', () => {
  const gatewayUrl = () => template.findParameters('GatewayUrl')['GatewayUrl'] ?? {}
  const accepts = (url: string) => new RegExp(gatewayUrl()['AllowedPattern']).test(url)

  test('has no default: nobody charges by accident', () => {
    expect(gatewayUrl()).toMatchObject({ Type: 'String' })
    expect(gatewayUrl()).not.toHaveProperty('Default')
  })

  test.each([
    'https://gateway.example',
    'https://gateway.example:8443/v1/',
    'http://127.0.0.1:4010',
    'http://localhost/v1',
  ])('may be %s', (url) => expect(accepts(url)).toBe(true))

  test.each([
    '',
    'gateway.example',
    'http://gateway.example',
    'http://localhost.gateway.example',
    'http://127.0.0.1@gateway.example',
    'https://',
    'https://two words',
  ])('may not be %j', (url) => expect(accepts(url)).toBe(false))
})

test('the outputs name what an operator needs', () => {
  expect(Object.keys(template.findOutputs('*'))).toEqual([
    'LeaseTableName',
    'SubscriptionsTableName',
    'ChargesTableName',
    'FunctionName',
    'FailureQueueUrl',
  ])
})
