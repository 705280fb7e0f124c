import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import {
  AttributeType,
  MultiRegionConsistency,
  StreamViewType,
  Table,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Alias, Key } from 'aws-cdk-lib/aws-kms'
import { describe, expect, test } from 'vitest'
import {
  ConfigurationError,
  ElectedSchedule,
  LeadershipAlarms,
  LeadershipDashboard,
  LeadershipEvents,
  LeaseTable,
} from '../../infra/constructs/index.ts'
import { aFunction, newApp } from '../support/cdk-app.ts'

function leaseTable() {
  const stack = new Stack(newApp(), 'Stack')
  return { stack, table: new LeaseTable(stack, 'Leases') }
}

function roleThatMayLead(lease: string) {
  const { stack, table } = leaseTable()
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  const grant = table.grantLead(role, lease)
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
    expect(() => table.grantLead(role, lease)).toThrow(ConfigurationError)
    expect(() => table.grantLead(role, lease)).toThrow(
      `Stack/Leases: the lease name ${JSON.stringify(lease.slice(0, 60))} is not allowed; use 1 to 128 letters, digits and . _ - / :`,
    )
  },
)

test('who observes may read this one lease and its history, and write nothing', () => {
  const { stack, table } = leaseTable()
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
  table.grantObserve(role, 'billing')
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action: ['dynamodb:GetItem', 'dynamodb:Query'],
          Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Leases'), 'Arn'] },
          Condition: {
            'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['billing'] },
            Null: { 'dynamodb:LeadingKeys': 'false' },
          },
        },
      ],
    },
  })
})

test('a table that need not be kept goes with its stack, where somebody says so', () => {
  const stack = new Stack(newApp(), 'Stack')
  new LeaseTable(stack, 'Leases', { removalPolicy: RemovalPolicy.DESTROY })
  Template.fromStack(stack).hasResource('AWS::DynamoDB::GlobalTable', {
    DeletionPolicy: 'Delete',
    Properties: { Replicas: [{ DeletionProtectionEnabled: false }] },
  })
})

describe('a key of your own', () => {
  const encrypted = () => {
    const stack = new Stack(newApp(), 'Stack', { env: { region: 'eu-central-1' } })
    const encryptionKey = new Key(stack, 'Key')
    const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    return { stack, encryptionKey, role, table: new LeaseTable(stack, 'Leases', { encryptionKey }) }
  }

  test('is used by who observes to decrypt, and for nothing else', () => {
    const { stack, encryptionKey, role, table } = encrypted()
    table.grantObserve(role, 'billing')
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: ['kms:Decrypt', 'kms:DescribeKey'],
            Resource: stack.resolve(encryptionKey.keyArn),
            Condition: { StringEquals: { 'kms:ViaService': 'dynamodb.eu-central-1.amazonaws.com' } },
          },
          Match.objectLike({ Action: ['dynamodb:GetItem', 'dynamodb:Query'] }),
        ],
      },
    })
  })

  test('encrypts the table, and may be used by who leads, through DynamoDB only and without wildcards', () => {
    const { stack, encryptionKey, role, table } = encrypted()
    table.grantLead(role, 'billing')
    const template = Template.fromStack(stack)
    const keyArn = stack.resolve(encryptionKey.keyArn)
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      Replicas: [{ SSESpecification: { KMSMasterKeyId: keyArn } }],
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    })
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          {
            Effect: 'Allow',
            Action: ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'].map(
              (action) => `kms:${action}`,
            ),
            Resource: keyArn,
            Condition: {
              StringEquals: { 'kms:ViaService': 'dynamodb.eu-central-1.amazonaws.com' },
            },
          },
        ]),
      },
    })
  })

  test('may be given as an alias, and is then the key that the alias stands for', () => {
    const { stack, encryptionKey, role } = encrypted()
    const made = encryptionKey.addAlias('leases')
    const imported = Alias.fromAliasAttributes(stack, 'Alias', { aliasName: 'alias/two', aliasTargetKey: made })
    for (const [id, alias] of Object.entries({ made, imported })) {
      new LeaseTable(stack, `Leases${id}`, { encryptionKey: alias }).grantObserve(role, 'billing')
    }
    const table = new TableV2(stack, 'Table', {
      partitionKey: { name: 'lease', type: AttributeType.STRING },
      sortKey: { name: 'record', type: AttributeType.STRING },
      encryption: TableEncryptionV2.customerManagedKey(made),
    })
    new LeaseTable(stack, 'Given', { table }).grantObserve(role, 'billing')
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'))
    const ofKey = JSON.stringify(policy?.['Properties'].PolicyDocument.Statement.filter(isOfKms))
    expect(ofKey).toContain(JSON.stringify(stack.resolve(encryptionKey.keyArn)))
    expect(ofKey).not.toContain('alias')
  })

  const isOfKms = ({ Action }: { readonly Action: unknown }) => JSON.stringify(Action).includes('kms:')

  test('is refused as an alias of which only the name is known', () => {
    const { stack } = encrypted()
    const encryptionKey = Alias.fromAliasName(stack, 'Alias', 'alias/theirs')
    const make = () => new LeaseTable(stack, 'Other', { encryptionKey })
    expect(make).toThrow(
      'Stack/Other: the encryption key Stack/Alias is an alias imported by its name, which no permission can name; import the key by its ARN: `Key.fromKeyArn(this, id, keyArn)`',
    )
  })

  test('is not asked for by a table that has none', () => {
    expect(JSON.stringify(roleThatMayLead('billing').template)).not.toContain('kms:')
  })
})

