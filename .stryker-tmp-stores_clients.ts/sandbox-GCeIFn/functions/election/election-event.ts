// @ts-nocheck
import type { LeaseLostError, StaleTokenError } from './errors.ts'
import type { StandbyReason } from './rules.ts'

interface OfCandidate {
  readonly lease: string
  readonly candidate: string
}

interface OfLeader extends OfCandidate {
  readonly fencingToken: number
}

/** What happens to one candidate, for logs and metrics: the table shows who leads, not who lost, nor why. */
export type ElectionEvent =
  /**
   * DynamoDB answered an acquire, or a look showed that the clock of a server is off (once per refresh) or right again:
   * this clock is certainly `offsetMs` ahead of DynamoDB's, or behind if negative.
   */
  | (OfCandidate & { readonly kind: 'clockRead'; readonly offsetMs: number })
  | (OfCandidate & { readonly kind: 'standby'; readonly reason: StandbyReason })
  | (OfLeader & { readonly kind: 'elected'; readonly tick?: string | undefined })
  /** This candidate led and must stop: its deadline passed, or another candidate leads. */
  | (OfLeader & { readonly kind: 'lost'; readonly error: LeaseLostError })
  /** The fence kept this replaced leader from writing a row. */
  | (OfLeader & { readonly kind: 'staleWriteRefused'; readonly error: StaleTokenError })

/** Receives a candidate's events. The election does not wait for its promise and ignores its errors. */
export type ElectionListener = (event: ElectionEvent) => void | Promise<void>

export type Notify = (event: ElectionEvent) => void

export function ignoreErrors(listener: ElectionListener = () => undefined): Notify {
  return (event) => {
    try {
      Promise.resolve(listener(event)).catch(() => undefined)
    } catch {
      // A log or metric that fails must not change the election.
    }
  }
}
