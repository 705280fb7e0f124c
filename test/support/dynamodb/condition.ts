/** Conditions as closures: parsed once for each text, then asked about any row. */
import {
  type Comparator,
  type Condition,
  type FunctionName,
  type Operand,
  type ParsedCondition,
  parseCondition,
} from './condition-grammar.ts'
import { type Path, samePath, showPath, valueAt } from './path.ts'
import { given, type Placeholders, type Uses } from './placeholders.ts'
import { invalid } from './refusal.ts'
import { beginsWith, compare, contains, equal, isValueType, type Row, sizeOf, typeOf, type Value } from './values.ts'

export interface CompiledCondition extends Uses {
  readonly condition: Condition
  /** Refuses operands of types that no row could make right. */
  readonly check: (placeholders: Placeholders) => void
  /** A row that does not exist is an empty one. */
  readonly test: Test
  /** Every attribute that it looks at. */
  readonly paths: (placeholders: Placeholders) => readonly Path[]
}

type Test = (row: Row, placeholders: Placeholders) => boolean
type Get = (row: Row, placeholders: Placeholders) => Value | undefined
type Check = (placeholders: Placeholders) => void

export function compileCondition(expression: string, parameter: string): CompiledCondition {
  const parsed: ParsedCondition = parseCondition(expression, parameter)
  const checks: Check[] = []
  collectChecks(parsed.condition, checks, (message) => invalid(`Invalid ${parameter}: ${message}`))
  return {
    ...parsed,
    check: (placeholders) => {
      for (const check of checks) check(placeholders)
    },
    test: compileTest(parsed.condition),
    paths: (placeholders) => parsed.paths.map((path) => path(placeholders)),
  }
}

function compileTest(condition: Condition): Test {
  switch (condition.kind) {
    case 'and': {
      const [left, right] = [compileTest(condition.left), compileTest(condition.right)]
      return (row, placeholders) => left(row, placeholders) && right(row, placeholders)
    }
    case 'or': {
      const [left, right] = [compileTest(condition.left), compileTest(condition.right)]
      return (row, placeholders) => left(row, placeholders) || right(row, placeholders)
    }
    case 'not': {
      const of = compileTest(condition.of)
      return (row, placeholders) => !of(row, placeholders)
    }
    case 'compare':
      return compileComparison(condition.operator, getter(condition.left), getter(condition.right))
    case 'between': {
      const value = getter(condition.value)
      const notBelow = compileComparison('>=', value, getter(condition.low))
      const notAbove = compileComparison('<=', value, getter(condition.high))
      return (row, placeholders) => notBelow(row, placeholders) && notAbove(row, placeholders)
    }
    case 'in': {
      const value = getter(condition.value)
      const options = condition.options.map((option) => compileComparison('=', value, getter(option)))
      return (row, placeholders) => options.some((isEqual) => isEqual(row, placeholders))
    }
    case 'function':
      return compileFunction(condition.name, getter(condition.first), condition.second && getter(condition.second))
  }
}

/** What is missing, or of another type, is unequal to everything and neither above nor below anything. */
function compileComparison(operator: Comparator, left: Get, right: Get): Test {
  if (operator === '=' || operator === '<>') {
    const wanted = operator === '='
    return (row, placeholders) => {
      const [a, b] = [left(row, placeholders), right(row, placeholders)]
      return (a !== undefined && b !== undefined && equal(a, b)) === wanted
    }
  }
  const holds = ORDERS[operator]
  return (row, placeholders) => {
    const a = left(row, placeholders)
    const b = right(row, placeholders)
    const order = a === undefined || b === undefined ? undefined : compare(a, b)
    return order !== undefined && holds(order)
  }
}

