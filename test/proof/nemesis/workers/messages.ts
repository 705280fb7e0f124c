/** What the nemesis and its worker processes say to each other. What a worker does is in its file, not here. */
import type { WorkloadName } from '../workloads.ts'

export interface WorkerConfig {
  /** Its place, and how many processes have had it: 'w2.3'. */
  readonly who: string
  readonly workload: WorkloadName
  readonly seed: number
  readonly directory: string
  /** The proxy's. */
  readonly endpoint: string
  readonly leaseTable: string
  readonly protectedTable: string
  readonly lease: string
  readonly leaseMs: number
  readonly maxClockSkewMs: number
  readonly clockOffsetMs: number
  /** Counted from 0. */
  readonly firstTick: number
  /** Lets the library wait for a held lease, rather than ask again by itself. */
  readonly waits: boolean
}

/** The environment variable that holds the worker's configuration, as JSON. */
export const CONFIG_VARIABLE = 'NEMESIS_WORKER'

export type Order =
  /** Freeze yourself when your next addition is about to go on the wire, behind everything that the library checks. */
  | { readonly kind: 'stopBeforeWrite' }
  | { readonly kind: 'doNotStop' }
  | { readonly kind: 'setClock'; readonly offsetMs: number }
  | { readonly kind: 'end' }

export type Said = { readonly kind: 'ready' } | { readonly kind: 'stopping'; readonly fencingToken: number }
