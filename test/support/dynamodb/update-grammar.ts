/** The grammar of updates: SET, REMOVE, ADD and DELETE, each once at most and in any order. */
import { type PathOf, parsePath } from './path.ts'
import type { Uses } from './placeholders.ts'
import { Tokens } from './tokens.ts'

/** What SET may write. Sums stand at the top alone, and only `if_not_exists` within another function. */
export type Source =
  | { readonly kind: 'path'; readonly path: PathOf }
  | { readonly kind: 'value'; readonly placeholder: string }
  | { readonly kind: '+' | '-'; readonly left: Source; readonly right: Source }
  | { readonly kind: 'if_not_exists'; readonly path: PathOf; readonly otherwise: Source }
  | { readonly kind: 'list_append'; readonly left: Source; readonly right: Source }

export type Action =
  | { readonly kind: 'SET'; readonly path: PathOf; readonly source: Source }
  | { readonly kind: 'REMOVE'; readonly path: PathOf }
  | { readonly kind: 'ADD' | 'DELETE'; readonly path: PathOf; readonly placeholder: string }

export interface ParsedUpdate extends Uses {
  readonly actions: readonly Action[]
}

interface Parsing {
  readonly tokens: Tokens
  readonly names: Set<string>
  readonly values: Set<string>
}

type Node = Source & { readonly inParentheses?: true }

const CONDITION_FUNCTIONS: ReadonlySet<string> = new Set([
  'attribute_exists',
  'attribute_not_exists',
  'attribute_type',
  'begins_with',
  'contains',
  'size',
])
const SECTIONS = ['SET', 'REMOVE', 'ADD', 'DELETE'] as const

export function parseUpdate(expression: string): ParsedUpdate {
  const tokens = new Tokens(expression, 'UpdateExpression')
  const parsing = { tokens, names: new Set<string>(), values: new Set<string>() }
  const actions: Action[] = []
  const seen = new Set<string>()
  do {
    const section = SECTIONS.find((keyword) => tokens.takeKeyword(keyword))
    if (section === undefined) throw tokens.unexpected()
    if (seen.has(section)) {
      throw tokens.refusal(`The "${section}" section can only be used once in an update expression;`)
    }
    seen.add(section)
    do actions.push(parseAction(parsing, section))
    while (tokens.take(','))
  } while (tokens.peek().kind !== 'end')
  return { actions, names: parsing.names, values: parsing.values }
}

function parseAction(parsing: Parsing, kind: (typeof SECTIONS)[number]): Action {
  const { tokens, names } = parsing
  const path = parsePath(tokens, names)
  if (kind === 'REMOVE') return { kind, path }
  if (kind === 'SET') {
    tokens.expect('=')
    return { kind, path, source: parseSum(parsing) }
  }
  return { kind, path, placeholder: parseValue(parsing) }
}

function parseSum(parsing: Parsing): Node {
  const { tokens } = parsing
  const left = parseTerm(parsing, parseSum)
  const operator = tokens.peek().text
  if (operator !== '+' && operator !== '-') return left
  if (isSum(left)) throw tokens.unexpected()
  tokens.next()
  const right = parseTerm(parsing, parseOperand)
  return { kind: operator, left: asOperand(left, tokens), right }
}

function parseTerm(parsing: Parsing, parseWithin: (parsing: Parsing) => Node): Node {
  const { tokens, names } = parsing
  if (tokens.take('(')) {
    const inner = parseWithin(parsing)
    tokens.expect(')')
    if (inner.inParentheses) throw tokens.refusal('The expression has redundant parentheses;')
    return { ...inner, inParentheses: true }
  }
  const { kind } = tokens.peek()
  if (kind === ':') return { kind: 'value', placeholder: parseValue(parsing) }
  if (kind === 'name' && tokens.peek(1).text === '(') return parseFunction(parsing)
  return { kind: 'path', path: parsePath(tokens, names) }
}

function parseFunction(parsing: Parsing): Source {
  const { tokens } = parsing
  const name = tokens.next().text
  tokens.expect('(')
  const operands = [parseOperand(parsing)]
  while (tokens.take(',')) operands.push(parseOperand(parsing))
  tokens.expect(')')
  if (CONDITION_FUNCTIONS.has(name)) {
    throw tokens.refusal(`The function is not allowed in an update expression; function: ${name}`)
  }
  if (name !== 'if_not_exists' && name !== 'list_append') {
    throw tokens.refusal(`Invalid function name; function: ${name}`)
  }
  const [first, second] = operands
  if (first === undefined || second === undefined || operands.length > 2) {
    throw tokens.refusal(
      `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${operands.length}`,
    )
  }
  if (name === 'list_append') return { kind: name, left: first, right: second }
  if (first.kind !== 'path') {
    throw tokens.refusal('Operator or function requires a document path; operator or function: if_not_exists')
  }
  return { kind: name, path: first.path, otherwise: second }
}

/** What may stand within a function or beside a plus. */
function parseOperand(parsing: Parsing): Node {
  return asOperand(parseTerm(parsing, parseOperand), parsing.tokens)
}

function asOperand(node: Node, tokens: Tokens): Node {
  if (node.kind !== 'list_append') return node
  throw tokens.refusal('The function is not allowed to be used this way in an expression; function: list_append')
}

function isSum({ kind }: Source): boolean {
  return kind === '+' || kind === '-'
}

function parseValue({ tokens, values }: Parsing): string {
  const { kind, text } = tokens.peek()
  if (kind !== ':') throw tokens.unexpected()
  tokens.next()
  values.add(text)
  return text
}
