import type { SandboxRow, SandboxStore } from './store.ts'

/** What the table does, said in plain code: for tests. */
export function memoryStore(): SandboxStore {
  const rows = new Map<string, SandboxRow>()

  return {
    async record({ intent, ...execution }, before) {
      const id = JSON.stringify([execution.customer, execution.key])
      const row = rows.get(id)
      if (!isSame(row, before)) return row
      const made = intent === undefined ? [] : [intent]
      rows.set(id, { ...execution, intents: [...(row?.intents ?? []), ...made] })
      return undefined
    },
    list: async (customer) => [...rows.values()].filter((row) => row.customer === customer),
  }
}

/** Each execution changes one of the two: a key is executed again only without an answer, or much later. */
function isSame(row: SandboxRow | undefined, before: SandboxRow | undefined): boolean {
  if (row === undefined || before === undefined) return row === before
  return row.sinceMs === before.sinceMs && (row.statusCode === undefined) === (before.statusCode === undefined)
}
