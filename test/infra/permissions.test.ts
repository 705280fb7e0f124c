import { Match, Template } from 'aws-cdk-lib/assertions'
import { beforeAll, expect, test } from 'vitest'
import { HISTORY_ATTRIBUTES } from '../../infra/constructs/leadership-events.ts'
import { BillingStack, type BillingStackProps } from '../../infra/stacks/billing-stack.ts'
import { newApp } from '../support/cdk-app.ts'

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
  readonly Condition?: unknown
}

/** Without bundling, which app.test.ts covers. */
function synthesized(props: BillingStackProps = {}): Template {
  const app = newApp({ context: { 'aws:cdk:bundling-stacks': [] } })
  return Template.fromStack(new BillingStack(app, 'Billing', props))
}

/** A reference as a person would write it: logical ids without the CDK's hashes. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join }: Record<string, unknown> = { ...Object(value) }
  if (typeof ref === 'string') return withoutHash(ref)
  if (Array.isArray(attribute)) return `${withoutHash(String(attribute[0]))}.${attribute[1]}`
  if (Array.isArray(join)) return [join[1]].flat().map(shown).join(String(join[0]))
  return JSON.stringify(value)
}

const withoutHash = (id: string) => id.replace(/[0-9A-F]{8}$/, '')

/** Every statement of every role: one line for each, by role. */
function permissionsIn(template: Template): Record<string, string[]> {
  const permissions: Record<string, string[]> = {}
  const add = (role: string, statements: readonly Statement[]) => {
    const lines = statements.map(({ Effect, Action, Resource, Condition }) => {
      const condition = Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`
      return `${Effect} ${[Action].flat().join(' ')} on ${[Resource].flat().map(shown).join(' ')}${condition}`
    })
    permissions[withoutHash(role)] = [...(permissions[withoutHash(role)] ?? []), ...lines]
  }
  for (const [id, { Properties }] of Object.entries(template.findResources('AWS::IAM::Role'))) {
    add(id, [])
    for (const { PolicyDocument } of Properties.Policies ?? []) add(id, PolicyDocument.Statement)
  }
  for (const { Properties } of Object.values(template.findResources('AWS::IAM::Policy'))) {
    for (const { Ref } of Properties.Roles) add(Ref, Properties.PolicyDocument.Statement)
  }
  return permissions
}

let withSandbox: Template
let withGateway: Template
beforeAll(() => {
  withSandbox = synthesized()
  withGateway = synthesized({ gatewayUrl: 'https://api.stripe.com' })
})

const logs = (group: string) => `Allow logs:CreateLogStream logs:PutLogEvents on ${group}.Arn`
const ofBilling = JSON.stringify({
  'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['billing'] },
  Null: { 'dynamodb:LeadingKeys': 'false' },
})
const ofHistory = (returned: Readonly<Record<string, string>>) =>
  JSON.stringify({
    'ForAllValues:StringEquals': { 'dynamodb:Attributes': HISTORY_ATTRIBUTES },
    StringEqualsIfExists: returned,
    Null: { 'dynamodb:Attributes': 'false' },
  })

const always = {
  ChargeSubscriptionsRole: [
    logs('ChargeSubscriptionsLogs'),
    'Allow dynamodb:Query on Subscriptions.Arn/index/due',
    'Allow dynamodb:UpdateItem on Subscriptions.Arn',
    'Allow dynamodb:UpdateItem on Charges.Arn',
  ],
  HourlySchedulerRole: [
    'Allow lambda:InvokeFunction on ChargeSubscriptions.Arn',
    'Allow sqs:SendMessage on HourlyFailures.Arn',
  ],
  EventsAnnouncerRole: [
    logs('EventsAnnouncerLogs'),
    'Allow dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams on Leases.StreamArn',
    'Allow events:PutEvents on arn:AWS::Partition:events:AWS::Region:AWS::AccountId:event-bus/default',
    `Allow dynamodb:GetItem on Leases.Arn if ${ofHistory({ 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' })}`,
    `Allow dynamodb:UpdateItem on Leases.Arn if ${ofHistory({ 'dynamodb:ReturnValues': 'NONE' })}`,
    'Allow sqs:SendMessage on EventsFailures.Arn',
  ],
  DashboardWidgetRole: [
    logs('DashboardWidgetLogs'),
    `Allow dynamodb:GetItem dynamodb:Query on Leases.Arn if ${ofBilling}`,
  ],
}
const toFailAndToLead = [
  'Allow sqs:SendMessage on HourlyFailures.Arn',
  `Allow dynamodb:UpdateItem dynamodb:ConditionCheckItem on Leases.Arn if ${ofBilling}`,
]

test('each role may do this, on these, and nothing else', () => {
  expect(permissionsIn(withSandbox)).toEqual({
    ...always,
    ChargeSubscriptionsRole: [
      ...always.ChargeSubscriptionsRole,
      'Allow lambda:InvokeFunction on SandboxFunction.Arn',
      ...toFailAndToLead,
    ],
    SandboxFunctionRole: [logs('SandboxFunctionLogs'), 'Allow dynamodb:UpdateItem dynamodb:Query on SandboxTable.Arn'],
  })
})

test('with a real gateway, billing reads the secret of that gateway in place of invoking the sandbox', () => {
  expect(permissionsIn(withGateway)).toEqual({
    ...always,
    ChargeSubscriptionsRole: [
      ...always.ChargeSubscriptionsRole,
      'Allow secretsmanager:GetSecretValue on GatewayApiKey',
      ...toFailAndToLead,
    ],
  })
})

test('nothing is permitted by a wildcard, nor by a policy that somebody else manages', () => {
  for (const template of [withSandbox, withGateway]) {
    expect(JSON.stringify(permissionsIn(template))).not.toContain('*')
    template.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() })
  }
})

test('only functions and Scheduler take these roles, Scheduler for schedules of this account alone', () => {
  const principals = Object.entries(withSandbox.findResources('AWS::IAM::Role')).map(([id, { Properties }]) => {
    const [statement] = Properties.AssumeRolePolicyDocument.Statement
    return [withoutHash(id), statement.Principal.Service, statement.Condition?.StringEquals['aws:SourceAccount']]
  })
  const account = { Ref: 'AWS::AccountId' }
  expect(principals).toEqual([
    ['SandboxFunctionRole', 'lambda.amazonaws.com', undefined],
    ['ChargeSubscriptionsRole', 'lambda.amazonaws.com', undefined],
    ['HourlySchedulerRole', 'scheduler.amazonaws.com', account],
    ['EventsAnnouncerRole', 'lambda.amazonaws.com', undefined],
    ['DashboardWidgetRole', 'lambda.amazonaws.com', undefined],
  ])
})

test('alarms of this account may publish to the topic, others may not, and nobody without TLS', () => {
  withSandbox.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        Match.objectLike({
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: 'sns:Publish',
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        }),
      ]),
    },
  })
})
