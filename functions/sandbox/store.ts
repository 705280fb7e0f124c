/**
 * What the sandbox stores: one row per customer and idempotency key.
 *
 * | attribute | type | meaning |
 * |---|---|---|
 * | `customer`, `key` | S | partition and sort key |
 * | `plan`, `period`, `dunned` | S, S, N | the order of the last executed request |
 * | `request` | S | the body of that request; later requests are compared with it |
 * | `sinceMs` | N | when it came; the key expires a window later |
 * | `statusCode`, `body` | N, S | the answer that repetitions get; absent if the request was lost |
 * | `intents` | L | every payment intent ever made under the key; they stay when the key expires |
 */
import { property } from '../election/json.ts'

/** A payment intent: money in the currency's minor unit, time in epoch seconds. */
export type SandboxIntent = {
  readonly id: string
  readonly status: string
  readonly amount: number
  /** In lower case. */
  readonly currency: string
  readonly created: number
  readonly metadata: Readonly<Record<string, string>>
}

// A type, as an interface is not assignable to Record<string, unknown>, which chargesOf takes.
export type SandboxRow = {
  readonly customer: string
  readonly key: string
  readonly plan: string
  readonly period: string
  readonly dunned: number
  readonly request: string
  readonly sinceMs: number
  readonly statusCode?: number
  readonly body?: string
  readonly intents: readonly SandboxIntent[]
}

export interface SandboxStore {
  /**
   * Stores a row, unless it has changed since the request was decided. One request to DynamoDB.
   *
   * @param before the row on which it was decided; undefined if there was none
   * @returns undefined if stored; else the row as it is now
   */
  put(row: SandboxRow, before: SandboxRow | undefined): Promise<SandboxRow | undefined>
  /** All rows of the customer, including every one stored before the call. */
  list(customer: string): Promise<readonly SandboxRow[]>
}

/** A payment that succeeded. */
export interface SandboxCharge extends Pick<SandboxRow, 'customer' | 'key' | 'plan' | 'period' | 'dunned'> {
  readonly id: string
  readonly amountMinor: number
  /** In capitals. */
  readonly currency: string
}

/** The charges in a row of the table. @throws TypeError if it is not a row of the sandbox */
export function chargesOf(row: Readonly<Record<string, unknown>>): SandboxCharge[] {
  const { customer, key, intents } = readRow(row)
  return intents
    .filter(({ status }) => status === 'succeeded')
    .map(({ id, amount, currency, metadata: { plan = '', period = '', dunned = '' } }) => {
      const money = { amountMinor: amount, currency: currency.toUpperCase() }
      return { id, key, customer, plan, period, dunned: Number(dunned), ...money }
    })
}

const [TEXT, NUMBER] = ['string', 'number']
const ROW = { customer: TEXT, key: TEXT, plan: TEXT, period: TEXT, dunned: NUMBER, request: TEXT, sinceMs: NUMBER }
const INTENT = { id: TEXT, status: TEXT, amount: NUMBER, currency: TEXT, created: NUMBER, metadata: 'object' }

/** @throws TypeError */
export function readRow(row: unknown): SandboxRow {
  assertRow(row)
  return row
}

function assertRow(row: unknown): asserts row is SandboxRow {
  const intents = property(row, 'intents')
  const wrong = Array.isArray(intents) ? wrongIn(row, ROW) : 'intents'
  const problem =
    wrong ??
    [intents]
      .flat()
      .map((intent) => wrongIn(intent, INTENT))
      .find((name) => name !== undefined)
  if (problem !== undefined) throw new TypeError(`The attribute "${problem}" of a sandbox row is not what it writes`)
}

function wrongIn(value: unknown, types: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(types).find((name) => typeof property(value, name) !== types[name])
}
