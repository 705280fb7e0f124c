/** Reports what is wrong with a construct's configuration, during synthesis. */
// @ts-nocheck

import { Annotations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'
import { isLeaseName, LEASE_NAME_RULE } from '../../functions/election/options.ts'
import { show } from '../../functions/election/show.ts'

/**
 * A construct cannot work as configured. It is thrown during synthesis, before anything is deployed. The message starts
 * with the construct's path and names every problem: what was given, and what is allowed.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'

  constructor(scope: IConstruct, problems: readonly string[]) {
    super(`${scope.node.path || 'the app'}: ${problems.join('; ')}`)
  }
}

/** @throws ConfigurationError if there are problems */
export function refuse(scope: IConstruct, problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigurationError(scope, problems)
}

/** @throws ConfigurationError if the condition holds */
export function refuseIf(scope: IConstruct, condition: boolean, problem: string): void {
  if (condition) throw new ConfigurationError(scope, [problem])
}

/** A configuration that works, but probably not as intended. */
export interface Warning {
  /** For `Annotations.of(…).acknowledgeWarning(id)`. */
  readonly id: string
  readonly message: string
}

export function warn(scope: IConstruct, warnings: readonly Warning[]): void {
  for (const { id, message } of warnings) Annotations.of(scope).addWarningV2(id, message)
}

/** The messages whose conditions hold. */
export function problemsIf(...checks: readonly (readonly [boolean, string])[]): string[] {
  return checks.flatMap(([applies, message]) => (applies ? [message] : []))
}

export function leaseNameProblems(lease: string): string[] {
  return isLeaseName(lease) ? [] : [`the lease name ${show(lease)} is not allowed; use ${LEASE_NAME_RULE}`]
}
