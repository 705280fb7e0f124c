/**
 * Rare situations that no planted bug shows to be reached. A full run must reach each of them; otherwise it has shown
 * nothing about them.
 */
// @ts-nocheck

export const SITUATIONS = [
  'lease taken over from a dead leader',
  'lease taken over while the old leader is frozen',
  'retry completed the tick of a leader that died',
  'standby: completed before a slower racer',
  'standby: superseded',
  'standby: contended',
  'standby: paused',
  'a continuation took its reservation',
  'a retry resumed what it handed over',
  'a reservation ended unused',
  'checkpoint inherited',
  'unfinished tick inherited',
  'two invocations in one process',
  'charge answered again under its key',
] as const

export type Situation = (typeof SITUATIONS)[number]
