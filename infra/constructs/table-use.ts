import { Token } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'
import { identity, type Place, placeOfArn, placeOfStack } from './place.ts'
import { type AnyTable, resourceOf } from './table-problems.ts'

/** What an app does with one table, whichever of its `LeaseTable`s it goes by. */
export interface TableUse {
  /** Of each lease, and which schedule said so first. */
  readonly periods: Map<string, { readonly ms: number; readonly path: string }>
  announcer?: IConstruct
}

const usesOfApps = new WeakMap<IConstruct, Map<string, TableUse>>()

/**
 * The same object for the same table of the same app, by whichever construct the app refers to it: made here, imported by
 * name or ARN, or a replica of a global table, which is one table.
 */
export function useOf(table: AnyTable): TableUse {
  const uses = usesOfApps.get(table.node.root) ?? new Map<string, TableUse>()
  usesOfApps.set(table.node.root, uses)
  const key = keyOf(table)
  const use = uses.get(key) ?? { periods: new Map() }
  uses.set(key, use)
  return use
}

/** Where the table is, as far as the app knows. */
export function placeOfTable(table: AnyTable): Place {
  return placeOfArn(table.tableArn, table.env ?? placeOfStack(table))
}

function keyOf(table: AnyTable): string {
  const resource = resourceOf(table)
  if (resource === undefined) return identity(table, placeOfTable(table), table.tableName)
  const { tableName } = resource
  const isNamed = tableName !== undefined && !Token.isUnresolved(tableName)
  return isNamed ? identity(resource, placeOfStack(resource), tableName) : resource.node.path
}
