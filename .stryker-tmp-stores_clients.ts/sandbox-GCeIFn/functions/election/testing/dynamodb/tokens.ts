// @ts-nocheck
import { invalid } from './answer.ts'

/** Words, placeholders of names and values, and symbols. */
const PATTERN = /\s*([#:]?[A-Za-z_]\w*|<>|<=|>=|[=<>(),.+])/y
const END = 'the end'
const KEYWORDS = ['AND', 'OR', 'NOT', 'IN', 'BETWEEN', 'SET', 'REMOVE', 'ADD', 'DELETE']

/** The tokens of one expression, read from left to right. What it cannot read is refused. */
export class Tokens {
  /** The placeholders that were read. */
  readonly uses = new Set<string>()
  readonly #expression: string
  readonly #tokens: readonly string[]
  #at = 0

  constructor(expression: string) {
    this.#expression = expression
    const tokens: string[] = []
    PATTERN.lastIndex = 0
    while (PATTERN.lastIndex < expression.trimEnd().length) {
      const from = PATTERN.lastIndex
      const token = PATTERN.exec(expression)?.[1]
      if (token === undefined) throw this.#syntaxError(expression.slice(from))
      tokens.push(token)
    }
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead] ?? END
  }

  /** Takes the next token if it is this symbol or keyword. */
  take(token: string): boolean {
    const isNext = this.peek().toUpperCase() === token
    if (isNext) this.#at++
    return isNext
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.unexpected()
  }

  takeOneOf<Token extends string>(tokens: readonly Token[]): Token | undefined {
    return tokens.find((token) => this.take(token))
  }

  /** Takes a word or a name's placeholder. */
  takeName(): string {
    const name = this.peek()
    if (!/^#?[A-Za-z_]/.test(name) || this.isAtEnd || KEYWORDS.includes(name.toUpperCase())) throw this.unexpected()
    if (name.startsWith('#')) this.uses.add(name)
    this.#at++
    return name
  }

  /** Takes a value's placeholder. */
  takeValue(): string {
    const name = this.peek()
    if (!name.startsWith(':')) throw this.unexpected()
    this.uses.add(name)
    this.#at++
    return name
  }

  unexpected(): Error {
    return this.#syntaxError(this.peek())
  }

  #syntaxError(at: string): Error {
    return invalid(
      `Invalid expression, or one that the simulated DynamoDB does not support, at ${at}: ${this.#expression}`,
    )
  }
}
