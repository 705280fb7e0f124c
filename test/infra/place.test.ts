import { Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { AttributeType, MultiRegionConsistency, StreamViewType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
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

const account = '111111111111'
const virginia = { region: 'us-east-1', account }
const ireland = { region: 'eu-west-1', account }
const anotherAccount = { region: 'us-east-1', account: '222222222222' }
const ARN = `arn:aws:dynamodb:us-east-1:${account}:table/leases`

/** A stack that has tables in Virginia, and one in which jobs run. */
function twoStacks(env: StackProps['env'] | undefined) {
  const app = newApp({ context: { 'aws:cdk:bundling-stacks': [] } })
  const tables = new Stack(app, 'Tables', { env: virginia })
  const jobs = new Stack(app, 'Jobs', env === undefined ? {} : { env })
  return { app, tables, jobs }
}

function elect(stack: Stack, leaseTable: LeaseTable, lease = 'billing') {
  const handler = aFunction(stack, 'Function')
  return new ElectedSchedule(stack, 'Elected', { leaseTable, lease, handler, rate: Duration.hours(1) })
}

const tableIn: Record<string, (tables: Stack, jobs: Stack) => LeaseTable> = {
  'made with a name': (tables) => new LeaseTable(tables, 'Leases', { tableName: 'leases' }),
  'made without a name': (tables) => new LeaseTable(tables, 'Leases'),
  'imported by its ARN': (_, jobs) => new LeaseTable(jobs, 'Leases', { table: Table.fromTableArn(jobs, 'Table', ARN) }),
  'imported by its ARN as a newer table': (_, jobs) =>
    new LeaseTable(jobs, 'Leases', { table: TableV2.fromTableArn(jobs, 'Table', ARN) }),
  'imported by its attributes': (_, jobs) =>
    new LeaseTable(jobs, 'Leases', { table: Table.fromTableAttributes(jobs, 'Table', { tableArn: ARN }) }),
}

describe.each(Object.entries(tableIn))('a lease table %s', (_, make) => {
  test.each([
    ['Region', ireland],
    ['account', anotherAccount],
  ])('is refused for a function of another %s', (what, env) => {
    const { tables, jobs } = twoStacks(env)
    const leaseTable = make(tables, jobs)
    expect(() => elect(jobs, leaseTable)).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: expect.stringContaining(
          `Jobs/Function: it is in ${env.region} of account ${env.account} and would look there for the lease table ${leaseTable.node.path}, which is in us-east-1 of account ${account}; use a lease table of the same ${what}`,
        ),
      }),
    )
    expect(() => leaseTable.grantObserve(aFunction(jobs, 'Reader'), 'billing')).toThrow('Jobs/Reader: it is in')
  })

  test('is taken where it is, and where only the deployment knows', () => {
    for (const env of [virginia, undefined]) {
      const { tables, jobs } = twoStacks(env)
      const leaseTable = make(tables, jobs)
      if (env === undefined && leaseTable.node.scope === tables) continue // a stack refers to no stack of unknown place
      elect(jobs, leaseTable)
      expect(() => Template.fromStack(jobs)).not.toThrow()
    }
  })
})

describe('draws a warning, because the Region of its user is known only at deployment:', () => {
  const unknown = (what: string, user: string) =>
    Match.stringLikeRegexp(
      `^${what} is in us-east-1, but the Region of ${user} is known only at deployment.*give the stack Jobs an .env.*tenure:UnknownRegion`,
    )
  const imported = (jobs: Stack) => new LeaseTable(jobs, 'Leases', { table: Table.fromTableArn(jobs, 'Table', ARN) })
  const anyUnknown = Match.stringLikeRegexp('tenure:UnknownRegion')

  test('a lease table', () => {
    const { jobs } = twoStacks(undefined)
    elect(jobs, imported(jobs))
    Annotations.fromStack(jobs).hasWarning('/Jobs/Function', unknown('the lease table Jobs/Leases', 'Jobs/Function'))
  })

  test('a function that is imported by its ARN', () => {
    const { jobs } = twoStacks(undefined)
    const handler = LambdaFunction.fromFunctionAttributes(jobs, 'Theirs', {
      functionArn: `arn:aws:lambda:us-east-1:${account}:function:theirs`,
      role: Role.fromRoleArn(jobs, 'Role', `arn:aws:iam::${account}:role/theirs`),
      sameEnvironment: true,
    })
    const leaseTable = new LeaseTable(jobs, 'Leases')
    new ElectedSchedule(jobs, 'Elected', { leaseTable, lease: 'billing', handler, rate: Duration.hours(1) })
    Annotations.fromStack(jobs).hasWarning('/Jobs/Elected', unknown('the function Jobs/Theirs', 'Jobs/Elected'))
  })

  test('an event bus', () => {
    const { jobs } = twoStacks(undefined)
    const eventBus = EventBus.fromEventBusArn(jobs, 'Bus', `arn:aws:events:us-east-1:${account}:event-bus/jobs`)
    new LeadershipEvents(jobs, 'Events', { leaseTable: new LeaseTable(jobs, 'Leases'), eventBus })
    Annotations.fromStack(jobs).hasWarning('/Jobs/Events', unknown('the event bus', 'Jobs/Events'))
  })

  test('but not if both are known, or neither is', () => {
    const known = twoStacks(virginia).jobs
    elect(known, imported(known))
    Annotations.fromStack(known).hasNoWarning('*', anyUnknown)
    const neither = twoStacks(undefined).jobs
    elect(neither, new LeaseTable(neither, 'Leases', { table: Table.fromTableName(neither, 'Table', 'leases') }))
    Annotations.fromStack(neither).hasNoWarning('*', anyUnknown)
  })
})

