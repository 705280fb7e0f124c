/** What the constructs of an app must agree on if they use the same lease table. */
// @ts-nocheck

import { Token } from 'aws-cdk-lib'
import type { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import type { IConstruct } from 'constructs'
import { refuseIf, warn } from './configuration.ts'
import { type Env, envDifference, envOfStack, regionWarnings, resourceKey, showEnv } from './regions.ts'
import { type AnyTable, envOfTable, resourceOf, type TableReference } from './table-description.ts'

interface TableUse {
  /** By lease: the times of its ticks, or `no time`, and the path of the first construct that has them. */
  readonly times: Map<string, { readonly text: string; readonly path: string }>
  announcer?: IConstruct
}

const usesByApp = new WeakMap<IConstruct, Map<string, TableUse>>()

/** The same object for each reference to a table: made here, imported by name or ARN, or a replica. */
function useOf({ table }: TableReference): TableUse {
  const uses = usesByApp.get(table.node.root) ?? new Map<string, TableUse>()
  usesByApp.set(table.node.root, uses)
  const key = keyOf(table)
  const use = uses.get(key) ?? { times: new Map() }
  uses.set(key, use)
  return use
}

function keyOf(table: AnyTable): string {
  const resource = resourceOf(table)
  if (resource === undefined) return resourceKey(table, envOfTable(table), table.tableName)
  const { tableName } = resource
  const isNamed = tableName !== undefined && !Token.isUnresolved(tableName)
  return isNamed ? resourceKey(resource, envOfStack(resource), tableName) : resource.node.path
}

type TableUser = Pick<IConstruct, 'node'> & { readonly leaseTable: TableReference }

/** @throws ConfigurationError if the app knows that two of the users have different tables */
export function assertSameTable(scope: IConstruct, users: readonly TableUser[], advice: string): void {
  const [first, ...others] = users
  for (const { leaseTable, node } of others) {
    const differs = first !== undefined && useOf(leaseTable) !== useOf(first.leaseTable)
    refuseIf(scope, differs, `${node.path} has another lease table than ${first?.node.path}; ${advice}`)
  }
}

/**
 * Refuses a user of the table in another Region or account: a function looks for the table in its own, and stream and
 * metrics are there too. Warns if only the deployment knows the Region of `user`. @throws ConfigurationError
 */
export function assertSameRegion(leaseTable: TableReference, user: IConstruct, userEnv: Env): void {
  const { path } = leaseTable.node
  const tableEnv = envOfTable(leaseTable.table)
  const difference = envDifference(userEnv, tableEnv)
  const example = '`new LeaseTable(this, id, { table: table.replica(region) })`'
  const replica = `, or a replica of a global table with strong consistency, ${example}`
  const problem =
    `it is in ${showEnv(userEnv)}, but the lease table ${path} is in ${showEnv(tableEnv)}; ` +
    `use a lease table of the same ${difference}${difference === 'Region' ? replica : ''}`
  refuseIf(user, difference !== undefined, problem)
  warn(user, regionWarnings(`the lease table ${path}`, tableEnv, user, userEnv))
}

export const isRate = ({ expressionString }: ScheduleExpression): boolean => expressionString.startsWith('rate')

export const timeZoneOf = ({ timeZone }: ScheduleExpression): string => timeZone?.timezoneName ?? 'UTC'

/**
 * Schedules of one lease must tick at the same times, because all candidates must name the same tick, and find the same
 * ticks missed. @throws ConfigurationError
 */
export function assertSameTimes(
  leaseTable: TableReference,
  lease: string,
  expression: ScheduleExpression,
  schedule: IConstruct,
): void {
  const { expressionString } = expression
  // The days of a rate have 24 hours in each time zone.
  const zone = timeZoneOf(expression).replace(/^Etc\//, '')
  const own = isRate(expression) ? expressionString : `${expressionString} in ${zone}`
  const advice = 'schedules of one lease must have the same `rate` or `cron`, so give this schedule a lease of its own'
  assertSame(leaseTable, lease, own, schedule, advice)
}

/** A lease has ticks or has none: candidates of the other kind fail. @throws ConfigurationError */
export function assertWithoutTicks(leaseTable: TableReference, lease: string, election: IConstruct): void {
  assertSame(leaseTable, lease, 'no time', election, 'give this election a lease of its own')
}

function assertSame(leaseTable: TableReference, lease: string, own: string, user: IConstruct, advice: string): void {
  const { times } = useOf(leaseTable)
  const known = times.get(lease) ?? { text: own, path: user.node.path }
  const problem = `it ticks at ${own}, but ${known.path} for the lease "${lease}" at ${known.text}; ${advice}`
  refuseIf(user, known.text !== own, problem)
  times.set(lease, known)
}

/**
 * A table has one announcer: it marks in the history what it announced, so a second one would announce only the rest.
 * @throws ConfigurationError if the table has another announcer
 */
export function registerAnnouncer(leaseTable: TableReference, announcer: IConstruct): void {
  const use = useOf(leaseTable)
  const problem =
    `${use.announcer?.node.path} already announces the leases of ${leaseTable.node.path}; for more receivers, ` +
    'add rules to its event bus'
  refuseIf(announcer, use.announcer !== undefined, problem)
  use.announcer = announcer
}
