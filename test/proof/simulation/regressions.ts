/**
 * Histories that once found something. They are lived through again at every `npm test`, with the faults that it took; where
 * a change in how chance is drawn makes a number mean another history, the line has done its work and goes.
 */
export interface Regression {
  readonly seed: number
  readonly ticks: number
  /** All of the seed's where absent. */
  readonly faults?: readonly number[]
  /** What was broken, and where it was mended. */
  readonly found: string
}

export const REGRESSIONS: readonly Regression[] = []
