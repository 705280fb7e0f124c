/** What the functions of a run find in their environment variables: the lease, and the tables. */
// @ts-nocheck

import { LAMBDA_LEASE_MS } from '../../../functions/election/options.ts'
import type { LambdaFunction } from '../lambda-host/lambda-function.ts'
import { TemplateError } from './assembly.ts'
import type { Candidate } from './schedules.ts'

/** How far another candidate's clock may be off (`maxClockSkewMs`), plus time for a renewal that is under way. */
export const PAST_LEASE_MS = 1_000 + 500

export type Resources = ReturnType<typeof resourcesOf>

export function leaseOf(candidates: readonly Candidate[]) {
  const lambdas = candidates.map(({ lambda }) => lambda)
  const { LEASE_NAME: lease = 'lease', LEASE_MS: leaseMs = LAMBDA_LEASE_MS } = lambdas[0]?.environment ?? {}
  return { lease, leaseTable: variableOf(lambdas, 'LEASE_TABLE'), leaseMs: Number(leaseMs) }
}

/** What billing and its gateway use. */
export function resourcesOf(candidates: readonly Candidate[], functions: readonly LambdaFunction[]) {
  const lambdas = candidates.map(({ lambda }) => lambda)
  return {
    ...leaseOf(candidates),
    subscriptionsTable: variableOf(lambdas, 'SUBSCRIPTIONS_TABLE'),
    chargesTable: variableOf(lambdas, 'CHARGES_TABLE'),
    sandboxTable: variableOf(functions, 'SANDBOX_TABLE'),
  }
}

function variableOf(functions: readonly LambdaFunction[], name: string): string {
  for (const { environment } of functions) if (environment[name] !== undefined) return environment[name]
  throw new TemplateError(`No function that the run needs has the environment variable ${name}`)
}
