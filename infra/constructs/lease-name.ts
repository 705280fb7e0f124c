import { isLeaseName } from '../../functions/election/options.ts'

/** Why this cannot be a lease's name; empty where it can. */
export function leaseNameProblems(lease: string): string[] {
  if (isLeaseName(lease)) return []
  return [
    `the lease name ${JSON.stringify(lease.slice(0, 60))} is not allowed; use 1 to 128 letters, digits and . _ - / :`,
  ]
}
