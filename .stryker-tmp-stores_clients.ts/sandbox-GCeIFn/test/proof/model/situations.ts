/**
 * What a full run must reach: otherwise it has shown nothing about it. What the small world of search.test.ts reaches
 * is not listed: without it, that world has fewer states.
 */
// @ts-nocheck

export const SITUATIONS = [
  'stands by: tickDone',
  'stands by: paused',
  'stands by for a continuation that is to come',
  'a continuation takes its reservation',
  'a retry resumes what it handed over',
  'a reservation ends unused',
  'a server takes the lease that is kept for it',
  'a missed tick is given up',
  'an advance with items is sent again, and refused',
  'a retry learns that its own event still holds the lease',
  'a candidate fails because of a row from the future',
  'a refused effect is recognised as its own',
  'a refused effect may have landed: a later one of its own came last',
  'a refused effect may have landed: a newer leader wrote the row',
  "an effect is refused by the caller's own condition",
  'a copy of an own effect is refused',
  'a copy lands again, with another effect of its leader in between',
  'effects of one leader side by side land in another order',
  "a replaced leader's effect is refused by the fence",
  "a replaced leader's effect lands on a row that no newer leader wrote",
  'an effect is refused by the guard',
  'beyond the budget: a task begins whose tick was completed meanwhile',
] as const

export type Situation = (typeof SITUATIONS)[number]
