import { Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { expect, test } from 'vitest'
import { ConfigurationError, LeaseTable } from '../../infra/constructs/index.ts'
import { newApp } from '../support/cdk-app.ts'

function leaseTable() {
  const stack = new Stack(newApp(), 'Stack')
  return { stack, table: new LeaseTable(stack, 'Leases') }
}

function roleThatMayLead(lease: string) {
  const { stack, table } = leaseTable()
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  const grant = table.grantLease(role, lease)
  return { template: Template.fromStack(stack), grant }
}

test('the table is keyed by lease and record, and billed per request', () => {
  Template.fromStack(leaseTable().stack).hasResourceProperties('AWS::DynamoDB::GlobalTable', {
    KeySchema: [
      { AttributeName: 'lease', KeyType: 'HASH' },
      { AttributeName: 'record', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: [
      { AttributeName: 'lease', AttributeType: 'S' },
      { AttributeName: 'record', AttributeType: 'S' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
  })
})

test('the table outlives its stack, refuses deletion and can be restored to any second', () => {
  Template.fromStack(leaseTable().stack).hasResource('AWS::DynamoDB::GlobalTable', {
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      Replicas: [
        {
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      ],
    },
  })
})

test('rows expire by the attribute `ttl`, and the stream shows each row before and after', () => {
  Template.fromStack(leaseTable().stack).hasResourceProperties('AWS::DynamoDB::GlobalTable', {
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
  })
})

test('the table has the name it was given', () => {
  const stack = new Stack(newApp(), 'Stack')
  new LeaseTable(stack, 'Leases', { tableName: 'leases' })
  Template.fromStack(stack).hasResourceProperties('AWS::DynamoDB::GlobalTable', { TableName: 'leases' })
})

test('a grant covers updates and condition checks of one lease, and nothing else', () => {
  const { template, grant } = roleThatMayLead('billing')
  expect(grant.success).toBe(true)
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action: ['dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'],
          Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Leases'), 'Arn'] },
          Condition: Match.objectLike({ 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['billing'] } }),
        },
      ],
    },
  })
})

test('a grant does not cover requests that name no key, which ForAllValues alone would let through', () => {
  roleThatMayLead('billing').template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: [{ Condition: Match.objectLike({ Null: { 'dynamodb:LeadingKeys': 'false' } }) }] },
  })
})

test.each(['billing', 'a', 'x'.repeat(128), 'eu-1/team.billing_v2:hourly'])('%s is a lease name', (lease) => {
  expect(roleThatMayLead(lease).grant.success).toBe(true)
})

// biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of IAM, which would match more than one lease.
test.each(['', 'x'.repeat(129), 'two words', 'été', '*', '${aws:username}', 'billing\n'])(
  '%j is not a lease name',
  (lease) => {
    const { table } = leaseTable()
    const role = new Role(table, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    expect(() => table.grantLease(role, lease)).toThrow(ConfigurationError)
    expect(() => table.grantLease(role, lease)).toThrow(
      `Stack/Leases: the lease name ${JSON.stringify(lease.slice(0, 60))} is not allowed; use 1 to 128 letters, digits and . _ - / :`,
    )
  },
)

test('replicas in other Regions are refused: they do not exclude two leaders', () => {
  const { table } = leaseTable()
  expect(() => table.addReplica({ region: 'eu-west-1' })).toThrow(ConfigurationError)
  expect(() => table.addReplica({ region: 'eu-west-1' })).toThrow(
    'Stack/Leases: a replica in eu-west-1 was asked for, but leases need one Region',
  )
})
