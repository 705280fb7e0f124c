/**
 * The grammar of conditions, filters and key conditions, loosest first: OR, AND, NOT, comparisons. Parentheses may stand
 * around a condition or an operand, but never twice around the same.
 */
import { type PathOf, parsePath } from './path.ts'
import type { Uses } from './placeholders.ts'
import { Tokens } from './tokens.ts'

export type Operand =
  | { readonly kind: 'path'; readonly path: PathOf }
  | { readonly kind: 'value'; readonly placeholder: string }
  | { readonly kind: 'size'; readonly of: Operand }

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>='
export type FunctionName = 'attribute_exists' | 'attribute_not_exists' | 'attribute_type' | 'begins_with' | 'contains'

export type Condition =
  | { readonly kind: 'compare'; readonly operator: Comparator; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'between'; readonly value: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: 'in'; readonly value: Operand; readonly options: readonly Operand[] }
  | { readonly kind: 'function'; readonly name: FunctionName; readonly first: Operand; readonly second?: Operand }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly of: Condition }

export interface ParsedCondition extends Uses {
  readonly condition: Condition
  /** Every path in it. */
  readonly paths: readonly PathOf[]
}

/** Until its surroundings tell, what stands in parentheses may be either. */
type Node = (Condition | Operand) & { readonly inParentheses?: true }

interface Parsing {
  readonly tokens: Tokens
  readonly names: Set<string>
  readonly values: Set<string>
  readonly paths: PathOf[]
}

const OPERANDS: Readonly<Record<FunctionName | 'size', number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
  size: 1,
}

export function parseCondition(expression: string, parameter: string): ParsedCondition {
  const tokens = new Tokens(expression, parameter)
  const parsing: Parsing = { tokens, names: new Set<string>(), values: new Set<string>(), paths: [] }
  const condition = asCondition(parseOr(parsing), tokens)
  tokens.expectEnd()
  const { names, values, paths } = parsing
  return { condition, names, values, paths }
}

function parseOr(parsing: Parsing): Node {
  return parseChain(parsing, 'or', parseAnd)
}

function parseAnd(parsing: Parsing): Node {
  return parseChain(parsing, 'and', parseNot)
}

function parseChain(parsing: Parsing, kind: 'and' | 'or', parseNext: (parsing: Parsing) => Node): Node {
  const { tokens } = parsing
  let left = parseNext(parsing)
  while (tokens.isKeyword(kind.toUpperCase())) {
    const whole = asCondition(left, tokens)
    tokens.next()
    left = { kind, left: whole, right: asCondition(parseNext(parsing), tokens) }
  }
  return left
}

function parseNot(parsing: Parsing): Node {
  if (!parsing.tokens.takeKeyword('NOT')) return parseComparison(parsing)
  return { kind: 'not', of: asCondition(parseNot(parsing), parsing.tokens) }
}

function parseComparison(parsing: Parsing): Node {
  const { tokens } = parsing
  const left = parsePrimary(parsing)
  const operator = comparatorOf(tokens.peek().text)
  if (operator !== undefined) {
    const value = asOperand(left, tokens)
    tokens.next()
    return { kind: 'compare', operator, left: value, right: parseOperand(parsing) }
  }
  if (tokens.isKeyword('BETWEEN')) {
    const value = asOperand(left, tokens)
    tokens.next()
    const low = parseOperand(parsing)
    if (!tokens.takeKeyword('AND')) throw tokens.unexpected()
    return { kind: 'between', value, low, high: parseOperand(parsing) }
  }
  if (tokens.isKeyword('IN')) {
    const value = asOperand(left, tokens)
    tokens.next()
    return { kind: 'in', value, options: parseOperands(parsing) }
  }
  return left
}

function comparatorOf(text: string): Comparator | undefined {
  switch (text) {
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return text
    default:
      return undefined
  }
}

function parsePrimary(parsing: Parsing): Node {
  const { tokens, names, values, paths } = parsing
  if (tokens.take('(')) {
    const inner = parseOr(parsing)
    tokens.expect(')')
    if (inner.inParentheses) throw tokens.refusal('The expression has redundant parentheses;')
    return { ...inner, inParentheses: true }
  }
  const { kind, text } = tokens.peek()
  if (kind === ':') {
    tokens.next()
    values.add(text)
    return { kind: 'value', placeholder: text }
  }
  if (kind === 'name' && tokens.peek(1).text === '(') return parseFunction(parsing)
  const path = parsePath(tokens, names)
  paths.push(path)
  return { kind: 'path', path }
}

function parseFunction(parsing: Parsing): Node {
  const { tokens } = parsing
  const name = tokens.next().text
  const operands = parseOperands(parsing)
  if (!isFunctionName(name)) throw tokens.refusal(`Invalid function name; function: ${name}`)
  const [first, second] = operands
  if (first === undefined || operands.length !== OPERANDS[name]) {
    throw tokens.refusal(
      `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${operands.length}`,
    )
  }
  if (name === 'size') return { kind: 'size', of: first }
  if (OPERANDS[name] === 1 && first.kind !== 'path') {
    throw tokens.refusal(`Operator or function requires a document path; operator or function: ${name}`)
  }
  return { kind: 'function', name, first, ...(second === undefined ? {} : { second }) }
}

function isFunctionName(text: string): text is FunctionName | 'size' {
  return Object.hasOwn(OPERANDS, text)
}

function parseOperands(parsing: Parsing): readonly Operand[] {
  const { tokens } = parsing
  tokens.expect('(')
  const operands = [parseOperand(parsing)]
  while (tokens.take(',')) operands.push(parseOperand(parsing))
  tokens.expect(')')
  return operands
}

function parseOperand(parsing: Parsing): Operand {
  return asOperand(parsePrimary(parsing), parsing.tokens)
}

function asOperand(node: Node, tokens: Tokens): Operand {
  if (node.kind === 'path' || node.kind === 'value' || node.kind === 'size') return node
  if (node.kind === 'function') throw misused(node.name, tokens)
  throw tokens.unexpected()
}

function asCondition(node: Node, tokens: Tokens): Condition {
  if (node.kind === 'size') throw misused(node.kind, tokens)
  if (node.kind === 'path' || node.kind === 'value') throw tokens.unexpected()
  return node
}

function misused(name: string, tokens: Tokens): Error {
  return tokens.refusal(`The function is not allowed to be used this way in an expression; function: ${name}`)
}
