// @ts-nocheck
import { Duration, type Stack } from 'aws-cdk-lib'
import { MultiRegionConsistency, StreamViewType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import { describe, expect, test } from 'vitest'
import { LeadershipAlarms, LeadershipDashboard, LeadershipEvents, LeaseTable } from '../../infra/constructs/index.ts'
import { assertSameTable, assertSameTimes, registerAnnouncer } from '../../infra/constructs/lease-table-use.ts'
import { ACCOUNT, elect, LEASE_KEYS, newStack, refusal, stackWithTable, twoStacks } from '../support/cdk-app.ts'

const DIFFERS = 'has another lease table than'
const compare =
  (...tables: readonly LeaseTable[]) =>
  () => {
    const users = tables.map((leaseTable) => ({ leaseTable, node: leaseTable.node }))
    for (const first of tables.slice(0, 1)) assertSameTable(first, users, 'advice')
  }

describe('two LeaseTables of one table', () => {
  const twice = () => {
    const stack = newStack()
    const table = new TableV2(stack, 'Table', {
      ...LEASE_KEYS,
      timeToLiveAttribute: 'ttl',
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
    })
    return { stack, one: new LeaseTable(stack, 'One', { table }), two: new LeaseTable(stack, 'Two', { table }) }
  }

  test('share alarms and a dashboard', () => {
    const { stack, one, two } = twice()
    const schedules = [elect(stack, 'First', one), elect(stack, 'Second', two)]
    const events = new LeadershipEvents(stack, 'Events', { leaseTable: one })
    const { alarms } = new LeadershipAlarms(stack, 'Alarms', { events, schedules })
    new LeadershipDashboard(stack, 'Dashboard', { schedules })
    expect(alarms).toHaveLength(6)
  })

  test('have the same times for each lease', () => {
    const { stack, one, two } = twice()
    elect(stack, 'Hourly', one)
    elect(stack, 'Sixty', two, 'billing', Duration.minutes(60))
    elect(stack, 'Reports', two, 'reports', Duration.days(1))
    expect(() => elect(stack, 'Daily', two, 'billing', Duration.days(1))).toThrow(
      refusal('Stack/Daily: it ticks at rate(1 day), but Stack/Hourly for the lease "billing" at rate(1 hour)'),
    )
  })

  test('have one announcer', () => {
    const { stack, one, two } = twice()
    new LeadershipEvents(stack, 'First', { leaseTable: one })
    for (const [id, leaseTable] of Object.entries({ Again: one, Other: two })) {
      expect(() => new LeadershipEvents(stack, id, { leaseTable })).toThrow(
        refusal(`Stack/${id}: Stack/First already announces the leases of ${leaseTable.node.path}; for more receivers`),
      )
    }
  })
})

describe('references to a table', () => {
  const env = { region: 'us-east-1', account: ACCOUNT }
  const arn = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/leases`
  const makeNamed = (stack: Stack) => new LeaseTable(stack, 'Leases', { tableName: 'leases' })
  const byName = (stack: Stack) =>
    new LeaseTable(stack, 'ByName', { table: Table.fromTableName(stack, 'Named', 'leases') })
  const byArn = (stack: Stack, tableArn = arn, id = 'ByArn') =>
    new LeaseTable(stack, id, { table: TableV2.fromTableArn(stack, `${id}Table`, tableArn) })

  test.each<[string, (one: Stack, two: Stack) => readonly LeaseTable[]]>([
    ['imported by name and by ARN, in two stacks', (one, two) => [byName(one), byArn(two)]],
    [
      'made without a name, and imported by its token as ARN',
      (one, two) => {
        const made = new LeaseTable(one, 'Leases')
        return [made, byArn(two, made.tableArn)]
      },
    ],
    [
      'a global table and its replica',
      (one) => {
        const table = new TableV2(one, 'Strong', {
          ...LEASE_KEYS,
          tableName: 'leases',
          multiRegionConsistency: MultiRegionConsistency.STRONG,
          replicas: [{ region: 'us-east-2' }, { region: 'us-west-2' }],
        })
        return [table, table.replica('us-west-2')].map((each, id) => new LeaseTable(one, `L${id}`, { table: each }))
      },
    ],
  ])('are the same table: %s', (_, makeTables) => {
    const { one, two } = twoStacks({ env })
    const [first, second] = makeTables(one, two)
    if (first === undefined || second === undefined) throw new Error('there are two')
    expect(compare(first, second)).not.toThrow()
    assertSameTimes(first, 'billing', ScheduleExpression.rate(Duration.hours(1)), one)
    expect(() => assertSameTimes(second, 'billing', ScheduleExpression.rate(Duration.hours(2)), two)).toThrow(
      refusal('Two: it ticks at rate(2 hours), but One'),
    )
    registerAnnouncer(first, one)
    expect(() => registerAnnouncer(second, two)).toThrow(refusal('Two: One already announces the leases of'))
  })

  test('differ if they have the same name in two accounts, or in two stacks of unknown Regions', () => {
    const stack = newStack()
    expect(compare(byArn(stack), byArn(stack, arn.replace(ACCOUNT, '222222222222'), 'Other'))).toThrow(DIFFERS)
    const { one, two } = twoStacks()
    const made = makeNamed(one)
    expect(compare(made, byName(one))).not.toThrow()
    expect(compare(made, byName(two))).toThrow(DIFFERS)
  })

  test('differ in two apps, and for two tables of one app', () => {
    const { stack, leaseTable } = stackWithTable()
    expect(compare(leaseTable, stackWithTable().leaseTable)).toThrow(DIFFERS)
    expect(compare(leaseTable, new LeaseTable(stack, 'Others'))).toThrow(DIFFERS)
    expect(compare(makeNamed(newStack({ env })), makeNamed(newStack({ env })))).toThrow(DIFFERS)
  })
})
