/** Work that is longer than an invocation: `lease.handOver` starts the next one. */
// @ts-nocheck

import type { InvocationContext } from './invocation.ts'

/** What the next invocation needs: `leaderOnly` reads the id from the event, `withLease` takes it as an option. */
export interface Continuation {
  /** A UUID, new for each hand-over: the lease is reserved for the invocation that presents it. */
  readonly id: string
  readonly lease: string
  readonly tick?: string
  /** Of the invocation that hands over. */
  readonly context?: InvocationContext
  /** The event of that invocation; absent with `withLease`. */
  readonly event?: unknown
}

/** Starts the next invocation; its promise resolves once that is certain to be made. */
export interface ContinueBy {
  (continuation: Continuation): Promise<unknown>
  /** Called before the lease is released: if it fails, the task still leads. @default nothing to prepare */
  readonly prepare?: (() => Promise<unknown>) | undefined
}

/** The property of a continuation's event that has its id, beside those of the first event. */
export const CONTINUATION = 'leaseContinuation'
