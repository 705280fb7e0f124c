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

/** What one executed request stores. */
export type Execution = Omit<SandboxRow, 'intents'> & {
  /** The payment intent that it made, which is appended to the row's. */
  readonly intent?: SandboxIntent
}

export interface SandboxStore {
  /**
   * Stores an execution, unless the row has changed since it was decided. One request to DynamoDB.
   *
   * @param before the row on which it was decided; undefined if there was none
   * @returns undefined if stored; else the row as it is now
   */
  record(execution: Execution, before: SandboxRow | undefined): Promise<SandboxRow | undefined>
  /** All rows of the customer, including every one recorded before the call. */
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

/** @throws TypeError */
export function readRow(row: Readonly<Record<string, unknown>>): SandboxRow {
  const { intents = [], statusCode, body } = row
  if (!Array.isArray(intents)) throw notA('list', 'intents')
  return {
    customer: text(row, 'customer'),
    key: text(row, 'key'),
    plan: text(row, 'plan'),
    period: text(row, 'period'),
    dunned: number(row, 'dunned'),
    request: text(row, 'request'),
    sinceMs: number(row, 'sinceMs'),
    ...(statusCode === undefined ? {} : { statusCode: number(row, 'statusCode') }),
    ...(body === undefined ? {} : { body: text(row, 'body') }),
    intents: intents.map(readIntent),
  }
}

function readIntent(intent: Readonly<Record<string, unknown>> | null): SandboxIntent {
  if (typeof intent !== 'object' || intent === null) throw notA('list of objects', 'intents')
  const metadata = Object.entries(intent['metadata'] ?? {}).map(([name, value]) => {
    if (typeof value !== 'string') throw notA('map of texts', 'metadata')
    return [name, value]
  })
  return {
    id: text(intent, 'id'),
    status: text(intent, 'status'),
    amount: number(intent, 'amount'),
    currency: text(intent, 'currency'),
    created: number(intent, 'created'),
    metadata: Object.fromEntries(metadata),
  }
}

function text(row: Readonly<Record<string, unknown>>, attribute: string): string {
  const value = row[attribute]
  if (typeof value !== 'string') throw notA('text', attribute)
  return value
}

function number(row: Readonly<Record<string, unknown>>, attribute: string): number {
  const value = row[attribute]
  if (typeof value !== 'number') throw notA('number', attribute)
  return value
}

function notA(type: string, attribute: string): TypeError {
  return new TypeError(`The attribute "${attribute}" of a sandbox row is not a ${type}`)
}
