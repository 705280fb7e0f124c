import { Annotations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** What works, but probably not as meant. */
export interface Warning {
  /** Lets a user acknowledge the warning: `Annotations.of(…).acknowledgeWarning(id)`. */
  readonly id: string
  readonly message: string
}

export function warn(scope: IConstruct, warnings: readonly Warning[]): void {
  for (const { id, message } of warnings) Annotations.of(scope).addWarningV2(id, message)
}
