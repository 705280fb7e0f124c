/** What the announcer is told by its environment variables, checked when it loads. */
export interface AnnouncerEnvironment {
  /** `LEASE_TABLE` */
  readonly leaseTable: string
  /** `EVENT_BUS`: its name or ARN. */
  readonly eventBus: string
  /** `HISTORY_DAYS`: how long a tenure is remembered, from its beginning; 0 for not at all. */
  readonly historyDays: number
}

/** What the check for overdue ticks is told. */
export interface OverdueEnvironment {
  /** `LEASE_TABLE` */
  readonly leaseTable: string
}

/** Environment variables are missing or wrong; the message names every one of them. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'

  constructor(whose: string, problems: readonly string[]) {
    super(`The environment of the ${whose} is wrong: ${problems.join('; ')}`)
  }
}

type Variables = Readonly<Record<string, string | undefined>>

const DEFAULT_HISTORY_DAYS = 30
/** Ten years; more is most likely a number of seconds. */
const MOST_HISTORY_DAYS = 3_650

/** @throws EnvironmentError */
export function readAnnouncerEnvironment(variables: Variables): AnnouncerEnvironment {
  const problems: string[] = []
  const environment = {
    leaseTable: required(variables, 'LEASE_TABLE', problems),
    eventBus: required(variables, 'EVENT_BUS', problems),
    historyDays: days(variables, 'HISTORY_DAYS', problems),
  }
  if (problems.length > 0) throw new EnvironmentError('announcer', problems)
  return environment
}

/** @throws EnvironmentError */
export function readOverdueEnvironment(variables: Variables): OverdueEnvironment {
  const problems: string[] = []
  const environment = { leaseTable: required(variables, 'LEASE_TABLE', problems) }
  if (problems.length > 0) throw new EnvironmentError('check for overdue ticks', problems)
  return environment
}

function required(variables: Variables, name: string, problems: string[]): string {
  const value = variables[name]?.trim() ?? ''
  if (value === '') problems.push(`${name} is not set`)
  return value
}

function days(variables: Variables, name: string, problems: string[]): number {
  const value = variables[name]?.trim() ?? ''
  if (value === '') return DEFAULT_HISTORY_DAYS
  const count = Number(value)
  if (!Number.isInteger(count) || count < 0 || count > MOST_HISTORY_DAYS)
    problems.push(`${name} is "${value.slice(0, 60)}", not a whole number of days from 0 to ${MOST_HISTORY_DAYS}`)
  return count
}
