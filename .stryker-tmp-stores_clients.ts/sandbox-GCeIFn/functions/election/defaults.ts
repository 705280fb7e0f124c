// @ts-nocheck
import { EnvironmentReader } from './environment.ts'
import { InvalidOptionError } from './errors.ts'
import {
  assertOptions,
  type CompleteOptions,
  isLeaseName,
  LEASE_MS_RULE,
  LEASE_NAME_RULE,
  type LeaseOptions,
  LONGEST_LEASE_MS,
  SHORTEST_LEASE_MS,
} from './options.ts'
import { parseSchedule } from './schedule.ts'
import { show } from './show.ts'
import { DynamoDBLeaseStore } from './stores/dynamodb.ts'

const stores = new Map<string, DynamoDBLeaseStore>()

let testDefaults: Partial<LeaseOptions> = {}

/**
 * For tests of a function that calls `leaderOnly()` or `withLease` without these options: they come from here instead
 * of the environment. Call it before the function is imported, and again for another store or clock; without
 * arguments it ends.
 */
export function setTestDefaults(options: Pick<LeaseOptions, 'store' | 'lease' | 'clock' | 'onEvent'> = {}): void {
  assertOptions(options)
  testDefaults = options
}

/**
 * Checks the options, and takes those that are missing from the environment variables LEASE_TABLE, LEASE_NAME,
 * LEASE_MS, LEASE_SCHEDULE and LEASE_TIME_ZONE, which an ElectedSchedule sets.
 * @throws InvalidOptionError which names everything that is missing or wrong
 */
export function withDefaults<Options extends LeaseOptions>(
  given: Options,
  rules: Parameters<typeof assertOptions>[1] = {},
): Options & CompleteOptions {
  assertOptions(given, rules)
  return completed(given)
}

/** The same for options that were checked before. */
export function completed<Options extends LeaseOptions>(given: Options): Options & CompleteOptions {
  const options = { ...testDefaults, ...given }
  const environment = new EnvironmentReader('this candidate', process.env)
  const store = options.store ?? storeOf(environment.optional('LEASE_TABLE'))
  if (store === undefined) environment.problem('give the option store or the environment variable LEASE_TABLE')
  const name = environment.optional('LEASE_NAME')
  const lease = options.lease ?? name
  if (lease === undefined) environment.problem('give the option lease or the environment variable LEASE_NAME')
  else if (!isLeaseName(lease)) environment.problem(`LEASE_NAME is ${show(lease)}, not a name of ${LEASE_NAME_RULE}`)
  const leaseMs =
    options.leaseMs ?? environment.wholeNumber('LEASE_MS', SHORTEST_LEASE_MS, LONGEST_LEASE_MS, LEASE_MS_RULE)
  // A function may use other leases, too: the variables name the schedule of this one.
  const isOwn = lease === name
  const schedule = options.schedule ?? (isOwn ? environment.optional('LEASE_SCHEDULE') : undefined)
  const timeZone = options.timeZone ?? (isOwn ? environment.optional('LEASE_TIME_ZONE') : undefined)
  if (schedule !== undefined) parseSchedule(schedule, timeZone)
  if (store === undefined || lease === undefined || environment.problems.length > 0) {
    throw new InvalidOptionError(
      `The lease is not configured: ${environment.problems.join('; ')}. ` +
        'An ElectedSchedule sets these variables, and a StandingElection has them as `environment`.',
    )
  }
  return {
    ...options,
    ...{ store, lease },
    ...(leaseMs === undefined ? {} : { leaseMs }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(timeZone === undefined ? {} : { timeZone }),
  }
}

/** A store has connections of its own, so there is one for each table. */
function storeOf(tableName: string | undefined): DynamoDBLeaseStore | undefined {
  if (tableName === undefined) return undefined
  const store = stores.get(tableName) ?? new DynamoDBLeaseStore({ tableName })
  stores.set(tableName, store)
  return store
}
