// @ts-nocheck
import { Match, type Template } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import { HISTORY_ATTRIBUTES } from '../../infra/constructs/leadership-events.ts'
import { billingTemplate } from '../support/cdk-app.ts'

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
  readonly Condition?: unknown
}

/** A reference in a short form, with logical ids without the CDK's hashes. */
function describeReference(value: unknown): string {
  if (typeof value === 'string') return value
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Join': join }: Record<string, unknown> = { ...Object(value) }
  if (typeof ref === 'string') return withoutHash(ref)
  if (Array.isArray(attribute)) return `${withoutHash(String(attribute[0]))}.${attribute[1]}`
  if (Array.isArray(join)) return [join[1]].flat().map(describeReference).join(String(join[0]))
  return JSON.stringify(value)
}

const withoutHash = (id: string) => id.replace(/[0-9A-F]{8}$/, '')

/** All statements by role, each as one line. */
function permissionsIn(template: Template): Record<string, string[]> {
  const permissions: Record<string, string[]> = {}
  const add = (role: string, statements: readonly Statement[]) => {
    const lines = statements.map(({ Effect, Action, Resource, Condition }) => {
      const condition = Condition === undefined ? '' : ` if ${JSON.stringify(Condition)}`
      const resources = [Resource].flat().map(describeReference).join(' ')
      return `${Effect} ${[Action].flat().join(' ')} on ${resources}${condition}`
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

const withSandbox = billingTemplate()
const withGateway = billingTemplate({ gatewayUrl: 'https://api.stripe.com' })

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

const READ_STREAM = 'dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams'
const permissions = (gateway: string) => ({
  ChargeSubscriptionsRole: [
    logs('ChargeSubscriptionsLogs'),
    'Allow dynamodb:Query on Subscriptions.Arn/index/due',
    'Allow dynamodb:UpdateItem on Subscriptions.Arn',
    'Allow dynamodb:UpdateItem on Charges.Arn',
    gateway,
    'Allow sqs:SendMessage on HourlyFailures.Arn',
    `Allow dynamodb:UpdateItem dynamodb:ConditionCheckItem on Leases.Arn if ${ofBilling}`,
    'Allow lambda:InvokeFunction on ChargeSubscriptions.Arn',
  ],
  HourlySchedulerRole: [
    'Allow lambda:InvokeFunction on ChargeSubscriptions.Arn',
    'Allow sqs:SendMessage on HourlyFailures.Arn',
  ],
  EventsAnnouncerRole: [
    logs('EventsAnnouncerLogs'),
    `Allow ${READ_STREAM} on Leases.StreamArn`,
    'Allow events:PutEvents on arn:AWS::Partition:events:AWS::Region:AWS::AccountId:event-bus/default',
    `Allow dynamodb:GetItem on Leases.Arn if ${ofHistory({ 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' })}`,
    `Allow dynamodb:UpdateItem on Leases.Arn if ${ofHistory({ 'dynamodb:ReturnValues': 'NONE' })}`,
    'Allow sqs:SendMessage on EventsFailures.Arn',
  ],
  AlarmsCheckFunctionRole: [
    logs('AlarmsCheckFunctionLogs'),
    `Allow dynamodb:GetItem dynamodb:Query on Leases.Arn if ${ofBilling}`,
    'Allow sqs:ReceiveMessage on HourlyFailures.Arn',
  ],
  AlarmsCheckSchedulerRole: [
    'Allow lambda:InvokeFunction on AlarmsCheckFunction.Arn',
    'Allow sqs:SendMessage on AlarmsCheckFailures.Arn',
  ],
  DashboardWidgetRole: [
    logs('DashboardWidgetLogs'),
    `Allow dynamodb:GetItem dynamodb:Query on Leases.Arn if ${ofBilling}`,
  ],
})

test('each role has these permissions and no others', () => {
  expect(permissionsIn(withSandbox)).toEqual({
    ...permissions('Allow lambda:InvokeFunction on SandboxFunction.Arn'),
    SandboxFunctionRole: [logs('SandboxFunctionLogs'), 'Allow dynamodb:PutItem dynamodb:Query on SandboxTable.Arn'],
  })
})

test('with a real gateway, billing reads its secret and does not invoke the sandbox', () => {
  const readKey = 'Allow secretsmanager:GetSecretValue on GatewayApiKey'
  expect(permissionsIn(withGateway)).toEqual(permissions(readKey))
})

test('only Lambda and Scheduler can assume the roles, Scheduler only for schedules of this account', () => {
  const principals = Object.entries(withSandbox.findResources('AWS::IAM::Role')).map(([id, { Properties }]) => {
    const [statement] = Properties.AssumeRolePolicyDocument.Statement
    return [withoutHash(id), statement.Principal.Service, statement.Condition?.StringEquals]
  })
  const account = {
    'aws:SourceAccount': { Ref: 'AWS::AccountId' },
    'aws:SourceArn': { 'Fn::Join': ['', expect.arrayContaining([':schedule-group/default'])] },
  }
  expect(principals).toEqual([
    ['SandboxFunctionRole', 'lambda.amazonaws.com', undefined],
    ['ChargeSubscriptionsRole', 'lambda.amazonaws.com', undefined],
    ['HourlySchedulerRole', 'scheduler.amazonaws.com', account],
    ['EventsAnnouncerRole', 'lambda.amazonaws.com', undefined],
    ['AlarmsCheckFunctionRole', 'lambda.amazonaws.com', undefined],
    ['AlarmsCheckSchedulerRole', 'scheduler.amazonaws.com', account],
    ['DashboardWidgetRole', 'lambda.amazonaws.com', undefined],
  ])
})

test('only alarms of this account may publish to the topic, and only with TLS', () => {
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