const ORDERS: Readonly<Record<'<' | '<=' | '>' | '>=', (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

function compileFunction(name: FunctionName, first: Get, second: Get = () => undefined): Test {
  const ofBoth = (holds: (a: Value, b: Value) => boolean): Test => {
    return (row, placeholders) => {
      const [a, b] = [first(row, placeholders), second(row, placeholders)]
      return a !== undefined && b !== undefined && holds(a, b)
    }
  }
  switch (name) {
    case 'attribute_exists':
      return (row, placeholders) => first(row, placeholders) !== undefined
    case 'attribute_not_exists':
      return (row, placeholders) => first(row, placeholders) === undefined
    case 'attribute_type':
      return ofBoth((value, type) => 'S' in type && typeOf(value) === type.S)
    case 'begins_with':
      return ofBoth(beginsWith)
    case 'contains':
      return ofBoth(contains)
  }
}

function getter(operand: Operand): Get {
  switch (operand.kind) {
    case 'path':
      return (row, placeholders) => valueAt(row, operand.path(placeholders))
    case 'value':
      return (_row, placeholders) => given(operand.placeholder, placeholders)
    case 'size': {
      const of = getter(operand.of)
      return (row, placeholders) => {
        const value = of(row, placeholders)
        const size = value === undefined ? undefined : sizeOf(value)
        return size === undefined ? undefined : { N: String(size) }
      }
    }
  }
}

const ORDERED = 'S N B'
const SIZED = 'S B SS NS BS L M'

/** Everything that can be told from the operands alone. */
function collectChecks(condition: Condition, checks: Check[], refuse: (message: string) => Error): void {
  const typed = (operator: string, allowed: string, ...operands: readonly Operand[]) => {
    for (const operand of operands) {
      if (operand.kind === 'size') typed('size', SIZED, operand.of)
      if (operand.kind === 'path') continue
      checks.push((placeholders) => {
        const type = operand.kind === 'size' ? 'N' : typeOf(given(operand.placeholder, placeholders))
        if (allowed === 'any' || allowed.split(' ').includes(type)) return
        throw refuse(
          `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${type}`,
        )
      })
    }
  }
  const distinct = (operator: string, first: Operand, others: readonly Operand[]) => {
    if (first.kind !== 'path') return
    for (const other of others) {
      if (other.kind !== 'path') continue
      checks.push((placeholders) => {
        const path = first.path(placeholders)
        if (!samePath(path, other.path(placeholders))) return
        throw refuse(
          `The first operand must be distinct from the remaining operands for this operator or function; operator: ${operator}, first operand: ${showPath(path)}`,
        )
      })
    }
  }

  switch (condition.kind) {
    case 'and':
    case 'or':
      collectChecks(condition.left, checks, refuse)
      collectChecks(condition.right, checks, refuse)
      return
    case 'not':
      collectChecks(condition.of, checks, refuse)
      return
    case 'compare': {
      const { operator, left, right } = condition
      typed(operator, operator === '=' || operator === '<>' ? 'any' : ORDERED, left, right)
      distinct(operator, left, [right])
      return
    }
    case 'between': {
      const { value, low, high } = condition
      typed('BETWEEN', ORDERED, value, low, high)
      distinct('BETWEEN', value, [low, high])
      checks.push(boundsCheck(low, high, refuse))
      return
    }
    case 'in':
      typed('IN', 'any', condition.value, ...condition.options)
      distinct('IN', condition.value, condition.options)
      return
    case 'function':
      collectFunctionChecks(condition, checks, refuse, typed, distinct)
  }
}

type FunctionCondition = Extract<Condition, { readonly kind: 'function' }>

function collectFunctionChecks(
  { name, first, second }: FunctionCondition,
  checks: Check[],
  refuse: (message: string) => Error,
  typed: (operator: string, allowed: string, ...operands: readonly Operand[]) => void,
  distinct: (operator: string, first: Operand, others: readonly Operand[]) => void,
): void {
  if (second === undefined) return
  distinct(name, first, [second])
  if (name === 'begins_with') typed(name, 'S B', first, second)
  if (name === 'contains') typed(name, 'any', first, second)
  if (name !== 'attribute_type') return
  typed(name, 'S', second)
  checks.push((placeholders) => {
    const type = second.kind === 'value' ? given(second.placeholder, placeholders) : undefined
    if (type === undefined || !('S' in type)) {
      throw refuse(
        'Incorrect operand type for operator or function; operator or function: attribute_type, operand type: a document path',
      )
    }
    if (!isValueType(type.S)) throw refuse(`Invalid attribute type name found; type: ${type.S}`)
  })
}

function boundsCheck(low: Operand, high: Operand, refuse: (message: string) => Error): Check {
  return (placeholders) => {
    if (low.kind !== 'value' || high.kind !== 'value') return
    const [from, to] = [given(low.placeholder, placeholders), given(high.placeholder, placeholders)]
    if (typeOf(from) !== typeOf(to)) {
      throw refuse('The BETWEEN operator requires same data type for lower and upper bounds')
    }
    if ((compare(from, to) ?? 0) > 0) {
      throw refuse('The BETWEEN operator requires upper bound to be greater than or equal to lower bound')
    }
  }
}
