/** Names that the functions of a run find in their environment variables: the lease, and the tables. */
import { LAMBDA_LEASE_MS } from '../../../functions/election/options.ts'
import type { LambdaFunction } from '../lambda-host/lambda-function.ts'
import { TemplateError } from './intrinsics.ts'
import type { Candidate } from './schedules.ts'

/** How far another candidate's clock may be off (`maxClockSkewMs`), plus time for a renewal that is under way. */
export const PAST_LEASE_MS = 1_000 + 500

export interface LeaseResource {
  readonly lease: string
  readonly leaseTable: string
  readonly leaseMs: number
}

/** What billing and its gateway use, besides the lease. */
export interface Resources extends LeaseResource {
  readonly subscriptionsTable: string
  readonly chargesTable: string
  readonly sandboxTable: string
}

export function leaseOf(candidates: readonly Candidate[]): LeaseResource {
  const { LEASE_NAME, LEASE_MS } = candidates[0]?.lambda.environment ?? {}
  return {
    lease: LEASE_NAME ?? 'lease',
    leaseTable: variableOf(functionsOf(candidates), 'LEASE_TABLE'),
    leaseMs: Number(LEASE_MS ?? LAMBDA_LEASE_MS),
  }
}

export function resourcesOf(candidates: readonly Candidate[], functions: readonly LambdaFunction[]): Resources {
  return {
    ...leaseOf(candidates),
    subscriptionsTable: variableOf(functionsOf(candidates), 'SUBSCRIPTIONS_TABLE'),
    chargesTable: variableOf(functionsOf(candidates), 'CHARGES_TABLE'),
    sandboxTable: variableOf(functions, 'SANDBOX_TABLE'),
  }
}

const functionsOf = (candidates: readonly Candidate[]) => candidates.map(({ lambda }) => lambda)

function variableOf(functions: readonly LambdaFunction[], name: string): string {
  for (const { environment } of functions) if (environment[name] !== undefined) return environment[name]
  throw new TemplateError(`No function that the run needs has the environment variable ${name}`)
}
