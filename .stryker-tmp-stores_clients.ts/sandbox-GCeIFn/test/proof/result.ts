// @ts-nocheck
import { CLAIMS, type Claim } from './claims.ts'

/** What one part of the proof found. */
export interface Result {
  readonly violations: readonly Violation[]
  /** What was done, by name: `seeds: 300`. */
  readonly figures: Readonly<Record<string, number | string>>
  /** What made a claim break where it had to: a planted bug, a control, a world beyond what is promised. */
  readonly seenToBreak: readonly { readonly claim: Claim; readonly how: string }[]
}

export interface Violation {
  /** The claim that is broken; absent if something else is wrong, such as a rare situation that was never reached. */
  readonly claim?: Claim
  readonly what: string
  /** The steps that lead there, each a sentence. */
  readonly trace: readonly string[]
}

/** As a failing test shows them. @param otherwise the title of what breaks no claim */
export function textOf(violations: readonly Violation[], otherwise: string): string {
  const texts = violations.map(({ claim, what, trace }) => {
    const title = claim === undefined ? otherwise : `${claim} is broken: ${CLAIMS[claim]}`
    return [title, what, ...trace].join('\n')
  })
  return texts.join('\n\n')
}

/** A test of the proof reports its part of the result by `task.meta`; see proof.ts. */
declare module 'vitest' {
  interface TaskMeta {
    figures?: Result['figures']
    seenToBreak?: Result['seenToBreak']
  }
}