describe('a table that exists already', () => {
  const keys = {
    partitionKey: { name: 'lease', type: AttributeType.STRING },
    sortKey: { name: 'record', type: AttributeType.STRING },
  }
  const inFrankfurt = () => new Stack(newApp(), 'Stack', { env: { region: 'eu-central-1' } })
  const replicas = [{ region: 'eu-west-1' }, { region: 'eu-west-3' }]
  const eventually = 'in eventual mode, which settles concurrent writes by the last one'

  test('is used as it is', () => {
    const stack = inFrankfurt()
    const imported = Table.fromTableName(stack, 'Imported', 'leases')
    expect(new LeaseTable(stack, 'Leases', { table: imported }).tableName).toBe(imported.tableName)
    Template.fromStack(stack).resourceCountIs('AWS::DynamoDB::GlobalTable', 0)
  })

  test('cannot be given settings of a new one besides', () => {
    const stack = inFrankfurt()
    const table = Table.fromTableName(stack, 'Imported', 'leases')
    expect(() => new LeaseTable(stack, 'Leases', { table, tableName: 'leases' })).toThrow(
      'Stack/Leases: `table` was given, so tableName must be set on that table',
    )
  })

  test('is refused where it has other keys', () => {
    const stack = inFrankfurt()
    const table = new TableV2(stack, 'Table', { partitionKey: { name: 'id', type: AttributeType.STRING } })
    new LeaseTable(stack, 'Leases', { table })
    expect(() => Template.fromStack(stack)).toThrow(
      '[Stack/Leases] the table\'s key is [{"attributeName":"id","keyType":"HASH"}]; leases need the partition key "lease" and the sort key "record"',
    )
  })

  test.each(['lease', 'record'])('is refused if its key `%s` is no text', (name) => {
    for (const Made of [TableV2, Table]) {
      const stack = inFrankfurt()
      const key = (of: string) => ({ name: of, type: of === name ? AttributeType.NUMBER : AttributeType.STRING })
      const table = new Made(stack, 'Table', { partitionKey: key('lease'), sortKey: key('record') })
      new LeaseTable(stack, 'Leases', { table })
      expect(() => Template.fromStack(stack)).toThrow(
        `[Stack/Leases] the table's key "${name}" is of the type "N"; leases need texts, the type "S"`,
      )
    }
  })

  test('is judged as it was made, if only its ARN is passed on', () => {
    const stack = inFrankfurt()
    const { tableArn } = new TableV2(stack, 'Table', { ...keys, replicas })
    new LeaseTable(stack, 'Leases', { table: TableV2.fromTableArn(stack, 'Imported', tableArn) })
    expect(() => Template.fromStack(stack)).toThrow(`the table is a global table of 3 Regions ${eventually}`)
  })

  test('is refused as a global table in eventual mode, also where the replica comes later', () => {
    const stack = inFrankfurt()
    const table = new TableV2(stack, 'Table', keys)
    new LeaseTable(stack, 'Leases', { table })
    table.addReplica({ region: 'eu-west-1' })
    expect(() => Template.fromStack(stack)).toThrow(
      `[Stack/Leases] the table is a global table of 2 Regions ${eventually}`,
    )
  })

  test("is refused as a global table of the CDK's older construct, which knows eventual mode only", () => {
    const stack = inFrankfurt()
    const table = new Table(stack, 'Table', { ...keys, replicationRegions: ['eu-west-1'] })
    new LeaseTable(stack, 'Leases', { table })
    expect(() => Template.fromStack(stack)).toThrow(
      `[Stack/Leases] the table is a global table of 2 Regions ${eventually}`,
    )
  })

  test('is refused as the replica of a global table in eventual mode, which has no description of its own', () => {
    const stack = inFrankfurt()
    const table = new TableV2(stack, 'Table', { ...keys, replicas })
    new LeaseTable(stack, 'Leases', { table: table.replica('eu-west-1') })
    expect(() => Template.fromStack(stack)).toThrow(
      `[Stack/Leases] the table is a global table of 3 Regions ${eventually}`,
    )
  })

  test('may be a global table in strong mode, or one of the older construct in one Region', () => {
    const stack = inFrankfurt()
    const strong = new TableV2(stack, 'Strong', {
      ...keys,
      replicas,
      multiRegionConsistency: MultiRegionConsistency.STRONG,
    })
    new LeaseTable(stack, 'Leases', { table: strong })
    new LeaseTable(stack, 'Other', { table: new Table(stack, 'Older', keys) })
    expect(() => Template.fromStack(stack)).not.toThrow()
  })
})

