// @ts-nocheck
import { Stack, type StackProps } from 'aws-cdk-lib'
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions'
import { MultiRegionConsistency, StreamViewType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { expect, test } from 'vitest'
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
const OHIO = { region: 'us-east-2', account: ACCOUNT }
const OTHER_ACCOUNT = { region: 'us-east-1', account: '222222222222' }
const ARN = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/leases`
const busArn = (region: string, account = ACCOUNT) => `arn:aws:events:${region}:${account}:event-bus/jobs`

/** The stack `Tables` in Virginia, and the stack `Jobs`, in an unknown Region by default. */
function tablesAndJobs(env?: NonNullable<StackProps['env']>) {
  const app = newApp()
  const tables = new Stack(app, 'Tables', { env: VIRGINIA })
  const jobs = new Stack(app, 'Jobs', env === undefined ? {} : { env })
  return { app, tables, jobs }
}

const named = (tables: Stack) => new LeaseTable(tables, 'Leases', { tableName: 'leases' })
const importTable = (stack: Stack) =>
  new LeaseTable(stack, 'Leases', { table: Table.fromTableArn(stack, 'Table', ARN) })
const announceTo = (jobs: Stack, eventBus: { readonly eventBusArn: string }) =>
  new LeadershipEvents(jobs, 'Events', { leaseTable: new LeaseTable(jobs, 'Leases'), eventBus })

/** A global table with strong consistency, by its replica in a Region. */
function strong(tables: Stack, replicaRegion: string) {
  const global = new TableV2(tables, 'Table', {
    ...LEASE_KEYS,
    tableName: 'leases',
    dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
    multiRegionConsistency: MultiRegionConsistency.STRONG,
    replicas: [{ region: 'us-east-2' }, { region: 'us-west-2' }],
  })
  const table = replicaRegion === 'us-east-1' ? global : global.replica(replicaRegion)
  return new LeaseTable(tables, 'Leases', { table })
}

test.each<[string, (tables: Stack, jobs: Stack) => LeaseTable]>([
  ['made with a name', named],
  ['made without a name', (tables) => new LeaseTable(tables, 'Leases')],
  ['imported by ARN', (_, jobs) => importTable(jobs)],
])('a lease table %s is used in its Region and account, or in a Region that only the deployment knows', (_, make) => {
  for (const [difference, env] of Object.entries({ Region: IRELAND, account: OTHER_ACCOUNT })) {
    const { tables, jobs } = tablesAndJobs(env)
    const leaseTable = make(tables, jobs)
    expect(() => elect(jobs, 'Elected', leaseTable)).toThrow(
      refusal(
        `Jobs/ElectedFunction: it is in ${env.region} of account ${env.account}, but the lease table ` +
          `${leaseTable.node.path} is in us-east-1 of account ${ACCOUNT}; use a lease table of the same ${difference}`,
      ),
    )
    expect(() => leaseTable.grantObserve(aFunction(jobs, 'Reader'), 'billing')).toThrow('Jobs/Reader: it is in')
  }
  for (const env of [VIRGINIA, undefined]) {
    const { tables, jobs } = tablesAndJobs(env)
    const leaseTable = make(tables, jobs)
    if (env === undefined && leaseTable.node.scope === tables) continue // the CDK refuses such a reference
    elect(jobs, 'Elected', leaseTable)
    expect(() => Template.fromStack(jobs)).not.toThrow()
  }
})

const ELSEWHERE = `it is in eu-west-1 of account ${ACCOUNT}, but the lease table Tables/Leases is in`
const NO_BUS = `Jobs/Events: the event bus is in us-east-1 of account ${ACCOUNT}, but the announcer is in eu-west-1`
const USE_A_REPLICA =
  /use a lease table of the same Region, or a replica of .*, `new LeaseTable\(.*table.replica\(region\) }\)`/

test.each<[string | RegExp, (jobs: Stack, tables: Stack) => unknown, env?: typeof IRELAND]>([
  [`Jobs/Events: ${ELSEWHERE}`, (jobs, tables) => new LeadershipEvents(jobs, 'Events', { leaseTable: named(tables) })],
  [
    `Jobs/Alarms: ${ELSEWHERE}`,
    (jobs, tables) => {
      const events = new LeadershipEvents(tables, 'Events', { leaseTable: named(tables) })
      return new LeadershipAlarms(jobs, 'Alarms', { events, schedules: [elect(tables, 'Elected', events.leaseTable)] })
    },
  ],
  [
    `Jobs/Dashboard/Widget: ${ELSEWHERE}`,
    (jobs, tables) => new LeadershipDashboard(jobs, 'Dashboard', { schedules: [elect(tables, 'E', named(tables))] }),
  ],
  [NO_BUS, (jobs) => announceTo(jobs, { eventBusArn: busArn('us-east-1') })],
  [NO_BUS, (jobs, tables) => announceTo(jobs, new EventBus(tables, 'Bus', { eventBusName: 'jobs' }))],
  [USE_A_REPLICA, (jobs, tables) => elect(jobs, 'E', strong(tables, 'us-east-1')), OHIO],
  [
    // The replica is in the Region of its user, but without the ARN of its stream.
    /^Jobs\/Events: the app does not know the stream's ARN .*, and set `history` to false, because/,
    (jobs, tables) => new LeadershipEvents(jobs, 'Events', { leaseTable: strong(tables, 'us-east-2') }),
    OHIO,
  ],
])('another Region is refused: %s', (message, make, env = IRELAND) => {
  const { tables, jobs } = tablesAndJobs(env)
  expect(() => make(jobs, tables)).toThrow(refusal(message))
})

test('a role of another Region is accepted, and a bus of another account, whose policy can allow the announcer', () => {
  const { tables, jobs } = tablesAndJobs(IRELAND)
  expect(() => named(tables).grantLead(aRole(jobs), 'billing')).not.toThrow()
  expect(() => announceTo(jobs, { eventBusArn: busArn('eu-west-1', '222222222222') })).not.toThrow()
})

test('a global table is used by its replica in the Region of the function', () => {
  const { app, tables, jobs } = tablesAndJobs(OHIO)
  elect(jobs, 'Elected', strong(tables, 'us-east-2'))
  expect(() => app.synth()).not.toThrow()
  const policies = JSON.stringify(Template.fromStack(jobs).findResources('AWS::IAM::Policy'))
  expect(policies).toMatch(/"dynamodb:UpdateItem".*:dynamodb:us-east-2:\d+:table.leases/)
})

test.each<[string, string, (jobs: Stack) => unknown]>([
  ['the lease table Jobs/Leases', 'Jobs/ElectedFunction', (jobs) => elect(jobs, 'Elected', importTable(jobs))],
  [
    'the function Jobs/Theirs',
    'Jobs/Elected',
    (jobs) => {
      const [leaseTable, handler] = [new LeaseTable(jobs, 'Leases'), importFunction(jobs, 'Theirs', 'us-east-1')]
      new ElectedSchedule(jobs, 'Elected', { leaseTable, lease: 'billing', handler, ...HOURLY })
    },
  ],
  [
    'the event bus',
    'Jobs/Events',
    (jobs) => announceTo(jobs, EventBus.fromEventBusArn(jobs, 'Bus', busArn('us-east-1'))),
  ],
])('a warning that only the deployment knows the Region of the user is given for %s', (resource, user, make) => {
  const { jobs } = tablesAndJobs()
  make(jobs)
  Annotations.fromStack(jobs).hasWarning(
    `/${user}`,
    Match.stringLikeRegexp(
      `^${resource} is in us-east-1, but only the deployment knows the Region of ${user}.*` +
        'give the stack Jobs an .env.*tenure:UnknownRegion',
    ),
  )
})

test('no such warning is given if both Regions are known, or neither', () => {
  const known = tablesAndJobs(VIRGINIA).jobs
  elect(known, 'Elected', importTable(known))
  const unknown = tablesAndJobs().jobs
  elect(unknown, 'Elected', new LeaseTable(unknown, 'Leases', { table: Table.fromTableName(unknown, 'Table', 'a') }))
  for (const stack of [known, unknown]) {
    Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('tenure:UnknownRegion'))
  }
})
