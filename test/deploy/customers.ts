/** Who is charged: every test file adds its own to those of the files before it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { seedSubscriptions } from '../../infra/local/billing/seed.ts'
import { subscribe } from '../../infra/local/billing/subscribe.ts'
import type { Emulator } from './environment.ts'
import type { DeployedStack } from './stack.ts'

/** Cards of the sandbox; see functions/sandbox/cards.ts. */
export const CARDS = {
  /** Charged, but answered later than billing waits: whoever meets eight of them works for 5 s. */
  late: 'card_4000000000005027',
  /** A failure, however often it is asked. */
  failing: 'card_4000000000005035',
} as const

const fileOf = ({ directory }: Emulator) => join(directory, 'seeded.json')

export async function seed(
  emulator: Emulator,
  { clients, tables }: DeployedStack,
  customers: readonly Subscription[],
): Promise<void> {
  await seedSubscriptions(clients.dynamodb, tables.subscriptions, customers)
  await writeFile(fileOf(emulator), JSON.stringify([...(await seeded(emulator)), ...customers]))
}

/** Everybody that was seeded so far, as they were then. */
export async function seeded(emulator: Emulator): Promise<Subscription[]> {
  try {
    return JSON.parse(await readFile(fileOf(emulator), 'utf8'))
  } catch {
    return []
  }
}

/** Customers that are due at the next tick, whenever that is. */
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