describe('a table that two LeaseTables go by', () => {
  const twice = () => {
    const stack = new Stack(newApp({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Stack')
    const table = new TableV2(stack, 'Table', {
      partitionKey: { name: 'lease', type: AttributeType.STRING },
      sortKey: { name: 'record', type: AttributeType.STRING },
      timeToLiveAttribute: 'ttl',
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
    })
    const [one, two] = [new LeaseTable(stack, 'One', { table }), new LeaseTable(stack, 'Two', { table })]
    const elect = (leaseTable: LeaseTable, id: string, rate: Duration) =>
      new ElectedSchedule(stack, id, { leaseTable, lease: 'billing', handler: aFunction(stack, `${id}Fn`), rate })
    return { stack, one, two, elect }
  }

  test('is one table: its schedules share alarms and a dashboard', () => {
    const { stack, one, two, elect } = twice()
    const schedules = [elect(one, 'First', Duration.hours(1)), elect(two, 'Second', Duration.hours(1))]
    const events = new LeadershipEvents(stack, 'Events', { leaseTable: one })
    const { alarms } = new LeadershipAlarms(stack, 'Alarms', { events, schedules })
    new LeadershipDashboard(stack, 'Dashboard', { schedules })
    expect(alarms).toHaveLength(7)
  })

  test('has one period for each lease', () => {
    const { one, two, elect } = twice()
    elect(one, 'Hourly', Duration.hours(1))
    expect(() => elect(two, 'Daily', Duration.days(1))).toThrow(
      'Stack/Daily: its period is 86400 s, but Stack/Hourly ticks the lease "billing" every 3600 s',
    )
  })

  test('has one announcer', () => {
    const { stack, one, two } = twice()
    new LeadershipEvents(stack, 'First', { leaseTable: one })
    expect(() => new LeadershipEvents(stack, 'Second', { leaseTable: two })).toThrow(
      'Stack/Second: Stack/First announces the leases of Stack/Two already',
    )
  })

  test('is one also if it is imported twice, and not if only names of two accounts are alike', () => {
    const stack = new Stack(newApp(), 'Stack')
    const imported = (id: string, account: string) =>
      new LeaseTable(stack, `${id}Leases`, {
        table: Table.fromTableArn(stack, id, `arn:aws:dynamodb:eu-central-1:${account}:table/leases`),
      })
    const [one, two, other] = [
      imported('A', '111111111111'),
      imported('B', '111111111111'),
      imported('C', '222222222222'),
    ]
    expect([one.isSameTable(two), one.isSameTable(other)]).toEqual([true, false])
  })

  const virginia = { region: 'us-east-1', account: '111111111111' }
  const arn = 'arn:aws:dynamodb:us-east-1:111111111111:table/leases'
  const makeNamed = (stack: Stack) => new LeaseTable(stack, 'Leases', { tableName: 'leases' })
  const byName = (stack: Stack) =>
    new LeaseTable(stack, 'ByName', { table: Table.fromTableName(stack, 'Named', 'leases') })
  const byArn = (stack: Stack) => new LeaseTable(stack, 'ByArn', { table: TableV2.fromTableArn(stack, 'Of', arn) })
  const strong = (stack: Stack) =>
    new TableV2(stack, 'Strong', {
      partitionKey: { name: 'lease', type: AttributeType.STRING },
      sortKey: { name: 'record', type: AttributeType.STRING },
      tableName: 'leases',
      multiRegionConsistency: MultiRegionConsistency.STRONG,
      replicas: [{ region: 'us-east-2' }, { region: 'us-west-2' }],
    })

  test.each<[string, (one: Stack, two: Stack) => LeaseTable[]]>([
    ['imported by name and by ARN, in two stacks', (one, two) => [byName(one), byArn(two)]],
    ['made with a name, and imported by it', (one) => [makeNamed(one), byName(one)]],
    ['made in one stack, and imported by its ARN in another', (one, two) => [makeNamed(one), byArn(two)]],
    [
      'made without a name, and imported by the ARN that it gets',
      (one, two) => {
        const made = new LeaseTable(one, 'Leases')
        return [made, new LeaseTable(two, 'Again', { table: TableV2.fromTableArn(two, 'Of', made.tableArn) })]
      },
    ],
    [
      'a global table and its replica',
      (one) => {
        const table = strong(one)
        return [table, table.replica('us-west-2')].map((each, id) => new LeaseTable(one, `L${id}`, { table: each }))
      },
    ],
  ])('is one, whichever way the app refers to it: %s', (_, tables) => {
    const app = newApp()
    const [one, two] = ['One', 'Two'].map((id) => new Stack(app, id, { env: virginia }))
    if (one === undefined || two === undefined) throw new Error('there are two')
    const [first, second] = tables(one, two)
    first?.agreeOnPeriod('billing', Duration.hours(1), one)
    expect(() => second?.agreeOnPeriod('billing', Duration.hours(2), two)).toThrow(
      'Two: its period is 7200 s, but One ticks the lease "billing" every 3600 s',
    )
    first?.announceBy(one)
    expect(() => second?.announceBy(two)).toThrow('Two: One announces the leases of')
  })

  test('is one within a stack of unknown place, and may be another in a second such stack', () => {
    const app = newApp()
    const [one, two] = ['One', 'Two'].map((id) => new Stack(app, id))
    if (one === undefined || two === undefined) throw new Error('there are two')
    const made = makeNamed(one)
    expect([made.isSameTable(byName(one)), made.isSameTable(byName(two))]).toEqual([true, false])
  })

  test('is another in another app, and so is another table of the same app', () => {
    expect(leaseTable().table.isSameTable(leaseTable().table)).toBe(false)
    const { stack, table } = leaseTable()
    expect(table.isSameTable(new LeaseTable(stack, 'Others'))).toBe(false)
  })
})
