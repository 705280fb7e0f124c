import { RemovalPolicy, type Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { AttributeType, MultiRegionConsistency, Table, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { Alias, Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, test } from 'vitest'
import { LeaseTable } from '../../infra/constructs/index.ts'
import { aRole, LEASE_KEYS, newStack, refusal, stackWithTable } from '../support/cdk-app.ts'

const inFrankfurt = () => newStack({ env: { region: 'eu-central-1' } })

describe('a new table', () => {
  const template = Template.fromStack(stackWithTable().stack)
  const TYPE = 'AWS::DynamoDB::GlobalTable'

  test('is kept, protected, billed per request, and has the keys, stream and time to live that leases need', () => {
    template.hasResource(TYPE, {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        KeySchema: [
          { AttributeName: 'lease', KeyType: 'HASH' },
          { AttributeName: 'record', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'lease', AttributeType: 'S' },
          { AttributeName: 'record', AttributeType: 'S' },
        ],
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        Replicas: [
          {
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        ],
      },
    })
  })

  test('has the given name, and is deleted with its stack if the removal policy is DESTROY', () => {
    const stack = newStack()
    new LeaseTable(stack, 'Leases', { tableName: 'leases', removalPolicy: RemovalPolicy.DESTROY })
    Template.fromStack(stack).hasResource(TYPE, {
      DeletionPolicy: 'Delete',
      Properties: { TableName: 'leases', Replicas: [{ DeletionProtectionEnabled: false }] },
    })
  })
})

describe('a lease name', () => {
  const { stack, leaseTable } = stackWithTable()
  const role = aRole(stack)
  const grant = (lease: string) => leaseTable.grantLead(role, lease)

  test.each(['a', 'x'.repeat(128), 'eu-1/team.billing_v2:hourly'])('can be %s', (lease) => {
    expect(grant(lease).success).toBe(true)
  })

  // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable of IAM, which matches any user name
  const wrong = ['', 'x'.repeat(129), 'two words', 'été', '*', '${aws:username}', 'billing\n']
  test.each(wrong)('cannot be %j', (lease) => {
    expect(() => grant(lease)).toThrow(refusal(`Stack/Leases: the lease name ${JSON.stringify(lease.slice(0, 60))} is`))
  })
})

describe('a table with its own key', () => {
  const encrypted = () => {
    const stack = inFrankfurt()
    const encryptionKey = new Key(stack, 'Key')
    return { stack, encryptionKey, role: aRole(stack), table: new LeaseTable(stack, 'Leases', { encryptionKey }) }
  }
  /** Through DynamoDB only, and without wildcards. */
  const keyStatement = (stack: Stack, key: Key, ...actions: readonly string[]) => ({
    Effect: 'Allow',
    Action: actions.map((action) => `kms:${action}`),
    Resource: stack.resolve(key.keyArn),
    Condition: { StringEquals: { 'kms:ViaService': 'dynamodb.eu-central-1.amazonaws.com' } },
  })

  test('allows an observer to decrypt only', () => {
    const { stack, encryptionKey, role, table } = encrypted()
    table.grantObserve(role, 'billing')
    const statement = keyStatement(stack, encryptionKey, 'Decrypt', 'DescribeKey')
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: [statement, Match.objectLike({ Action: ['dynamodb:GetItem', 'dynamodb:Query'] })] },
    })
  })

  test('is encrypted with it, and allows a leader to encrypt and decrypt', () => {
    const { stack, encryptionKey, role, table } = encrypted()
    table.grantLead(role, 'billing')
    const template = Template.fromStack(stack)
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      Replicas: [{ SSESpecification: { KMSMasterKeyId: stack.resolve(encryptionKey.keyArn) } }],
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    })
    const actions = ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo']
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([keyStatement(stack, encryptionKey, ...actions)]) },
    })
  })

  test('names the key behind an alias, because policies cannot name an alias', () => {
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

  test('refuses an alias that is imported by name', () => {
    const stack = inFrankfurt()
    const encryptionKey = Alias.fromAliasName(stack, 'Alias', 'alias/theirs')
    expect(() => new LeaseTable(stack, 'Other', { encryptionKey })).toThrow(
      refusal('Stack/Other: the encryption key Stack/Alias is an alias imported by name'),
    )
  })
})

describe('an existing table', () => {
  const replicas = [{ region: 'eu-west-1' }, { region: 'eu-west-3' }]

  test('is used unchanged, and refuses props of a new table', () => {
    const stack = inFrankfurt()
    const table = Table.fromTableName(stack, 'Imported', 'leases')
    expect(new LeaseTable(stack, 'Leases', { table }).tableName).toBe(table.tableName)
    Template.fromStack(stack).resourceCountIs('AWS::DynamoDB::GlobalTable', 0)
    expect(() => new LeaseTable(stack, 'Named', { table, tableName: 'leases' })).toThrow(
      refusal('Stack/Named: `table` was given, so set tableName on that table'),
    )
  })

  const otherType = (Made: typeof TableV2 | typeof Table, name: string) => (stack: Stack) => {
    const key = (of: string) => ({ name: of, type: of === name ? AttributeType.NUMBER : AttributeType.STRING })
    return new Made(stack, 'Table', { partitionKey: key('lease'), sortKey: key('record') })
  }
  const eventual = (regions: number) => `the table is a global table of ${regions} Regions with eventual consistency`

  test.each<[string, (stack: Stack) => TableV2 | Table | ReturnType<typeof TableV2.fromTableArn>, string]>([
    [
      'other keys',
      (stack) => new TableV2(stack, 'Table', { partitionKey: { name: 'id', type: AttributeType.STRING } }),
      'the table\'s key is [{"attributeName":"id","keyType":"HASH"}]; leases need the partition key "lease" and the',
    ],
    ...['lease', 'record'].flatMap((name) =>
      [TableV2, Table].map((Made): [string, ReturnType<typeof otherType>, string] => [
        `a number as key ${name} of a ${Made.name}`,
        otherType(Made, name),
        `the table's key "${name}" has the type "N"; leases need the type "S"`,
      ]),
    ),
    ['replicas', (stack) => new TableV2(stack, 'Table', { ...LEASE_KEYS, replicas }), eventual(3)],
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
  ])('is refused with %s', (_, make, message) => {
    const stack = inFrankfurt()
    new LeaseTable(stack, 'Leases', { table: make(stack) })
    expect(() => Template.fromStack(stack)).toThrow(`[Stack/Leases] ${message}`)
  })

  test('is refused if a replica is added later', () => {
    const stack = inFrankfurt()
    const table = new TableV2(stack, 'Table', LEASE_KEYS)
    new LeaseTable(stack, 'Leases', { table })
    table.addReplica({ region: 'eu-west-1' })
    expect(() => Template.fromStack(stack)).toThrow(`[Stack/Leases] ${eventual(2)}`)
  })

  test('can be a global table with strong consistency, or the older construct in one Region', () => {
    const stack = inFrankfurt()
    const multiRegionConsistency = MultiRegionConsistency.STRONG
    const strong = new TableV2(stack, 'Strong', { ...LEASE_KEYS, replicas, multiRegionConsistency })
    new LeaseTable(stack, 'Leases', { table: strong })
    new LeaseTable(stack, 'Other', { table: new Table(stack, 'Older', LEASE_KEYS) })
    expect(() => Template.fromStack(stack)).not.toThrow()
  })
})
