// @ts-nocheck
import { Duration } from 'aws-cdk-lib'
import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { billingTemplate, refusal } from '../support/cdk-app.ts'

const template = billingTemplate()
const withRealGateway = billingTemplate({ gatewayUrl: 'https://api.stripe.com' })

const TABLE = 'AWS::DynamoDB::GlobalTable'
const FUNCTION = 'AWS::Lambda::Function'

function logicalId(type: string, prefix: string, of = template): string {
  return Object.keys(of.findResources(type)).find((id) => id.startsWith(prefix)) ?? `no ${prefix}`
}

const tableOf = (prefix: string, of = template) => of.findResources(TABLE)[logicalId(TABLE, prefix, of)]
const variablesOf = (prefix: string, of = template): Record<string, unknown> =>
  of.findResources(FUNCTION)[logicalId(FUNCTION, prefix, of)]?.['Properties'].Environment.Variables
const keys = (partition: string, sort: string) => [
  { AttributeName: partition, KeyType: 'HASH' },
  { AttributeName: sort, KeyType: 'RANGE' },
]

describe('the tables', () => {
  test('keep their logical ids: with other ids, a deployment would replace them by empty tables', () => {
    const kept = Object.keys(template.findResources(TABLE, { DeletionPolicy: 'Retain' }))
    expect(kept.toSorted()).toEqual(['Charges260CEA4B', 'LeasesEBFF46EF', 'Subscriptions1F71F6D8'])
  })

  test.each(['Leases', 'Subscriptions', 'Charges'])('%s is kept unless deleteTables names it', (name) => {
    const restorable = { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }
    expect(tableOf(name)).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { BillingMode: 'PAY_PER_REQUEST', Replicas: [{ DeletionProtectionEnabled: true, ...restorable }] },
    })
    const deleted = billingTemplate({ deleteTables: [name] })
    expect(Object.keys(deleted.findResources(TABLE, { DeletionPolicy: 'Retain' }))).toHaveLength(2)
    expect(tableOf(name, deleted)).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: { Replicas: [{ DeletionProtectionEnabled: false }] },
    })
  })

  test('an unknown name in deleteTables is refused', () => {
    expect(() => billingTemplate({ deleteTables: ['Leases', 'leases'] })).toThrow(
      refusal('Billing: `deleteTables` names "leases"; the tables are Leases, Subscriptions, Charges'),
    )
  })
})

describe('the billing function', () => {
  test('has five minutes, and its tables, its lease and the sandbox in its environment', () => {
    template.hasResourceProperties(FUNCTION, { Timeout: 300 })
    expect(variablesOf('ChargeSubscriptions')).toEqual({
      NODE_OPTIONS: '--enable-source-maps',
      LEASE_TABLE: { Ref: logicalId(TABLE, 'Leases') },
      LEASE_NAME: 'billing',
      LEASE_MS: '15000',
      LEASE_SCHEDULE: 'rate(1 hour)',
      SUBSCRIPTIONS_TABLE: { Ref: logicalId(TABLE, 'Subscriptions') },
      CHARGES_TABLE: { Ref: logicalId(TABLE, 'Charges') },
      GATEWAY_FUNCTION: { Ref: logicalId(FUNCTION, 'Sandbox') },
    })
  })

  test('is invoked by two candidates every hour, or as the app sets', () => {
    const ofBilling = {
      ScheduleExpression: 'rate(1 hour)',
      Description: Match.stringLikeRegexp('for the lease billing'),
    }
    template.resourcePropertiesCountIs('AWS::Scheduler::Schedule', ofBilling, 2)
    const other = billingTemplate({ candidates: 4, leaseDuration: Duration.millis(1500), enabled: false })
    other.resourcePropertiesCountIs('AWS::Scheduler::Schedule', { ...ofBilling, State: 'DISABLED' }, 4)
    other.hasResourceProperties(FUNCTION, { Environment: { Variables: { LEASE_MS: '1500' } } })
  })
})

describe('the sandbox', () => {
  test('is reachable by IAM only, has more time than billing waits, and its table goes with the stack', () => {
    template.resourceCountIs('AWS::Lambda::Url', 0)
    template.resourceCountIs('AWS::Lambda::Permission', 0)
    template.resourceCountIs('AWS::SecretsManager::Secret', 0)
    template.hasResourceProperties(FUNCTION, {
      Timeout: 20,
      Environment: { Variables: { SANDBOX_TABLE: { Ref: logicalId(TABLE, 'Sandbox') } } },
    })
    expect(tableOf('Sandbox')).toMatchObject({
      DeletionPolicy: 'Delete',
      Properties: { BillingMode: 'PAY_PER_REQUEST', KeySchema: keys('customer', 'key') },
    })
  })
})

describe('a real gateway', () => {
  test('is named by its URL and the secret with its key', () => {
    expect(variablesOf('ChargeSubscriptions', withRealGateway)).toMatchObject({
      GATEWAY_URL: 'https://api.stripe.com',
      GATEWAY_SECRET: { Ref: logicalId('AWS::SecretsManager::Secret', 'Gateway', withRealGateway) },
    })
  })

  test('has a secret that outlives the stack, and contains no key when it is new', () => {
    withRealGateway.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { GenerateSecretString: { GenerateStringKey: 'placeholder' }, SecretString: Match.absent() },
    })
  })

  test.each([
    ['http://gateway.example', '"http://gateway.example"'],
    ['https://sk_test_1:@api.stripe.com', 'one that is not shown, as it may hold a key'],
  ])('cannot have the URL %s', (gatewayUrl, shown) => {
    const message = `Billing/Gateway: the gateway's URL is ${shown}; give an https:// URL`
    expect(() => billingTemplate({ gatewayUrl })).toThrow(refusal(message))
  })
})

test('alarms notify a topic when they go off and when they return to OK, and the topic notifies alarmEmail', () => {
  const topic = { Ref: logicalId('AWS::SNS::Topic', 'AlarmTopic') }
  template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topic], OKActions: [topic] })
  template.resourceCountIs('AWS::CloudWatch::Alarm', 6)
  template.resourceCountIs('AWS::SNS::Subscription', 0)
  billingTemplate({ alarmEmail: 'oncall@example.com' }).hasResourceProperties('AWS::SNS::Subscription', {
    Protocol: 'email',
    Endpoint: 'oncall@example.com',
  })
})

test('the stack has the outputs that an operator needs, and no parameters', () => {
  const always = [
    ...['LeaseTableName', 'SubscriptionsTableName', 'ChargesTableName', 'FunctionName', 'FailureQueueUrl'],
    ...['UnannouncedQueueUrl', 'AlarmTopicArn', 'DashboardName'],
  ]
  expect(Object.keys(template.findOutputs('*'))).toEqual(['SandboxFunctionName', ...always])
  expect(Object.keys(withRealGateway.findOutputs('*'))).toEqual(['GatewaySecretName', ...always])
  expect(Object.keys(template.findParameters('*'))).toEqual(['BootstrapVersion'])
})
