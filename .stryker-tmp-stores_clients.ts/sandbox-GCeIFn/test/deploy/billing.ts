/** The customers of the run, and whether they are charged correctly. */
// @ts-nocheck

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { auditRun } from '../../infra/local/billing/audit.ts'
import { seedSubscriptions, subscribe } from '../../infra/local/billing/subscriptions.ts'
import type { Emulator } from './emulator.ts'
import type { DeployedStack } from './stack.ts'

const fileOf = ({ directory }: Emulator) => join(directory, 'seeded.json')

/** Adds customers to those of the earlier test files. */
export async function seed(
  emulator: Emulator,
  { clients, tables }: DeployedStack,
  customers: readonly Subscription[],
): Promise<void> {
  await seedSubscriptions(clients.dynamodb, tables.subscriptions, customers)
  await writeFile(fileOf(emulator), JSON.stringify([...(await seeded(emulator)), ...customers]))
}

async function seeded(emulator: Emulator): Promise<Subscription[]> {
  try {
    return JSON.parse(await readFile(fileOf(emulator), 'utf8'))
  } catch {
    return []
  }
}

/** Customers that are due at the next tick. */
export function dueNow(prefix: string, count: number, paymentMethod?: string): Subscription[] {
  return Array.from({ length: count }, (_, index) =>
    subscribe({
      customer: `${prefix}_${index + 1}`,
      name: `Customer ${index + 1} of ${prefix}`,
      plan: 'pro-yearly',
      interval: 'year',
      priceMinor: 4999,
      currency: 'EUR',
      dueDate: '2024-01-30',
      timeZone: 'Etc/UTC',
      ...(paymentMethod === undefined ? {} : { paymentMethod }),
    }),
  )
}

/** The parts of an audit that count what is wrong. */
export const CORRECT = { duplicateCharges: 0, dueNotCharged: 0, wrongCharges: 0, lostUpdates: 0 } as const

/** Compares the customers, the ledger and the table of the sandbox. */
export async function audit(emulator: Emulator, { clients: { dynamodb }, tables }: DeployedStack, lastTick: string) {
  const named = { subscriptionsTable: tables.subscriptions, chargesTable: tables.charges, sandboxTable: tables.sandbox }
  return auditRun(dynamodb, named, { lastTick, latestTick: lastTick }, await seeded(emulator))
}
