/** Checks of props, for apps that no compiler checks: Node runs TypeScript without checking its types. */
// @ts-nocheck

import type { IConstruct } from 'constructs'
import { show } from '../../functions/election/show.ts'
import { similar } from '../../functions/election/similar.ts'
import { refuse } from './configuration.ts'

export interface Rule {
  /** Completes "it must be …". */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  readonly isRequired?: boolean
}

/** A rule for each prop that exists. */
export type Rules = Readonly<Record<string, Rule>>

export const required = (rule: Rule): Rule => ({ ...rule, isRequired: true })

export const text: Rule = { expected: 'a text', accepts: (value) => typeof value === 'string' }
export const number: Rule = { expected: 'a number', accepts: (value) => typeof value === 'number' }
export const boolean: Rule = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' }
export const list: Rule = { expected: 'a list', accepts: Array.isArray }
export const duration = objectWith('toMilliseconds', 'a Duration, such as `Duration.minutes(5)`')
export const leaseTable = objectWith('grantLead', 'a LeaseTable, such as `new LeaseTable(this, id, { table })`')
export const schedules = listOf('expression', 'a list of ElectedSchedules')
export const elections = listOf('grantStand', 'a list of StandingElections')

/** Options of the library, of Lambda and of other constructs that mean one of our props. */
const SYNONYMS = {
  ...{ leaseMs: 'leaseDuration', leaseDurationMs: 'leaseDuration', ttl: 'leaseDuration' },
  ...{ period: 'rate', periodMs: 'rate', interval: 'rate', schedule: 'cron', expression: 'cron' },
  ...{ name: 'lease', leaseName: 'lease', lockName: 'lease', table: 'leaseTable', tableName: 'leaseTable' },
  ...{ function: 'handler', lambda: 'handler', target: 'handler', functionProps: 'entryProps' },
  ...{ concurrency: 'candidates', replicas: 'candidates', env: 'environment', tz: 'timeZone' },
}

/** Accepts an object by its shape: the app may have a second copy of the CDK or of this package, with other classes. */
export function objectWith(member: string, expected: string): Rule {
  return { expected, accepts: (value) => isObject(value) && member in value }
}

function listOf(member: string, expected: string): Rule {
  const accepts = (of: unknown) => isObject(of) && 'leaseTable' in of && member in of
  return { expected, accepts: (value) => Array.isArray(value) && value.every(accepts) }
}

/** Finds unknown names, missing props and values of a wrong type. @param path prefixes each name, such as `cron.` */
export function problemsOf(props: unknown, rules: Rules, path = ''): string[] {
  if (!isObject(props)) return [`the props are ${show(props)}; they must be an object`]
  const known = Object.keys(rules)
  const unknown = Object.keys(props).filter((name) => !known.includes(name))
  return [
    ...unknown.map((name) => {
      const meant = similar(name, known, { synonyms: SYNONYMS })
      return `there is no prop \`${path}${name.slice(0, 60)}\`; did you mean \`${path}${meant}\`?`
    }),
    ...Object.entries(rules).flatMap(([name, { expected, accepts, isRequired }]) => {
      const value: unknown = Reflect.get(props, name)
      if (value === undefined) return isRequired === true ? [`\`${path}${name}\` is missing`] : []
      return accepts(value) ? [] : [`\`${path}${name}\` is ${show(value)}; it must be ${expected}`]
    }),
  ]
}

/** @throws ConfigurationError */
export function refuseWrong(scope: IConstruct, props: unknown, rules: Rules): void {
  refuse(scope, problemsOf(props, rules))
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
