import type { Target } from './target.ts'
import { billingTargets } from './targets/billing.ts'
import { electionTargets } from './targets/election.ts'
import { gatewayTargets } from './targets/gateway.ts'
import { infraTargets } from './targets/infra.ts'
import { leaseRowTargets } from './targets/lease-row.ts'
import { localTargets } from './targets/local.ts'
import { toldTargets } from './targets/told.ts'

/** Everything that reads what comes from outside. */
export const TARGETS: readonly Target[] = [
  ...electionTargets,
  ...leaseRowTargets,
  ...billingTargets,
  ...gatewayTargets,
  ...localTargets,
  ...infraTargets,
  ...toldTargets,
]
