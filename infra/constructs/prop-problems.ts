import type { IConstruct } from 'constructs'
import leven from 'leven'
import { ConfigurationError } from './configuration-error.ts'

/**
 * Names that no prop has, each with the one that was probably meant, and required props that are missing. TypeScript says
 * the same, but an app that Node runs directly is not checked by it.
 */
export function propProblems(props: object, required: readonly string[], optional: readonly string[]): string[] {
  const known = [...required, ...optional]
  const unknown = Object.keys(props).filter((name) => !known.includes(name))
  const missing = required.filter((name) => Reflect.get(props, name) === undefined)
  return [
    ...unknown.map((name) => {
      const nearest = known.toSorted((a, b) => leven(a, name.slice(0, 60)) - leven(b, name.slice(0, 60)))[0]
      return `there is no prop \`${name.slice(0, 60)}\`; did you mean \`${nearest}\`?`
    }),
    ...missing.map((name) => `\`${name}\` is missing`),
  ]
}

/** @throws ConfigurationError where {@link propProblems} finds any */
export function refuseWrongProps(
  scope: IConstruct,
  props: object,
  required: readonly string[],
  optional: readonly string[],
): void {
  const problems = propProblems(props, required, optional)
  if (problems.length > 0) throw new ConfigurationError(scope, problems)
}
