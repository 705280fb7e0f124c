import type { LeaseLostError, StaleTokenError } from './errors.ts'
import type { StandbyReason } from './rules.ts'

interface OfCandidate {
  readonly lease: string
  readonly candidate: string
}

interface OfLeader extends OfCandidate {
  readonly fencingToken: number
}

/** What a candidate lives through, for logs and metrics: the table shows who leads, not who lost, nor why. */
export type ElectionEvent =
  /** A try was answered: how far this machine's clock is from DynamoDB's for certain, in milliseconds, ahead or (below 0) behind. */
  | (OfCandidate & { readonly kind: 'clockRead'; readonly offsetMs: number })
  | (OfCandidate & { readonly kind: 'standby'; readonly reason: StandbyReason })
  | (OfLeader & { readonly kind: 'elected'; readonly tick?: string | undefined })
  /** This candidate led and must not go on: its deadline passed, or another leads. */
  | (OfLeader & { readonly kind: 'lost'; readonly error: LeaseLostError })
  /** The fence kept this replaced leader from writing a row. */
  | (OfLeader & { readonly kind: 'staleWriteRefused'; readonly error: StaleTokenError })

export type Tell = (event: ElectionEvent) => void

/** Nobody waits for what it does later. */
export type Listener = (event: ElectionEvent) => void | Promise<void>

/** Whoever listens must not change the election: what it throws, now or later, is ignored. */
export function carefully(listener: Listener = () => undefined): Tell {
  return (event) => {
    try {
      Promise.resolve(listener(event)).catch(() => undefined)
    } catch {
      // Somebody else's log or metric.
    }
  }
}
