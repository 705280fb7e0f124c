import { Stack, type StackProps } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { MultiRegionConsistency, StreamViewType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { describe, expect, test } from 'vitest'
import {
  ElectedSchedule,
  LeadershipAlarms,
  LeadershipDashboard,
  LeadershipEvents,
  LeaseTable,
} from '../../infra/constructs/index.ts'
import {
  ACCOUNT,
  aFunction,
  aRole,
  elect,
  HOURLY,
  importFunction,
  LEASE_KEYS,
  newApp,
  refusal,
} from '../support/cdk-app.ts'

const VIRGINIA = { region: 'us-east-1', account: ACCOUNT }
const IRELAND = { region: 'eu-west-1', account: ACCOUNT }
const OTHER_ACCOUNT = { region: 'us-east-1', account: '222222222222' }
const ARN = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/leases`

/** The stack `Tables` in Virginia, and the stack `Jobs`, in an unknown Region by default. */
function tablesAndJobs(env?: NonNullable<StackProps['env']>) {
  const app = newApp()
  const tables = new Stack(app, 'Tables', { env: VIRGINIA })
  const jobs = new Stack(app, 'Jobs', env === undefined ? {} : { env })
  return { app, tables, jobs }
}

const importTable = (stack: Stack, table = Table.fromTableArn(stack, 'Table', ARN)) =>
  new LeaseTable(stack, 'Leases', { table })

describe.each<[string, (tables: Stack, jobs: Stack) => LeaseTable]>([
  ['made with a name', (tables) => new LeaseTable(tables, 'Leases', { tableName: 'leases' })],
  ['made without a name', (tables) => new LeaseTable(tables, 'Leases')],
  ['imported by ARN', (_, jobs) => importTable(jobs)],
  ['imported by ARN as a TableV2', (_, jobs) => importTable(jobs, TableV2.fromTableArn(jobs, 'Table', ARN))],
  [
    'imported by attributes',
    (_, jobs) => importTable(jobs, Table.fromTableAttributes(jobs, 'Table', { tableArn: ARN })),
  ],
])('a lease table %s', (_, makeTable) => {
  test.each([
    ['Region', IRELAND],
    ['account', OTHER_ACCOUNT],
  ])('is refused for a function of another %s', (difference, env) => {
    const { tables, jobs } = tablesAndJobs(env)
    const leaseTable = makeTable(tables, jobs)
    expect(() => elect(jobs, 'Elected', leaseTable)).toThrow(
      refusal(
        `Jobs/ElectedFunction: it is in ${env.region} of account ${env.account}, but the lease table ` +
          `${leaseTable.node.path} is in us-east-1 of account ${ACCOUNT}; use a lease table of the same ${difference}`,
      ),
    )
    expect(() => leaseTable.grantObserve(aFunction(jobs, 'Reader'), 'billing')).toThrow('Jobs/Reader: it is in')
  })

  test('is accepted in its own Region, and in a Region that only the deployment knows', () => {
    for (const env of [VIRGINIA, undefined]) {
      const { tables, jobs } = tablesAndJobs(env)
      const leaseTable = makeTable(tables, jobs)
      if (env === undefined && leaseTable.node.scope === tables) continue // the CDK refuses such a reference
      elect(jobs, 'Elected', leaseTable)
      expect(() => Template.fromStack(jobs)).not.toThrow()
    }
  })
})

describe('a warning that only the deployment knows the Region of the user', () => {
  const BUS = `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/jobs`
  test.each<[string, string, (jobs: Stack, leases: () => LeaseTable) => unknown]>([
    ['the lease table Jobs/Leases', 'Jobs/ElectedFunction', (jobs) => elect(jobs, 'Elected', importTable(jobs))],
    [
      'the function Jobs/Theirs',
      'Jobs/Elected',
      (jobs, leases) => {
        const handler = importFunction(jobs, 'Theirs', 'us-east-1')
        new ElectedSchedule(jobs, 'Elected', { leaseTable: leases(), lease: 'billing', handler, ...HOURLY })
      },
    ],
    [
      'the event bus',
      'Jobs/Events',
      (jobs, leases) => {
        const eventBus = EventBus.fromEventBusArn(jobs, 'Bus', BUS)
        new LeadershipEvents(jobs, 'Events', { leaseTable: leases(), eventBus })
      },
    ],
  ])('is given for %s', (resource, user, make) => {
    const { jobs } = tablesAndJobs()
    make(jobs, () => new LeaseTable(jobs, 'Leases'))
    Annotations.fromStack(jobs).hasWarning(
      `/${user}`,
      Match.stringLikeRegexp(
        `^${resource} is in us-east-1, but only the deployment knows the Region of ${user}.*` +
          'give the stack Jobs an .env.*tenure:UnknownRegion',
      ),
    )
  })

  test('is not given if both Regions are known, or neither', () => {
    const known = tablesAndJobs(VIRGINIA).jobs
    elect(known, 'Elected', importTable(known))
    const unknown = tablesAndJobs().jobs
    elect(unknown, 'Elected', new LeaseTable(unknown, 'Leases', { table: Table.fromTableName(unknown, 'Table', 'a') }))
    for (const stack of [known, unknown]) {
      Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('tenure:UnknownRegion'))
    }
  })
})

test('a role can be used in any Region', () => {
  const { tables, jobs } = tablesAndJobs(IRELAND)
  const leaseTable = new LeaseTable(tables, 'Leases', { tableName: 'leases' })
  expect(() => leaseTable.grantLead(aRole(jobs), 'billing')).not.toThrow()
})

describe('a global table with strong consistency', () => {
  function strong(replicaRegion: string) {
    const stacks = tablesAndJobs({ region: 'us-east-2', account: ACCOUNT })
    const global = new TableV2(stacks.tables, 'Table', {
      ...LEASE_KEYS,
      tableName: 'leases',
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      multiRegionConsistency: MultiRegionConsistency.STRONG,
      replicas: [{ region: 'us-east-2' }, { region: 'us-west-2' }],
    })
    const table = replicaRegion === 'us-east-1' ? global : global.replica(replicaRegion)
    return { ...stacks, leaseTable: new LeaseTable(stacks.tables, 'Leases', { table }) }
  }

  test('is used by its replica in the Region of the function', () => {
    const { app, jobs, leaseTable } = strong('us-east-2')
    elect(jobs, 'Elected', leaseTable)
    expect(() => app.synth()).not.toThrow()
    const policies = JSON.stringify(Template.fromStack(jobs).findResources('AWS::IAM::Policy'))
    expect(policies).toMatch(/"dynamodb:UpdateItem".*:dynamodb:us-east-2:\d+:table.leases/)
  })

  test.each(['us-east-1', 'us-west-2'])('is refused by its replica in %s', (region) => {
    const { jobs, leaseTable } = strong(region)
    expect(() => elect(jobs, 'Elected', leaseTable)).toThrow(
      refusal(
        /use a lease table of the same Region, or a replica of .*, `new LeaseTable\(.*table.replica\(region\) }\)`/,
      ),
    )
  })

  test('is announced from its own Region, and from a replica only with the ARN of the stream', () => {
    const { tables, leaseTable } = strong('us-east-1')
    expect(() => new LeadershipEvents(tables, 'Events', { leaseTable })).not.toThrow()
    const other = strong('us-east-2')
    expect(() => new LeadershipEvents(other.jobs, 'Events', { leaseTable: other.leaseTable })).toThrow(
      refusal(/^Jobs\/Events: the app does not know the stream's ARN .*, and set `history` to false, because/),
    )
  })
})

test('events, alarms and dashboard must be in the Region of the lease table', () => {
  const { tables, jobs } = tablesAndJobs(IRELAND)
  const leaseTable = new LeaseTable(tables, 'Leases', { tableName: 'leases' })
  const schedules = [elect(tables, 'Elected', leaseTable)]
  const events = new LeadershipEvents(tables, 'Events', { leaseTable })
  for (const [path, make] of [
    ['Jobs/Events', () => new LeadershipEvents(jobs, 'Events', { leaseTable })],
    ['Jobs/Alarms', () => new LeadershipAlarms(jobs, 'Alarms', { events, schedules })],
    ['Jobs/Dashboard/Widget', () => new LeadershipDashboard(jobs, 'Dashboard', { schedules })],
  ] as const) {
    expect(make).toThrow(
      refusal(`${path}: it is in eu-west-1 of account ${ACCOUNT}, but the lease table Tables/Leases is in`),
    )
  }
})

describe('an event bus', () => {
  const busArn = (region: string, account = ACCOUNT) => `arn:aws:events:${region}:${account}:event-bus/jobs`
  const announceTo = (makeBus: (jobs: Stack, tables: Stack) => { readonly eventBusArn: string }) => () => {
    const { tables, jobs } = tablesAndJobs(IRELAND)
    const leaseTable = new LeaseTable(jobs, 'Leases')
    return new LeadershipEvents(jobs, 'Events', { leaseTable, eventBus: makeBus(jobs, tables) })
  }

  test.each([
    ['an ARN', () => ({ eventBusArn: busArn('us-east-1') })],
    ['an import', (jobs: Stack) => EventBus.fromEventBusArn(jobs, 'Bus', busArn('us-east-1'))],
    ['a bus of another stack', (_: Stack, tables: Stack) => new EventBus(tables, 'Bus', { eventBusName: 'jobs' })],
  ])('of another Region is refused: %s', (_, makeBus) => {
    expect(announceTo(makeBus)).toThrow(
      refusal(`Jobs/Events: the event bus is in us-east-1 of account ${ACCOUNT}, but the announcer is in eu-west-1`),
    )
  })

  test('of another account in the same Region is accepted, because its policy can allow the announcer', () => {
    expect(announceTo(() => ({ eventBusArn: busArn('eu-west-1', '222222222222') }))).not.toThrow()
  })
})
