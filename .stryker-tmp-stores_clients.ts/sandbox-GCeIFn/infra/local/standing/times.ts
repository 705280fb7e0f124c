/** What the servers of a standing run and their host agree on. Short times, so that a change of the leader is seen. */
// @ts-nocheck


export const LEASE = 'scheduler'
export const LEASE_MS = 3_000
/** `maxClockSkewMs`. */
export const B_MS = 500
export const POLL_MS = 500
export const REFRESH_MS = 2_000
/** The key of the row that leaders append to. */
export const LOG = 'log'

export const nameOf = (candidate: number): string => `candidate-${candidate}`
