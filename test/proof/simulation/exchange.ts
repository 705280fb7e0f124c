import type { SimulatedProcess } from './process.ts'

/** One request on its way, as its sender and all its copies share it. */
export interface Exchange {
  readonly process: SimulatedProcess
  /** Like 't3 ann try 1 request 2': the same in every history of a seed, as long as what came before is. */
  readonly place: string
  readonly operation: string
  readonly body: Readonly<Record<string, unknown>>
  readonly sentAtMs: number
  /** Its sender has an answer, or has given up waiting for one. */
  settled: boolean
  /** How often it reached DynamoDB. */
  arrivals: number
}

/** What DynamoDB answers; `object` is the output, or the error with its `__type`. */
export interface Answer {
  readonly status: number
  readonly body: object
}

export function isRefusal(answer: Answer): boolean {
  return errorType(answer) === 'ConditionalCheckFailedException'
}

/** The name of the error, without its namespace; undefined for a success. */
export function errorType({ status, body }: Answer): string | undefined {
  if (status === 200) return undefined
  const type: unknown = '__type' in body ? body.__type : undefined
  return String(type).replace(/^.*#/, '')
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** The text or number under a placeholder of the request's expressions. */
export function placeholder(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const values = body['ExpressionAttributeValues']
  return isObject(values) ? textOf(values[name]) : undefined
}

/** What an attribute says, a number as its digits. */
export function textOf(attribute: unknown): string | undefined {
  if (!isObject(attribute)) return undefined
  const value = attribute['S'] ?? attribute['N']
  return typeof value === 'string' ? value : undefined
}

export function numberOf(attribute: unknown): number | undefined {
  const text = textOf(attribute)
  return text === undefined ? undefined : Number(text)
}
