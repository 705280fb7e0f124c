/** What the leaders of a tick have done so far: the checkpoint that each leaves to the next. */
// @ts-nocheck

import * as v from 'valibot'
import type { Settled } from './settling.ts'
import type { DueEntry } from './subscription.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const text = v.pipe(v.string(), v.nonEmpty())

const progressSchema = v.object({
  ...{ pages: count, charged: count, replayed: count, declined: count, suspended: count },
  failed: v.record(v.string(), count),
  after: v.optional(v.object({ dueAt: text, customer: text, plan: text })),
})

export interface Progress extends Readonly<Settled> {
  readonly pages: number
  /** Not settled, by the name of the error. */
  readonly failed: Readonly<Record<string, number>>
  /** All subscriptions up to this one have been tried. Absent: start with the first. */
  readonly after?: DueEntry | undefined
}

const NOTHING: Progress = { pages: 0, charged: 0, replayed: 0, declined: 0, suspended: 0, failed: {} }

/** If it cannot be read, the leader starts with the first subscription: nothing is charged twice. */
export const readProgress = (checkpoint: unknown): Progress => v.parse(v.fallback(progressSchema, NOTHING), checkpoint)

export const totalOf = (failed: Progress['failed']): number =>
  Object.values(failed).reduce((sum, times) => sum + times, 0)

/** Such as `2 × GatewayRefusedError, 1 × CorruptChargeError`. */
export const describeFailed = (failed: Progress['failed']): string =>
  Object.entries(failed)
    .map(([name, times]) => `${times} × ${name}`)
    .join(', ')
