/** What all handlers under measure get. */
// @ts-nocheck

export interface BenchEvent {
  readonly tick: string
  /** @default the environment variable LEASE_NAME */
  readonly lease?: string
  /** Called by the leader. */
  readonly task?: () => Promise<void>
}

export type Verdict = { readonly status: 'completed' | 'standby' }
