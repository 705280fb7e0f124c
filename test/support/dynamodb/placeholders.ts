/** ExpressionAttributeNames and ExpressionAttributeValues of one request. */
import { invalid } from './refusal.ts'
import { isObject, type Row, readRow, type Value } from './values.ts'

export interface Placeholders {
  readonly names: Readonly<Record<string, string>>
  readonly values: Row
}

/** What an expression refers to. */
export interface Uses {
  readonly names: ReadonlySet<string>
  readonly values: ReadonlySet<string>
}

const NONE: Row = {}

export function readPlaceholders(request: Readonly<Record<string, unknown>>): Placeholders {
  return {
    names: readNames(request['ExpressionAttributeNames']),
    values: readValues(request['ExpressionAttributeValues']),
  }
}

function readNames(json: unknown): Readonly<Record<string, string>> {
  if (json === undefined) return {}
  if (!isObject(json) || Object.keys(json).length === 0) throw invalid('ExpressionAttributeNames must not be empty')
  const names: Record<string, string> = {}
  for (const key in json) {
    const name = json[key]
    if (!/^#\w+$/.test(key)) {
      throw invalid(`ExpressionAttributeNames contains invalid key: Syntax error; key: "${key}"`)
    }
    if (typeof name !== 'string' || name === '') {
      throw invalid(`ExpressionAttributeNames contains invalid value: Empty attribute name for key ${key}`)
    }
    names[key] = name
  }
  return names
}

function readValues(json: unknown): Row {
  if (json === undefined) return NONE
  if (!isObject(json) || Object.keys(json).length === 0) throw invalid('ExpressionAttributeValues must not be empty')
  for (const key in json) {
    if (!/^:\w+$/.test(key)) {
      throw invalid(`ExpressionAttributeValues contains invalid key: Syntax error; key: "${key}"`)
    }
  }
  return readRow(json)
}

/** Every placeholder that an expression uses must be given. */
export function checkDefined(parameter: string, uses: Uses, { names, values }: Placeholders): void {
  for (const name of uses.names) {
    if (names[name] === undefined) {
      throw invalid(
        `Invalid ${parameter}: An expression attribute name used in the document path is not defined; attribute name: ${name}`,
      )
    }
  }
  for (const value of uses.values) {
    if (values[value] === undefined) {
      throw invalid(
        `Invalid ${parameter}: An expression attribute value used in expression is not defined; attribute value: ${value}`,
      )
    }
  }
}

/** Every placeholder that is given must be used by one of the request's two expressions. */
export function checkUsed(one: Uses | undefined, two: Uses | undefined, { names, values }: Placeholders): void {
  checkAllUsed('ExpressionAttributeNames', names, one?.names, two?.names)
  checkAllUsed('ExpressionAttributeValues', values, one?.values, two?.values)
}

type Used = ReadonlySet<string> | undefined

function checkAllUsed(parameter: string, all: object, one: Used, two: Used): void {
  for (const key in all) {
    if (one?.has(key) || two?.has(key)) continue
    throw invalid(`Value provided in ${parameter} unused in expressions: keys: {${key}}`)
  }
}

/** The value of a placeholder that is known to be given. */
export function given(placeholder: string, { values }: Placeholders): Value {
  const value = values[placeholder]
  if (value === undefined) throw new Error(`${placeholder} was used before it was checked`)
  return value
}
