import type { Violation } from '../result.ts'

/** Rare situations. A full run must reach each of them; otherwise it has shown nothing about them. */
export const SITUATIONS = [
  'own win recognised after a lost reply',
  'own renewal recognised after a lost reply',
  'own completion recognised after a lost reply',
  'lost completion sent again',
  'leader died while its completion was under way',
  'lease taken over from a dead leader',
  'lease taken over while the old leader is frozen',
  'frozen leader woke after its replacement',
  'acquired within 10 ms of expiry plus the clock budget',
  'stale effect refused by the fence',
  'stale effect refused by the guard',
  'stale completion with effects refused',
  'delayed copy of a granted acquire refused by A5',
  'delayed acquire refused by A6',
  'delayed acquire granted after its sender gave up',
  'delayed copy of a holder’s write refused by H2',
  'late write of a replaced leader refused by H1',
  'answer to an acquire came after its own deadline',
  'acquire without any answer given back',
  'ClockSkewError',
  'LeaseStillHeldError, and a retry completed the tick',
  'retry completed the tick of a leader that died',
  'standby: held',
  'standby: completed before a slower racer',
  'standby: superseded',
  'standby: contended',
  'waited for a held lease and led',
  'early time-out while the task still ran',
  'task left by an earlier invocation went on',
  'event delivered twice',
  'event delivered a period late',
  'checkpoint inherited',
  'unfinished tick inherited',
  'lease given up by its task',
  'lease released by a failed task',
  'own write met its own first try',
  'late copy of an own older write refused',
  'own writes side by side landed in another order',
  'copy of an own write applied again behind one side by side',
  'own write of unknown outcome under a newer leader’s',
  'leader lost its lease by a stale write',
  'two invocations in one process',
  'charge of unknown outcome settled by a later try',
  'charge answered again under its key',
] as const

export type Situation = (typeof SITUATIONS)[number]

/** What one history has shown. The first violation ends it. */
export class Findings {
  violation: Pick<Violation, 'claim' | 'what'> | undefined
  readonly situations = new Map<Situation, number>()
  readonly #log: (line: string) => void

  constructor(log: (line: string) => void) {
    this.#log = log
  }

  reached(situation: Situation): void {
    this.situations.set(situation, (this.situations.get(situation) ?? 0) + 1)
  }

  /** @param claim undefined if no claim is about what is wrong */
  broken(claim: Violation['claim'] | undefined, what: string): void {
    if (this.violation !== undefined) return
    this.violation = { ...(claim && { claim }), what }
    this.#log(`BROKEN ${claim ?? ''} ${what}`)
  }

  wrong(what: string): void {
    this.broken(undefined, what)
  }
}
