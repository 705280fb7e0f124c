/** A bug that is planted into the shipped code while it is loaded, to see whether the proof finds it. */
// @ts-nocheck

import { stripTypeScriptTypes } from 'node:module'
import type { Claim } from '../claims.ts'

export interface Bug {
  /** A few words, unique. */
  readonly name: string
  /** The claims that it breaks; none if it breaks something that is promised elsewhere. */
  readonly claims: readonly Claim[]
  /** A rule that lives twice, in rules.ts and in expressions.ts, is changed in both. */
  readonly edits: readonly Edit[]
}

interface Edit {
  /** A path from the top of the repository. */
  readonly file: string
  /** Occurs in the file exactly once. */
  readonly find: string
  readonly replace: string
}

export function bug(claims: readonly Claim[], name: string, edits: readonly Edit[]): Bug {
  return { name, claims, edits }
}

export function editsIn(file: string) {
  return (find: string, replace: string): Edit => ({ file, find, replace })
}

/** @throws Error if a text is not there exactly once, or the result is no TypeScript */
export function withBug({ name, edits }: Bug, file: string, source: string): string {
  let changed = source
  for (const { find, replace } of edits.filter((edit) => edit.file === file)) {
    const times = changed.split(find).length - 1
    if (times !== 1) throw new Error(`The bug "${name}" has no place in ${file}: it has ${times} times ${find}`)
    changed = changed.replace(find, () => replace)
  }
  stripTypeScriptTypes(changed)
  return changed
}
