/**
 * What one part of the proof found. Each part is a command of its own, which prints what a person wants to read and, asked
 * with `--json FILE`, writes this; `npm run prove` runs the parts and makes one report of them.
 */
import { writeFileSync } from 'node:fs'
import type { Claim } from './claims.ts'

export interface Part {
  /** Like 'Model'. */
  readonly title: string
  /** The command that repeats exactly this, seed and all. */
  readonly rerun: string
  readonly passed: boolean
  readonly seconds: number
  /** What was found, in a sentence or two with the figures that matter. */
  readonly summary: string
  readonly tables: readonly Table[]
  /** What this part does not show, and what was skipped and why. */
  readonly notes: readonly string[]
  readonly failures: readonly Failure[]
  /** What made a claim break where it had to: a planted bug that was caught, a control, a world beyond what is promised. */
  readonly seenToBreak?: readonly { readonly claim: Claim; readonly how: string }[]
}

export interface Table {
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

export interface Failure {
  /** The claim that is broken; absent where something else went wrong, as a rare situation that was never reached. */
  readonly claim?: Claim
  readonly what: string
  /** The steps that lead there, each a sentence. */
  readonly trace: readonly string[]
}

export function writePart(file: string, part: Part): void {
  writeFileSync(file, `${JSON.stringify(part, undefined, 2)}\n`)
}