test('A role may be used in any Region', () => {
  const { tables, jobs } = twoStacks(ireland)
  const role = new Role(jobs, 'Role', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') })
  expect(() => new LeaseTable(tables, 'Leases', { tableName: 'leases' }).grantLead(role, 'billing')).not.toThrow()
})

describe('a global table in strong mode', () => {
  function strong(replicaRegion: string) {
    const { tables, jobs, app } = twoStacks({ region: 'us-east-2', account })
    const table = new TableV2(tables, 'Table', {
      tableName: 'leases',
      partitionKey: { name: 'lease', type: AttributeType.STRING },
      sortKey: { name: 'record', type: AttributeType.STRING },
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      multiRegionConsistency: MultiRegionConsistency.STRONG,
      replicas: [{ region: 'us-east-2' }, { region: 'us-west-2' }],
    })
    const replica = replicaRegion === 'us-east-1' ? table : table.replica(replicaRegion)
    return { app, tables, jobs, leaseTable: new LeaseTable(tables, 'Leases', { table: replica }) }
  }

  test('is used by its replica in the Region of the function', () => {
    const { app, jobs, leaseTable } = strong('us-east-2')
    elect(jobs, leaseTable)
    expect(() => app.synth()).not.toThrow()
    Template.fromStack(jobs).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: Match.arrayWith(['dynamodb:UpdateItem']),
            Resource: {
              'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp(':dynamodb:us-east-2:')])],
            },
          }),
        ]),
      },
    })
  })

  test.each(['us-east-1', 'us-west-2'])('is refused by its replica in %s', (region) => {
    const { jobs, leaseTable } = strong(region)
    expect(() => elect(jobs, leaseTable)).toThrow(
      /^Jobs\/Function: .* use a lease table of the same Region, or `new LeaseTable\(.*table.replica\(region\) }\)`/,
    )
  })

  test('is announced where its stream is known, and from a replica only with the ARN of its stream', () => {
    const { tables, leaseTable } = strong('us-east-1')
    expect(() => new LeadershipEvents(tables, 'Events', { leaseTable })).not.toThrow()
    const other = strong('us-east-2')
    expect(() => new LeadershipEvents(other.jobs, 'Events', { leaseTable: other.leaseTable })).toThrow(
      'Jobs/Events: the ARN of the stream of the lease table Tables/Leases is not known here; import the table with it, `TableV2.fromTableAttributes(this, id, { tableArn, tableStreamArn })`, and set `history` to false, since strong mode cannot expire rows',
    )
  })
})

describe('what is made of a lease table', () => {
  test('is made in its Region: events, alarms, a dashboard, and the check for overdue ticks', () => {
    const { tables, jobs } = twoStacks(ireland)
    const leaseTable = new LeaseTable(tables, 'Leases', { tableName: 'leases' })
    const schedules = [elect(tables, leaseTable)]
    expect(() => new LeadershipEvents(jobs, 'Events', { leaseTable })).toThrow(
      'Jobs/Events: it is in eu-west-1 of account 111111111111 and would look there for the lease table Tables/Leases',
    )
    const events = new LeadershipEvents(tables, 'Events', { leaseTable })
    expect(() => new LeadershipAlarms(jobs, 'Alarms', { events, schedules })).toThrow(
      'Jobs/Alarms: it is in eu-west-1 of account 111111111111 and would look there for the lease table Tables/Leases',
    )
    expect(() => new LeadershipDashboard(jobs, 'Dashboard', { schedules })).toThrow(
      'Jobs/Dashboard/Widget: it is in eu-west-1 of account 111111111111 and would look there for the lease table',
    )
  })
})

describe('an event bus', () => {
  const announceTo = (eventBus: (jobs: Stack, tables: Stack) => { readonly eventBusArn: string }) => () => {
    const { tables, jobs } = twoStacks(ireland)
    const leaseTable = new LeaseTable(jobs, 'Leases')
    return new LeadershipEvents(jobs, 'Events', { leaseTable, eventBus: eventBus(jobs, tables) })
  }
  const busArn = (region: string, of = account) => `arn:aws:events:${region}:${of}:event-bus/jobs`

  test.each([
    ['an ARN', () => ({ eventBusArn: busArn('us-east-1') })],
    ['an import', (jobs: Stack) => EventBus.fromEventBusArn(jobs, 'Bus', busArn('us-east-1'))],
    ['a bus of another stack', (_: Stack, tables: Stack) => new EventBus(tables, 'Bus', { eventBusName: 'jobs' })],
  ])('of another Region is refused: %s', (_, eventBus) => {
    expect(announceTo(eventBus)).toThrow(ConfigurationError)
    expect(announceTo(eventBus)).toThrow(
      'Jobs/Events: the event bus is in us-east-1 of account 111111111111, but the announcer in eu-west-1 of account 111111111111, from which it cannot send there; give a bus of its own Region, and that one a rule which passes the events on',
    )
  })

  test('of another account in the same Region is taken, whose policy may permit it', () => {
    expect(announceTo(() => ({ eventBusArn: busArn('eu-west-1', '222222222222') }))).not.toThrow()
  })
})
