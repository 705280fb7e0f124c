/** Whether the money is right: what was due, what the ledger says, what the sandbox's own table says. */
import {
  auditCharged,
  disagreements,
  duplicatesIn,
  readGateway,
  readLedger,
  unowed,
} from '../../infra/local/billing/audit.ts'
import { seeded } from './customers.ts'
import type { Emulator } from './environment.ts'
import type { DeployedStack } from './stack.ts'

export interface Books {
  /** Rows of the ledger that say charged. */
  readonly charged: number
  /** Business units that the ledger, or the sandbox, charged more than once. */
  readonly doubled: number
  /** Due by then, and neither charged nor declined. */
  readonly missing: number
  /** Charged by the sandbox though nobody owed it. */
  readonly unowed: number
  /** Charges that only one of the two has. */
  readonly disagreements: number
}

/** What every book must say, whatever happened. */
export const RIGHT = { doubled: 0, missing: 0, unowed: 0, disagreements: 0 } as const

export async function readBooks(
  emulator: Emulator,
  { clients: { dynamodb }, tables }: DeployedStack,
  lastTick: string,
): Promise<Books> {
  const [customers, ledger, gateway] = await Promise.all([
    seeded(emulator),
    readLedger(dynamodb, tables.charges),
    readGateway(dynamodb, tables.sandbox),
  ])
  const audit = await auditCharged(ledger, dynamodb, tables.subscriptions, lastTick, customers, gateway.declined)
  return {
    charged: audit.charges,
    doubled: audit.duplicateCharges + duplicatesIn(gateway.charges),
    missing: audit.dueNotCharged,
    unowed: unowed(gateway, lastTick, customers).length,
    disagreements: disagreements(gateway.charges, ledger),
  }
}
