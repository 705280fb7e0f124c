import type { IConstruct } from 'constructs'
import leven from 'leven'
import { ConfigurationError } from './configuration-error.ts'

/** What a prop must be, in words and as a check. */
export interface Kind {
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  readonly isRequired?: boolean
}

/** Every prop that there is. */
export type Kinds = Readonly<Record<string, Kind>>

export const required = (kind: Kind): Kind => ({ ...kind, isRequired: true })

export const text: Kind = { expected: 'a text', accepts: (value) => typeof value === 'string' }
export const number: Kind = { expected: 'a number', accepts: (value) => typeof value === 'number' }
export const boolean: Kind = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' }
export const list: Kind = { expected: 'a list', accepts: Array.isArray }
export const duration = anObjectWith('toMilliseconds', 'a Duration, such as `Duration.minutes(5)`')
export const leaseTable = anObjectWith('agreeOnPeriod', 'a LeaseTable, such as `new LeaseTable(this, id, { table })`')

export const schedules: Kind = {
  expected: 'a list of ElectedSchedules',
  accepts: (value) => Array.isArray(value) && value.every((of) => isObject(of) && 'leaseTable' in of && 'lease' in of),
}

/** By its shape, since the app may have a copy of the class of its own. */
export function anObjectWith(member: string, expected: string): Kind {
  return { expected, accepts: (value) => isObject(value) && member in value }
}

/**
 * Names that no prop has, each with the one that was probably meant, required props that are missing, and values of
 * another kind. TypeScript says the same, but an app that Node runs directly is not checked by it.
 *
 * @param path what comes before each name, such as `cron.`
 */
export function propProblems(props: unknown, kinds: Kinds, path = ''): string[] {
  if (!isObject(props)) return [`the props are ${shown(props)}; they must be an object`]
  const known = Object.keys(kinds)
  const unknown = Object.keys(props).filter((name) => !known.includes(name))
  return [
    ...unknown.map((name) => {
      const nearest = known.toSorted((a, b) => leven(a, name.slice(0, 60)) - leven(b, name.slice(0, 60)))[0]
      return `there is no prop \`${path}${name.slice(0, 60)}\`; did you mean \`${path}${nearest}\`?`
    }),
    ...Object.entries(kinds).flatMap(([name, { expected, accepts, isRequired }]) => {
      const value: unknown = Reflect.get(props, name)
      if (value === undefined) return isRequired === true ? [`\`${path}${name}\` is missing`] : []
      return accepts(value) ? [] : [`\`${path}${name}\` is ${shown(value)}; it must be ${expected}`]
    }),
  ]
}

/** @throws ConfigurationError if {@link propProblems} finds any */
export function refuseWrongProps(scope: IConstruct, props: unknown, kinds: Kinds): void {
  const problems = propProblems(props, kinds)
  if (problems.length > 0) throw new ConfigurationError(scope, problems)
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (Array.isArray(value)) return 'a list'
  return isObject(value) ? 'another object' : typeof value === 'function' ? 'a function' : String(value)
}
