/** Where the scheduled function and its gateway keep what they know, from the environments that the stacks give them. */
import { LAMBDA_LEASE_MS } from '../../../functions/election/options.ts'
import { TemplateError } from './intrinsics.ts'
import type { Candidate } from './schedules.ts'
import type { LambdaFunction } from './template.ts'

/** How far another candidate's clock may be off (`maxClockSkewMs`), and time for a renewal that was under way. */
export const PAST_LEASE_MS = 1_000 + 500

export interface Places {
  readonly lease: string
  readonly leaseTable: string
  readonly subscriptionsTable: string
  readonly chargesTable: string
  /** The sandbox gateway's own. */
  readonly sandboxTable: string
  /** How long a grant of the lease lasts; what the library takes where the stack does not say. */
  readonly leaseMs: number
}

/** @throws TemplateError that names the variable which nobody has */
export function placesOf(candidates: readonly Candidate[], functions: readonly LambdaFunction[]): Places {
  const scheduled = candidates.map(({ lambda }) => lambda)
  return {
    lease: scheduled[0]?.environment['LEASE_NAME'] ?? 'lease',
    leaseTable: variableOf(scheduled, 'LEASE_TABLE'),
    subscriptionsTable: variableOf(scheduled, 'SUBSCRIPTIONS_TABLE'),
    chargesTable: variableOf(scheduled, 'CHARGES_TABLE'),
    sandboxTable: variableOf(functions, 'SANDBOX_TABLE'),
    leaseMs: Number(scheduled[0]?.environment['LEASE_MS'] ?? LAMBDA_LEASE_MS),
  }
}

/** @throws TemplateError where nobody has it */
export function variableOf(functions: readonly LambdaFunction[], name: string): string {
  for (const { environment } of functions) if (environment[name] !== undefined) return environment[name]
  throw new TemplateError(`No function that a run needs has ${name} in its environment`)
}
