import { invalid } from './refusal.ts'

/** `name` is a bare word, `#` and `:` are placeholders, `index` a whole number, `symbol` anything else that has a meaning. */
export interface Token {
  readonly kind: 'name' | '#' | ':' | 'index' | 'symbol' | 'end'
  readonly text: string
}

const PATTERN = /\s*(?:([A-Za-z]\w*)|(#\w+)|(:\w+)|(0|[1-9]\d*)|(<>|<=|>=|[=<>()[\],.+-]))/y
const END: Token = { kind: 'end', text: '<EOF>' }

/** The tokens of one expression, read from left to right. */
export class Tokens {
  /** As `ConditionExpression`; every message begins with it. */
  readonly #parameter: string
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(expression: string, parameter: string) {
    this.#parameter = parameter
    if (expression === '') throw this.refusal('The expression can not be empty;')
    this.#tokens = this.#split(expression)
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? END
  }

  next(): Token {
    const token = this.peek()
    this.#at++
    return token
  }

  /** Takes the next token if it is this symbol. */
  take(symbol: string): boolean {
    const token = this.peek()
    const found = token.kind === 'symbol' && token.text === symbol
    if (found) this.#at++
    return found
  }

  expect(symbol: string): void {
    if (!this.take(symbol)) throw this.unexpected()
  }

  isKeyword(keyword: string): boolean {
    const token = this.peek()
    return token.kind === 'name' && token.text.toUpperCase() === keyword
  }

  takeKeyword(keyword: string): boolean {
    const found = this.isKeyword(keyword)
    if (found) this.#at++
    return found
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') throw this.unexpected()
  }

  unexpected(): Error {
    return this.#syntaxError(this.peek().text)
  }

  refusal(message: string): Error {
    return invalid(`Invalid ${this.#parameter}: ${message}`)
  }

  #split(expression: string): readonly Token[] {
    const tokens: Token[] = []
    const end = expression.trimEnd().length
    PATTERN.lastIndex = 0
    while (PATTERN.lastIndex < end) {
      const from = PATTERN.lastIndex
      const [, name, nameHolder, valueHolder, index, symbol] = PATTERN.exec(expression) ?? []
      if (name !== undefined) tokens.push({ kind: 'name', text: name })
      else if (nameHolder !== undefined) tokens.push({ kind: '#', text: nameHolder })
      else if (valueHolder !== undefined) tokens.push({ kind: ':', text: valueHolder })
      else if (index !== undefined) tokens.push({ kind: 'index', text: index })
      else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol })
      else throw this.#syntaxError(expression.slice(from).trimStart().charAt(0))
    }
    return tokens
  }

  #syntaxError(token: string): Error {
    return this.refusal(`Syntax error; token: "${token}"`)
  }
}
