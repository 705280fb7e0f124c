/** Reading the parameters of a request. */
import { invalid } from './refusal.ts'
import { isObject } from './values.ts'

export type Request = Readonly<Record<string, unknown>>

/** They change nothing here, for there is one copy of the data and nobody pays. */
const WITHOUT_EFFECT = ['ConsistentRead', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics']

export type Parameters = ReadonlySet<string>

export function parameters(...names: readonly string[]): Parameters {
  return new Set([...names, ...WITHOUT_EFFECT])
}

/** A parameter that is not known would be ignored in silence: refused, so that nobody trusts an answer that is wrong. */
export function checkParameters(request: Request, known: Parameters): void {
  for (const name in request) {
    if (known.has(name) || request[name] === undefined) continue
    throw invalid(`The simulated DynamoDB does not know the parameter ${name} of this request`)
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

/** One of a few words, the first of which is the default. */
export function oneOf<Word extends string>(request: Request, name: string, words: readonly [Word, ...Word[]]): Word {
  const value = textOf(request, name)
  if (value === undefined) return words[0]
  const word = words.find((known) => known === value)
  if (word === undefined) throw invalid(`${name} can only be ${words.join(' or ')}, not ${value}`)
  return word
}
