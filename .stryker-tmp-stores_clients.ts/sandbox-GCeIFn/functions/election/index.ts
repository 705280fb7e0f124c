/** Leader election for scheduled cloud functions: see `rules.ts` for the protocol, docs/protocol.md for its reasons. */
// @ts-nocheck

export type { CheckpointOptions, SchemaResult, StandardSchema } from './checkpoint.ts'
export { type Clock, systemClock } from './clock.ts'
export type { Continuation, ContinueBy } from './continuation.ts'
export type { ElectionEvent, ElectionListener } from './election-event.ts'
export {
  type Applied,
  CheckpointError,
  type CheckpointIssue,
  ClockSkewError,
  CorruptLeaseError,
  HandOverError,
  type HandOverReason,
  HandOverRequestedError,
  InvalidOptionError,
  InvalidTickError,
  LeaseError,
  LeaseLostError,
  LeaseStillHeldError,
  LeaseStoreError,
  StaleTokenError,
} from './errors.ts'
export type { InvocationContext } from './invocation.ts'
export type { ClaimInput, Lease, TickedLease } from './lease.ts'
export { type LeaderContext, type LeaderHandler, type LeaderOnlyOptions, leaderOnly } from './middleware.ts'
export type { Standby } from './not-won.ts'
export type { LeaseOptions, WithCheckpoint } from './options.ts'
export type {
  AcquireRequest,
  GiveBackRequest,
  HolderWrite,
  LeaseRecord,
  Reply,
  StandbyReason,
  Tenure,
} from './rules.ts'
export { Election, type StandingLease } from './standing/election.ts'
export type { Health } from './standing/health.ts'
export type { Leader } from './standing/observe.ts'
export type { ElectionOptions } from './standing/options.ts'
export { DynamoDBLeaseStore, type DynamoDBLeaseStoreOptions } from './stores/dynamodb.ts'
export type { SdkClient } from './stores/sdk-client.ts'
export type {
  AcquireReply,
  CandidateRow,
  Effects,
  LeaseStore,
  Look,
  SendReply,
  StandingStore,
  TransactItem,
  WriteInput,
  WriteReply,
} from './stores/store.ts'
export { MemoryLeaseStore, type MemoryLeaseStoreOptions } from './testing/memory-store.ts'
export type { ScheduledTickEvent, TickInput } from './tick.ts'
export { type Outcome, withLease } from './with-lease.ts'
