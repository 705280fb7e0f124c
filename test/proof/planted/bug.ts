/** A bug that is planted into the shipped code while it is loaded, to see whether the proof finds it. */
import { stripTypeScriptTypes } from 'node:module'
import type { Claim } from '../claims.ts'

export interface Bug {
  /** A few words, unique. */
  readonly name: string
  /** Why somebody might write it, or what it does. */
  readonly why: string
  /** The claims that no longer hold with it; none where it breaks something that is promised elsewhere. */
  readonly claims: readonly Claim[]
  /** Where a rule lives twice, in rules.ts and in expressions.ts, both are changed. */
  readonly edits: readonly Edit[]
}

export interface Edit {
  /** A path from the top of the repository. */
  readonly file: string
  /** Occurs in it exactly once. */
  readonly find: string
  readonly replace: string
}

/** @throws Error where the text to be replaced is not there exactly once, or what comes out is no TypeScript */
export function withBug(bug: Bug, file: string, source: string): string {
  const changed = bug.edits
    .filter((edit) => edit.file === file)
    .reduce((text, { find, replace }) => {
      const times = text.split(find).length - 1
      if (times === 1) return text.replace(find, () => replace)
      throw new Error(`The bug "${bug.name}" cannot be planted: its text occurs ${times} times in ${file}, not once.`)
    }, source)
  stripTypeScriptTypes(changed)
  return changed
}
