/** Updates as closures: parsed once for each text, then applied to any row. */
import { addNumbers, subtractNumbers } from './decimal.ts'
import { clash, invalidForUpdate, type Path, samePath, showPath, valueAt, withChange } from './path.ts'
import { given, type Placeholders, type Uses } from './placeholders.ts'
import { invalid } from './refusal.ts'
import { type Action, parseUpdate, type Source } from './update-grammar.ts'
import { attributeOf, membersOf, type Row, setOf, typeOf, type Value, type ValueType } from './values.ts'

export interface CompiledUpdate extends Uses {
  /** Refuses operands of types that no row could make right, and paths that are in each other's way. */
  readonly check: (paths: readonly Path[], placeholders: Placeholders) => void
  readonly paths: (placeholders: Placeholders) => readonly Path[]
  /** The row as it is afterwards. Every value is computed from the row as it was. */
  readonly apply: (row: Row, placeholders: Placeholders) => Row
}

type Get = (row: Row, placeholders: Placeholders) => Value
type Check = (placeholders: Placeholders) => void

/** What becomes of one path; without a value it is removed. */
interface Change {
  readonly path: Path
  readonly value: Value | undefined
}
type Plan = (row: Row, placeholders: Placeholders) => Change

export function compileUpdate(expression: string): CompiledUpdate {
  const { actions, names, values } = parseUpdate(expression)
  const checks: Check[] = []
  for (const action of actions) collectChecks(action, checks)
  const plans = actions.map(compileAction)
  return {
    names,
    values,
    check: (paths, placeholders) => {
      for (const check of checks) check(placeholders)
      checkClashes(paths)
    },
    paths: (placeholders) => actions.map(({ path }) => path(placeholders)),
    apply: (row, placeholders) =>
      applied(
        row,
        plans.map((plan) => plan(row, placeholders)),
      ),
  }
}

function compileAction(action: Action): Plan {
  const { path } = action
  switch (action.kind) {
    case 'SET': {
      const source = compileSource(action.source)
      return (row, placeholders) => ({ path: path(placeholders), value: source(row, placeholders) })
    }
    case 'REMOVE':
      return (_row, placeholders) => ({ path: path(placeholders), value: undefined })
    case 'ADD':
    case 'DELETE': {
      const combine = action.kind === 'ADD' ? added : withoutMembers
      return (row, placeholders) => {
        const place = path(placeholders)
        return { path: place, value: combine(valueAt(row, place), given(action.placeholder, placeholders)) }
      }
    }
  }
}

function compileSource(source: Source): Get {
  switch (source.kind) {
    case 'value':
      return (_row, placeholders) => given(source.placeholder, placeholders)
    case 'path':
      return (row, placeholders) => {
        const value = valueAt(row, source.path(placeholders))
        if (value === undefined) {
          throw invalid('The provided expression refers to an attribute that does not exist in the item')
        }
        return value
      }
    case 'if_not_exists': {
      const otherwise = compileSource(source.otherwise)
      return (row, placeholders) => {
        const second = otherwise(row, placeholders) // which must exist even where it is not needed
        return valueAt(row, source.path(placeholders)) ?? second
      }
    }
    case '+':
    case '-': {
      const combine = source.kind === '+' ? addNumbers : subtractNumbers
      const [left, right] = [compileSource(source.left), compileSource(source.right)]
      return (row, placeholders) => {
        const [a, b] = [left(row, placeholders), right(row, placeholders)]
        if (!('N' in a && 'N' in b)) throw wrongType()
        return { N: combine(a.N, b.N) }
      }
    }
    case 'list_append': {
      const [left, right] = [compileSource(source.left), compileSource(source.right)]
      return (row, placeholders) => {
        const [a, b] = [left(row, placeholders), right(row, placeholders)]
        if (!('L' in a && 'L' in b)) throw wrongType()
        return { L: [...a.L, ...b.L] }
      }
    }
  }
}

function added(before: Value | undefined, operand: Value): Value {
  if (before === undefined) return operand
  if ('N' in before && 'N' in operand) return { N: addNumbers(before.N, operand.N) }
  const [members, more] = setMembers(before, operand)
  return sameSet(operand, [...new Set([...members, ...more])])
}

function withoutMembers(before: Value | undefined, operand: Value): Value | undefined {
  if (before === undefined) return undefined
  const [members, unwanted] = setMembers(before, operand)
  const left = members.filter((member) => !unwanted.includes(member))
  return left.length === 0 ? undefined : sameSet(operand, left)
}

function setMembers(before: Value, operand: Value): readonly [readonly string[], readonly string[]] {
  const [members, others] = [membersOf(before), membersOf(operand)]
  if (members === undefined || others === undefined || typeOf(before) !== typeOf(operand)) throw wrongType()
  return [members, others]
}

