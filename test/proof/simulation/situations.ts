/**
 * Rare situations that no planted bug shows to be reached. A full run must reach each of them; otherwise it has shown
 * nothing about them.
 */
export const SITUATIONS = [
  'lease taken over from a dead leader',
  'lease taken over while the old leader is frozen',
  'answer to an acquire came after its own deadline',
  'ClockSkewError',
  'LeaseStillHeldError, and a retry completed the tick',
  'retry completed the tick of a leader that died',
  'standby: held',
  'standby: completed before a slower racer',
  'standby: superseded',
  'standby: contended',
  'checkpoint inherited',
  'unfinished tick inherited',
  'own write of unknown outcome under a newer leader’s',
  'two invocations in one process',
  'charge answered again under its key',
] as const

export type Situation = (typeof SITUATIONS)[number]
