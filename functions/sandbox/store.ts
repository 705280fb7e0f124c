/**
 * What the sandbox remembers: one row per customer and key of idempotency.
 *
 * | attribute | | meaning |
 * |---|---|---|
 * | `customer`, `key` | S | partition and sort key |
 * | `plan`, `period`, `dunned` | S, S, N | what the last executed request was for |
 * | `request` | S | its body, to be compared with that of every repetition |
 * | `sinceMs` | N | when it came; the key is remembered from then on |
 * | `statusCode`, `body` | N, S | the answer that repetitions get; absent after a request that was lost on its way |
 * | `intents` | L | every payment intent ever made under the key: they outlive the memory of the key |
 */

/** A payment intent, money in the currency's minor unit, time in epoch seconds. */
export type SandboxIntent = {
  readonly id: string
  readonly status: string
  readonly amount: number
  /** In lower case. */
  readonly currency: string
  readonly created: number
  readonly metadata: Readonly<Record<string, string>>
}

// A type and no interface: it is a plain row, and passes for one.
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

/** What one executed request leaves behind. */
export type Execution = Omit<SandboxRow, 'intents'> & {
  /** The payment intent that it made, to be added to the row's. */
  readonly intent?: SandboxIntent
}

export interface SandboxStore {
  /**
   * Writes what a request did, provided that the row is still as it was when that was decided. One request.
   *
   * @param before undefined where there was no row
   * @returns the row as it is now where that is something else, and nothing was written
   */
  record(execution: Execution, before: SandboxRow | undefined): Promise<SandboxRow | undefined>
  /** All rows of the customer, including everything recorded before the call. */
  list(customer: string): Promise<readonly SandboxRow[]>
}

/** Money that moved. */
export interface SandboxCharge {
  readonly id: string
  readonly key: string
  readonly customer: string
  readonly plan: string
  readonly period: string
  readonly dunned: number
  readonly amountMinor: number
  /** In capitals. */
  readonly currency: string
}

/** The charges that a row of the table stands for. @throws TypeError for what is no row of the sandbox */
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
  if (!Array.isArray(intents)) throw new TypeError('The attribute "intents" of a sandbox row is no list')
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
  if (typeof intent !== 'object' || intent === null)
    throw new TypeError('The attribute "intents" of a sandbox row has no objects')
  const metadata = Object.entries(intent['metadata'] ?? {}).map(([name, value]) => {
    if (typeof value !== 'string') throw new TypeError('The attribute "metadata" of a sandbox row is no text')
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
  if (typeof value === 'string') return value
  throw new TypeError(`The attribute "${attribute}" of a sandbox row is no text`)
}

function number(row: Readonly<Record<string, unknown>>, attribute: string): number {
  const value = row[attribute]
  if (typeof value === 'number') return value
  throw new TypeError(`The attribute "${attribute}" of a sandbox row is no number`)
}
