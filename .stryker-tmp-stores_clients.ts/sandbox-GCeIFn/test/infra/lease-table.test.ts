// @ts-nocheck
import { RemovalPolicy, type Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { AttributeType, MultiRegionConsistency, Table, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { Alias, Key } from 'aws-cdk-lib/aws-kms'
import { expect, test } from 'vitest'
import { LeaseTable } from '../../infra/constructs/index.ts'
import { aRole, LEASE_KEYS, newStack, refusal, stackWithTable } from '../support/cdk-app.ts'

const inFrankfurt = () => newStack({ env: { region: 'eu-central-1' } })

const TYPE = 'AWS::DynamoDB::GlobalTable'

// That it is kept, protected and billed per request: see the table `Leases` in billing-stack.test.ts.
test('a new table has the stream and the time to live that announcers need', () => {
  Template.fromStack(stackWithTable().stack).hasResourceProperties(TYPE, {
    TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
  })
})

test('a new table has the given name, and is deleted with its stack if the removal policy is DESTROY', () => {
  const stack = newStack()
  new LeaseTable(stack, 'Leases', { tableName: 'leases', removalPolicy: RemovalPolicy.DESTROY })
  Template.fromStack(stack).hasResource(TYPE, {
    DeletionPolicy: 'Delete',
    Properties: { TableName: 'leases', Replicas: [{ DeletionProtectionEnabled: false }] },
  })
})

test('a grant accepts a lease name of all allowed characters, and refuses others, such as a wildcard', () => {
  const { stack, leaseTable } = stackWithTable()
  const role = aRole(stack)
  expect(leaseTable.grantLead(role, 'eu-1/team.billing_v2:hourly').success).toBe(true)
  for (const lease of ['', 'été', '*', '$' + '{aws:username}', 'billing\n']) {
    expect(() => leaseTable.grantLead(role, lease)).toThrow(
      refusal(`Stack/Leases: the lease name ${JSON.stringify(lease)} is not allowed`),
    )
  }
})

test('a server may stand for one lease: read and write its rows, delete none, and touch no other lease', () => {
  const { stack, leaseTable } = stackWithTable()
  leaseTable.grantStand(aRole(stack), 'scheduler')
  const actions = ['GetItem', 'Query', 'UpdateItem', 'ConditionCheckItem']
  const statement = {
    Action: actions.map((action) => `dynamodb:${action}`),
    Effect: 'Allow',
    Resource: stack.resolve(leaseTable.table.tableArn),
    Condition: {
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['scheduler'] },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  }
  const policies = Template.fromStack(stack).findResources('AWS::IAM::Policy')
  expect(Object.values(policies).map(({ Properties }) => Properties.PolicyDocument.Statement)).toEqual([[statement]])
})

const encrypted = () => {
  const stack = inFrankfurt()
  const encryptionKey = new Key(stack, 'Key')
  return { stack, encryptionKey, role: aRole(stack), table: new LeaseTable(stack, 'Leases', { encryptionKey }) }
}

const READ = ['Decrypt', 'DescribeKey']
const WRITE = ['Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo']
test.each([
  ['an observer to decrypt only', 'grantObserve' as const, READ],
  ['a leader to decrypt and encrypt', 'grantLead' as const, [...READ, ...WRITE]],
  ['a server that stands for a lease to do the same', 'grantStand' as const, [...READ, ...WRITE]],
])('a table with its own key is encrypted with it, and allows %s, through DynamoDB only', (_, grant, actions) => {
  const { stack, encryptionKey, role, table } = encrypted()
  table[grant](role, 'billing')
  const template = Template.fromStack(stack)
  const keyArn = stack.resolve(encryptionKey.keyArn)
  template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
    Replicas: [{ SSESpecification: { KMSMasterKeyId: keyArn } }],
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
  })
  const forKey = {
    Effect: 'Allow',
    Action: actions.map((action) => `kms:${action}`),
    Resource: keyArn,
    Condition: { StringEquals: { 'kms:ViaService': 'dynamodb.eu-central-1.amazonaws.com' } },
  }
  template.hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: [forKey, Match.anyValue()] } })
})

