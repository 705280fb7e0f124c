// @ts-nocheck
import type { SandboxRow, SandboxStore } from '../../functions/sandbox/store.ts'

export interface MemoryStore extends SandboxStore {
  /** The rows of all customers. */
  rows(): readonly SandboxRow[]
}

/** Does what the sandbox's table does, without DynamoDB. */
export function memoryStore(): MemoryStore {
  const rows = new Map<string, SandboxRow>()

  return {
    async put(row, before) {
      const id = JSON.stringify([row.customer, row.key])
      const now = rows.get(id)
      if (!isSame(now, before)) return now
      rows.set(id, row)
      return undefined
    },
    list: async (customer) => [...rows.values()].filter((row) => row.customer === customer),
    rows: () => [...rows.values()],
  }
}

/** Every execution changes one of the two: a key is executed again only if it has no answer, or after it expired. */
function isSame(row: SandboxRow | undefined, before: SandboxRow | undefined): boolean {
  if (row === undefined || before === undefined) return row === before
  return row.sinceMs === before.sinceMs && (row.statusCode === undefined) === (before.statusCode === undefined)
}
