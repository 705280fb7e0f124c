import { Stack, Token } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'
import type { AnyTable } from './table-problems.ts'

/** What an app does with one table, whichever of its `LeaseTable`s it goes by. */
export interface TableUse {
  /** Of each lease, and which schedule said so first. */
  readonly periods: Map<string, { readonly ms: number; readonly path: string }>
  announcer?: IConstruct
}

const usesOfApps = new WeakMap<IConstruct, Map<string, TableUse>>()

/** The same object for the same table of the same app, also if it is imported twice. */
export function useOf(table: AnyTable): TableUse {
  const uses = usesOfApps.get(table.node.root) ?? new Map<string, TableUse>()
  usesOfApps.set(table.node.root, uses)
  const key = keyOf(table)
  const use = uses.get(key) ?? { periods: new Map() }
  uses.set(key, use)
  return use
}

/** What a token stands for is known within its stack only. */
function keyOf(table: AnyTable): string {
  if (!Token.isUnresolved(table.tableArn)) return table.tableArn
  const stack = Stack.of(table)
  return `${stack.node.path} ${JSON.stringify(stack.resolve(table.tableArn))}`
}
