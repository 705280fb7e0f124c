/** A bug that is planted into the shipped code while it is loaded, to see whether the proof finds it. */
import { stripTypeScriptTypes } from 'node:module'
import type { Claim } from '../claims.ts'

export interface Bug {
  /** A few words, unique. */
  readonly name: string
  /** What it does, or why a programmer might write it. */
  readonly why: string
  /** The claims that it breaks; none if it breaks something that is promised elsewhere. */
  readonly claims: readonly Claim[]
  /** A rule that lives twice, in rules.ts and in expressions.ts, is changed in both. */
  readonly edits: readonly Edit[]
}

interface Edit {
  /** A path from the top of the repository. */
  readonly file: string
  /** A function or constant at the top level of the file, or `Class.method`. */
  readonly function: string
  /** Occurs in the function exactly once. */
  readonly find: string
  readonly replace: string
}

export function bug(name: string, why: string, claims: readonly Claim[], ...edits: readonly Edit[]): Bug {
  return { name, why, claims, edits }
}

export function editsIn(file: string) {
  return (name: string, find: string, replace: string): Edit => ({ file, function: name, find, replace })
}

/** @throws Error if a function or the text in it is not there exactly once, or the result is no TypeScript */
export function withBug(bug: Bug, file: string, source: string): string {
  const changed = bug.edits.filter((edit) => edit.file === file).reduce((text, edit) => edited(text, bug, edit), source)
  stripTypeScriptTypes(changed)
  return changed
}

function edited(source: string, { name }: Bug, edit: Edit): string {
  const fail = (why: string) =>
    new Error(`The bug "${name}" cannot be planted into ${edit.function} of ${edit.file}: ${why}`)
  const lines = source.split('\n')
  let [start, end] = [0, lines.length]
  for (const [depth, part] of edit.function.split('.').entries()) {
    const declaration = new RegExp(`^${'  '.repeat(depth)}(?:[a-z]+\\*? )*${part}(?=[(<:= ])`)
    const declared = lines.flatMap((line, n) => (n >= start && n < end && declaration.test(line) ? [n] : []))
    // Of overloads, only the implementation has a body.
    const hasBody = (n: number) => lines.slice(n, endOf(lines, n, depth)).some((line) => line.endsWith('{'))
    const starts = declared.length > 1 ? declared.filter(hasBody) : declared
    if (starts[0] === undefined || starts.length > 1) throw fail(`it is declared ${starts.length} times, not once.`)
    start = starts[0]
    end = endOf(lines, start, depth)
  }
  const body = lines.slice(start, end).join('\n')
  const times = body.split(edit.find).length - 1
  if (times !== 1) throw fail(`the text occurs ${times} times, not once: ${edit.find}`)
  const after = body.replace(edit.find, () => edit.replace)
  return [...lines.slice(0, start), after, ...lines.slice(end)].join('\n')
}

/** In formatted code a declaration ends before the next line that is indented as deep and closes nothing. */
function endOf(lines: readonly string[], start: number, depth: number): number {
  const next = new RegExp(`^ {0,${2 * depth}}[^\\s)\\]}]`)
  const closing = new RegExp(`^ {0,${Math.max(0, 2 * depth - 1)}}[)\\]}]`)
  const at = lines.findIndex((line, n) => n > start && (next.test(line) || (depth > 0 && closing.test(line))))
  return at === -1 ? lines.length : at
}