function sameSet(like: Value, members: readonly string[]): Value {
  return setOf('SS' in like ? 'SS' : 'NS' in like ? 'NS' : 'BS', members)
}

function wrongType(): Error {
  return invalid('An operand in the update expression has an incorrect data type')
}

/**
 * Puts the changes in. Values beyond the end of a list are appended in the order of their indexes; what is removed goes
 * last and from the back, for every index means the list as it was.
 */
function applied(row: Row, changes: readonly Change[]): Row {
  const next: Record<string, Value> = { ...row }
  const apply = ({ path, value }: Change) => {
    const [name] = path
    if (typeof name !== 'string') throw invalidForUpdate()
    const changed = path.length === 1 ? value : withChange(attributeOf(next, name), path, 1, value)
    if (changed === undefined) delete next[name]
    else next[name] = changed
  }
  const puts = changes.filter(({ value }) => value !== undefined)
  for (const change of inOrder(puts)) apply(change)
  for (const change of inOrder(changes.filter(({ value }) => value === undefined)).toReversed()) {
    if (valueAt(row, change.path) !== undefined) apply(change)
    else if (change.path.length > 1) checkParent(row, change.path)
  }
  return next
}

function inOrder(changes: readonly Change[]): readonly Change[] {
  if (changes.every(({ path }) => path.length === 1)) return changes
  return changes.toSorted((a, b) => comparePaths(a.path, b.path))
}

function comparePaths(a: Path, b: Path): number {
  for (const [at, step] of a.entries()) {
    const other = b[at]
    if (step === other) continue
    if (typeof step === 'number' && typeof other === 'number') return step - other
    return String(step) < String(other) ? -1 : 1
  }
  return 0
}

/** What is removed need not be there, but must have somewhere to be. */
function checkParent(row: Row, path: Path): void {
  const parent = valueAt(row, path.slice(0, -1))
  const isRight = parent !== undefined && (typeof path.at(-1) === 'number' ? 'L' in parent : 'M' in parent)
  if (!isRight) throw invalidForUpdate()
}

/** Of types, in the messages of ADD and DELETE. */
const LONG_NAMES: Readonly<Partial<Record<ValueType, string>>> = {
  S: 'STRING',
  N: 'NUMBER',
  B: 'BINARY',
  BOOL: 'BOOLEAN',
  NULL: 'NULL',
  M: 'MAP',
  L: 'LIST',
}

function collectChecks(action: Action, checks: Check[]): void {
  switch (action.kind) {
    case 'SET':
      collectSourceChecks(action.source, checks)
      return
    case 'REMOVE':
      return
    case 'ADD':
    case 'DELETE': {
      const { kind, placeholder } = action
      checks.push((placeholders) => {
        const operand = given(placeholder, placeholders)
        if (membersOf(operand) !== undefined || (kind === 'ADD' && 'N' in operand)) return
        throw refusal(
          `Incorrect operand type for operator or function; operator: ${kind}, operand type: ${LONG_NAMES[typeOf(operand)]}`,
        )
      })
    }
  }
}

function collectSourceChecks(source: Source, checks: Check[]): void {
  switch (source.kind) {
    case 'path':
    case 'value':
      return
    case '+':
    case '-':
    case 'list_append': {
      const { kind } = source
      for (const operand of [source.left, source.right]) {
        collectSourceChecks(operand, checks)
        if (operand.kind === 'value') checks.push(literalCheck(kind, kind === 'list_append' ? 'L' : 'N', operand))
      }
      return
    }
    case 'if_not_exists': {
      const { path, otherwise } = source
      collectSourceChecks(otherwise, checks)
      if (otherwise.kind !== 'path') return
      checks.push((placeholders) => {
        const first = path(placeholders)
        if (!samePath(first, otherwise.path(placeholders))) return
        throw refusal(
          `The first operand must be distinct from the remaining operands for this operator or function; operator: if_not_exists, first operand: ${showPath(first)}`,
        )
      })
    }
  }
}

function literalCheck(operator: string, wanted: 'L' | 'N', { placeholder }: { readonly placeholder: string }): Check {
  return (placeholders) => {
    const type = typeOf(given(placeholder, placeholders))
    if (type === wanted) return
    throw refusal(
      `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${type}`,
    )
  }
}

function checkClashes(paths: readonly Path[]): void {
  const names = new Set(paths.map(([name]) => name))
  if (names.size === paths.length) return
  for (const [at, one] of paths.entries()) {
    for (const two of paths.slice(at + 1)) {
      const found = clash(one, two)
      if (found === undefined) continue
      throw refusal(
        `Two document paths ${found} with each other; must remove or rewrite one of these paths; path one: ${showPath(one)}, path two: ${showPath(two)}`,
      )
    }
  }
}

function refusal(message: string): Error {
  return invalid(`Invalid UpdateExpression: ${message}`)
}
