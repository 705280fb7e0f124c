/** Updates: SET, REMOVE and ADD of whole attributes. Every value is computed from the row as it was. */
// @ts-nocheck

import { invalid } from './answer.ts'
import { nameOf } from './condition.ts'
import type { Placeholders, Uses } from './request.ts'
import { Tokens } from './tokens.ts'
import { attributeOf, type Row, type Value, wholeNumber } from './values.ts'

export interface Update {
  readonly uses: Uses
  /** The attributes that it changes. */
  readonly names: (placeholders: Placeholders) => readonly string[]
  readonly apply: (row: Row, placeholders: Placeholders) => Row
}

type Get = (row: Row, placeholders: Placeholders) => Value

interface Action {
  readonly name: string
  /** Undefined if the attribute is removed. */
  readonly value: Get | undefined
}

const SECTIONS = ['SET', 'REMOVE', 'ADD'] as const
const compiled = new Map<string, Update>()

export function compileUpdate(expression: string): Update {
  const known = compiled.get(expression)
  if (known !== undefined) return known
  const tokens = new Tokens(expression)
  const actions: Action[] = []
  const seen = new Set<string>()
  do {
    const section = tokens.takeOneOf(SECTIONS)
    if (section === undefined || seen.has(section)) throw tokens.unexpected()
    seen.add(section)
    do actions.push(parseAction(tokens, section))
    while (tokens.take(','))
  } while (!tokens.isAtEnd)
  const update: Update = {
    uses: tokens.uses,
    names: (placeholders) => actions.map(({ name }) => nameOf(name, placeholders)),
    apply: (row, placeholders) => {
      const changed: Record<string, Value> = { ...row }
      for (const { name, value } of actions) {
        const attribute = nameOf(name, placeholders)
        if (value === undefined) delete changed[attribute]
        else changed[attribute] = value(row, placeholders)
      }
      return changed
    },
  }
  compiled.set(expression, update)
  return update
}

function parseAction(tokens: Tokens, section: (typeof SECTIONS)[number]): Action {
  const name = tokens.takeName()
  if (section === 'REMOVE') return { name, value: undefined }
  if (section === 'SET') {
    tokens.expect('=')
    return { name, value: parseSum(tokens) }
  }
  const value = given(tokens.takeValue())
  return {
    name,
    value: (row, placeholders) => add(attributeOf(row, nameOf(name, placeholders)), value(row, placeholders)),
  }
}

function parseSum(tokens: Tokens): Get {
  const left = parseOperand(tokens)
  if (!tokens.take('+')) return left
  const right = parseOperand(tokens)
  return (row, placeholders) => sum(left(row, placeholders), right(row, placeholders))
}

function parseOperand(tokens: Tokens): Get {
  if (tokens.peek().startsWith(':')) return given(tokens.takeValue())
  if (tokens.peek(1) !== '(') return attribute(tokens.takeName())
  const name = tokens.takeOneOf(['IF_NOT_EXISTS', 'LIST_APPEND'])
  if (name === undefined) throw tokens.unexpected()
  tokens.expect('(')
  const get = name === 'IF_NOT_EXISTS' ? parseIfNotExists(tokens) : parseListAppend(tokens)
  tokens.expect(')')
  return get
}

function parseIfNotExists(tokens: Tokens): Get {
  const name = tokens.takeName()
  tokens.expect(',')
  const otherwise = parseOperand(tokens)
  return (row, placeholders) => attributeOf(row, nameOf(name, placeholders)) ?? otherwise(row, placeholders)
}

function parseListAppend(tokens: Tokens): Get {
  const first = parseOperand(tokens)
  tokens.expect(',')
  const second = parseOperand(tokens)
  return (row, placeholders) => {
    const [a, b] = [first(row, placeholders), second(row, placeholders)]
    if (!('L' in a && 'L' in b)) throw wrongType()
    return { L: [...a.L, ...b.L] }
  }
}

function given(placeholder: string): Get {
  return (_row, { values }) => {
    const value = values[placeholder]
    if (value === undefined) throw new Error(`${placeholder} was not checked`)
    return value
  }
}

function attribute(name: string): Get {
  return (row, placeholders) => {
    const value = attributeOf(row, nameOf(name, placeholders))
    if (value !== undefined) return value
    throw invalid('The provided expression refers to an attribute that does not exist in the item')
  }
}

function add(before: Value | undefined, more: Value): Value {
  if ('SS' in more) {
    if (before === undefined) return more
    if ('SS' in before) return { SS: [...new Set([...before.SS, ...more.SS])].sort() }
  }
  return sum(before ?? { N: '0' }, more)
}

function sum(a: Value, b: Value): Value {
  const [left, right] = [wholeNumber(a), wholeNumber(b)]
  if (left === undefined || right === undefined) throw wrongType()
  return { N: String(left + right) }
}

function wrongType(): Error {
  return invalid('An operand in the update expression has an incorrect data type')
}
