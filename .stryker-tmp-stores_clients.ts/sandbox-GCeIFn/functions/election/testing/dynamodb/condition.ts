/** Conditions and key conditions: OR, AND, NOT, comparisons, and the functions that the product uses. */
// @ts-nocheck

import { isDeepStrictEqual } from 'node:util'
import { unsupported } from './answer.ts'
import type { Placeholders, Uses } from './request.ts'
import { Tokens } from './tokens.ts'
import { attributeOf, compare, type Row, type Value } from './values.ts'

export interface Condition {
  readonly uses: Uses
  /** A row that does not exist is an empty one. */
  readonly test: Test
  /** Of a key condition: its comparisons of an attribute with a value, all joined by AND. */
  readonly comparisons: readonly Comparison[]
}

export interface Comparison {
  readonly path: readonly string[]
  readonly operator: string
  readonly value: string
}

type Test = (row: Row, placeholders: Placeholders) => boolean
type Get = (row: Row, placeholders: Placeholders) => Value | undefined

interface Parsing {
  readonly tokens: Tokens
  readonly comparisons: Comparison[]
}

const compiled = new Map<string, Condition>()

export function compileCondition(expression: string): Condition {
  const known = compiled.get(expression)
  if (known !== undefined) return known
  const parsing: Parsing = { tokens: new Tokens(expression), comparisons: [] }
  const test = parseOr(parsing)
  if (!parsing.tokens.isAtEnd) throw parsing.tokens.unexpected()
  const condition = { uses: parsing.tokens.uses, test, comparisons: parsing.comparisons }
  compiled.set(expression, condition)
  return condition
}

function parseOr(parsing: Parsing): Test {
  const tests = [parseAnd(parsing)]
  while (parsing.tokens.take('OR')) tests.push(parseAnd(parsing))
  return (row, placeholders) => tests.some((test) => test(row, placeholders))
}

function parseAnd(parsing: Parsing): Test {
  const tests = [parseNot(parsing)]
  while (parsing.tokens.take('AND')) tests.push(parseNot(parsing))
  return (row, placeholders) => tests.every((test) => test(row, placeholders))
}

function parseNot(parsing: Parsing): Test {
  const { tokens } = parsing
  if (tokens.take('NOT')) {
    const test = parseNot(parsing)
    return (row, placeholders) => !test(row, placeholders)
  }
  if (tokens.take('(')) {
    const test = parseOr(parsing)
    tokens.expect(')')
    return test
  }
  return tokens.peek(1) === '(' ? parseFunction(parsing) : parseComparison(parsing)
}

function parseFunction({ tokens, comparisons }: Parsing): Test {
  const name = tokens.takeName()
  tokens.expect('(')
  const path = parsePath(tokens)
  const get = getter(path)
  if (name === 'begins_with') {
    tokens.expect(',')
    const value = tokens.takeValue()
    tokens.expect(')')
    comparisons.push({ path, operator: name, value })
    return (row, placeholders) => {
      const [text, start] = [get(row, placeholders), placeholders.values[value]]
      return text !== undefined && 'S' in text && start !== undefined && 'S' in start && text.S.startsWith(start.S)
    }
  }
  tokens.expect(')')
  if (name === 'attribute_exists') return (row, placeholders) => get(row, placeholders) !== undefined
  if (name === 'attribute_not_exists') return (row, placeholders) => get(row, placeholders) === undefined
  throw unsupported(`the function ${name}`)
}

/** An attribute that is missing or of another type is unequal to everything, and neither above nor below anything. */
const OPERATORS: Readonly<Record<string, (a: Value | undefined, b: Value | undefined) => boolean>> = {
  '=': (a, b) => a !== undefined && b !== undefined && isDeepStrictEqual(a, b),
  '<>': (a, b) => a === undefined || b === undefined || !isDeepStrictEqual(a, b),
  '<': (a, b) => orderOf(a, b) < 0,
  '<=': (a, b) => orderOf(a, b) <= 0,
  '>': (a, b) => orderOf(a, b) > 0,
  '>=': (a, b) => orderOf(a, b) >= 0,
}

function orderOf(a: Value | undefined, b: Value | undefined): number {
  return (a !== undefined && b !== undefined ? compare(a, b) : undefined) ?? Number.NaN
}

/** An attribute with a value or with another attribute. */
function parseComparison({ tokens, comparisons }: Parsing): Test {
  const path = parsePath(tokens)
  const operator = tokens.takeOneOf(Object.keys(OPERATORS))
  const holds = operator === undefined ? undefined : OPERATORS[operator]
  if (operator === undefined || holds === undefined) throw tokens.unexpected()
  const left = getter(path)
  if (!tokens.peek().startsWith(':')) {
    const right = getter(parsePath(tokens))
    return (row, placeholders) => holds(left(row, placeholders), right(row, placeholders))
  }
  const value = tokens.takeValue()
  comparisons.push({ path, operator, value })
  return (row, placeholders) => holds(left(row, placeholders), placeholders.values[value])
}

/** An attribute's name, and then names of fields of maps: `#tenureStep.step`. */
export function parsePath(tokens: Tokens): readonly string[] {
  const path = [tokens.takeName()]
  while (tokens.take('.')) path.push(tokens.takeName())
  return path
}

export function nameOf(name: string, { names }: Placeholders): string {
  return name.startsWith('#') ? String(names[name]) : name
}

function getter([first = '', ...fields]: readonly string[]): Get {
  return (row, placeholders) => {
    let value = attributeOf(row, nameOf(first, placeholders))
    for (const field of fields) {
      value = value !== undefined && 'M' in value ? attributeOf(value.M, nameOf(field, placeholders)) : undefined
    }
    return value
  }
}
