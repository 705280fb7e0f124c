import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import type { SimulatedProcess } from './process.ts'

/** One request, shared by its sender and all copies of it. */
export interface Exchange {
  readonly process: SimulatedProcess
  /** Like 't3 ann try 1 request 2': the same in every history of a seed whose beginning is the same. */
  readonly place: string
  readonly operation: string
  readonly body: Readonly<Record<string, unknown>>
  /** The request to the lease row in it, if any. */
  readonly lease: LeaseRequest | undefined
  readonly sentAtMs: number
  /** The sender has an answer or has given up. */
  settled: boolean
  /** How often it reached DynamoDB. */
  arrivals: number
}

export function isRefusal(answer: Answer): boolean {
  return errorType(answer) === 'ConditionalCheckFailedException'
}

/** The error's name without its namespace; undefined for a success. */
export function errorType({ status, body }: Answer): string | undefined {
  if (status === 200) return undefined
  const type: unknown = '__type' in body ? body.__type : undefined
  return String(type).replace(/^.*#/, '')
}

/** The text or number that a placeholder of the request stands for. */
export function placeholder(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const values = body['ExpressionAttributeValues']
  return isObject(values) ? textOf(values[name]) : undefined
}

/** A text attribute, or the digits of a number. */
export function textOf(attribute: unknown): string | undefined {
  if (!isObject(attribute)) return undefined
  const value = attribute['S'] ?? attribute['N']
  return typeof value === 'string' ? value : undefined
}
