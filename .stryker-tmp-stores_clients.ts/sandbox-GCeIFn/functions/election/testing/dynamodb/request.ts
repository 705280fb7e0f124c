/** Reads the parameters of a request. */
// @ts-nocheck

import { invalid, unsupported } from './answer.ts'
import { isObject, type Row, readRow } from './values.ts'

export type Request = Readonly<Record<string, unknown>>

/** These change nothing here: there is one copy of the data, and capacity is not counted. */
const WITHOUT_EFFECT = ['ConsistentRead', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics']

/** Refuses an unknown parameter, which would otherwise be ignored. */
export function checkParameters(request: Request, known: readonly string[]): void {
  for (const name in request) {
    if (known.includes(name) || WITHOUT_EFFECT.includes(name) || request[name] === undefined) continue
    throw unsupported(`the parameter ${name} of this request`)
  }
}

export function requestOf(json: unknown): Request {
  if (!isObject(json)) throw invalid('A request must be an object')
  return json
}

export function textOf(request: Request, name: string): string | undefined {
  const value = request[name]
  if (value === undefined || typeof value === 'string') return value
  throw invalid(`${name} must be a text`)
}

export function requiredText(request: Request, name: string): string {
  const value = textOf(request, name)
  if (value === undefined) throw invalid(`The parameter '${name}' is required but was not present in the request`)
  return value
}

/** One of a few words; the first is the default. */
export function oneOf<Word extends string>(request: Request, name: string, words: readonly [Word, ...Word[]]): Word {
  const value = textOf(request, name) ?? words[0]
  const word = words.find((known) => known === value)
  if (word === undefined) throw unsupported(`${name} ${value}`)
  return word
}

/** ExpressionAttributeNames and ExpressionAttributeValues. */
export interface Placeholders {
  readonly names: Readonly<Record<string, unknown>>
  readonly values: Row
}

/** The placeholders that an expression uses. */
export type Uses = ReadonlySet<string>

/** Every placeholder that the expressions use must be given, and every given one must be used. */
export function readPlaceholders(request: Request, ...expressions: readonly (Uses | undefined)[]): Placeholders {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: json = {} } = request
  const values = readRow(json)
  const areEmpty = [request['ExpressionAttributeNames'], request['ExpressionAttributeValues']].some(isEmpty)
  if (!isObject(names) || areEmpty) {
    throw invalid('ExpressionAttributeNames and ExpressionAttributeValues must not be empty')
  }
  const uses = new Set(expressions.flatMap((used) => [...(used ?? [])]))
  const given = [...Object.keys(names), ...Object.keys(values)]
  const missing = [...uses].find((placeholder) => !given.includes(placeholder))
  if (missing !== undefined) throw invalid(`An expression attribute name or value is not defined: ${missing}`)
  const unused = given.find((placeholder) => !uses.has(placeholder))
  if (unused !== undefined) throw invalid(`Value provided unused in expressions: keys: {${unused}}`)
  return { names, values }
}

function isEmpty(json: unknown): boolean {
  return isObject(json) && Object.keys(json).length === 0
}