test('a table with its own key names the key behind an alias, because policies cannot name an alias', () => {
  const { stack, encryptionKey, role } = encrypted()
  const made = encryptionKey.addAlias('leases')
  const imported = Alias.fromAliasAttributes(stack, 'Alias', { aliasName: 'alias/two', aliasTargetKey: made })
  for (const [id, alias] of Object.entries({ made, imported })) {
    new LeaseTable(stack, `Leases${id}`, { encryptionKey: alias }).grantObserve(role, 'billing')
  }
  const table = new TableV2(stack, 'Table', { ...LEASE_KEYS, encryption: TableEncryptionV2.customerManagedKey(made) })
  new LeaseTable(stack, 'Given', { table }).grantObserve(role, 'billing')
  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'))
  const isOfKms = ({ Action }: { readonly Action: unknown }) => JSON.stringify(Action).includes('kms:')
  const statements = JSON.stringify(policy?.['Properties'].PolicyDocument.Statement.filter(isOfKms))
  expect(statements).toContain(JSON.stringify(stack.resolve(encryptionKey.keyArn)))
  expect(statements).not.toContain('alias')
})

test('a table with its own key refuses an alias that is imported by name', () => {
  const stack = inFrankfurt()
  const encryptionKey = Alias.fromAliasName(stack, 'Alias', 'alias/theirs')
  expect(() => new LeaseTable(stack, 'Other', { encryptionKey })).toThrow(
    refusal('Stack/Other: the encryption key Stack/Alias is an alias imported by name'),
  )
})

const replicas = [{ region: 'eu-west-1' }, { region: 'eu-west-3' }]

test('an existing table is used unchanged, and refuses props of a new table', () => {
  const stack = inFrankfurt()
  const table = Table.fromTableName(stack, 'Imported', 'leases')
  expect(new LeaseTable(stack, 'Leases', { table }).tableName).toBe(table.tableName)
  Template.fromStack(stack).resourceCountIs('AWS::DynamoDB::GlobalTable', 0)
  expect(() => new LeaseTable(stack, 'Named', { table, tableName: 'leases' })).toThrow(
    refusal('Stack/Named: `table` was given, so set tableName on that table'),
  )
})

const NUMBER = { name: 'record', type: AttributeType.NUMBER }
const eventual = (regions: number) => `the table is a global table of ${regions} Regions with eventual consistency`

test.each<[string, (stack: Stack) => TableV2 | Table | ReturnType<typeof TableV2.fromTableArn>, string]>([
  [
    'other keys',
    (stack) => new TableV2(stack, 'Table', { partitionKey: { name: 'id', type: AttributeType.STRING } }),
    'the table\'s key is [{"attributeName":"id","keyType":"HASH"}]; leases need the partition key "lease" and the',
  ],
  [
    "a number as sort key of the CDK's older construct",
    (stack) => new Table(stack, 'Table', { ...LEASE_KEYS, sortKey: NUMBER }),
    'the table\'s key "record" has the type "N"; leases need the type "S"',
  ],
  [
    'replicas, imported by the ARN of a table of this app',
    (stack) => {
      const { tableArn } = new TableV2(stack, 'Table', { ...LEASE_KEYS, replicas })
      return TableV2.fromTableArn(stack, 'Imported', tableArn)
    },
    eventual(3),
  ],
  [
    "replicas of the CDK's older construct",
    (stack) => new Table(stack, 'Table', { ...LEASE_KEYS, replicationRegions: ['eu-west-1'] }),
    eventual(2),
  ],
  [
    'replicas, given as one of them',
    (stack) => new TableV2(stack, 'Table', { ...LEASE_KEYS, replicas }).replica('eu-west-1'),
    eventual(3),
  ],
])('an existing table is refused with %s', (_, make, message) => {
  const stack = inFrankfurt()
  new LeaseTable(stack, 'Leases', { table: make(stack) })
  expect(() => Template.fromStack(stack)).toThrow(`[Stack/Leases] ${message}`)
})

test('an existing table is refused if a replica is added later', () => {
  const stack = inFrankfurt()
  const table = new TableV2(stack, 'Table', LEASE_KEYS)
  new LeaseTable(stack, 'Leases', { table })
  table.addReplica({ region: 'eu-west-1' })
  expect(() => Template.fromStack(stack)).toThrow(`[Stack/Leases] ${eventual(2)}`)
})

test('an existing table can be a global table with strong consistency, or the older construct in one Region', () => {
  const stack = inFrankfurt()
  const multiRegionConsistency = MultiRegionConsistency.STRONG
  const strong = new TableV2(stack, 'Strong', { ...LEASE_KEYS, replicas, multiRegionConsistency })
  new LeaseTable(stack, 'Leases', { table: strong })
  new LeaseTable(stack, 'Other', { table: new Table(stack, 'Older', LEASE_KEYS) })
  expect(() => Template.fromStack(stack)).not.toThrow()
})
