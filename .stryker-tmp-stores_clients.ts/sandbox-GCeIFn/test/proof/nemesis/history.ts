/** What happened in a run, as the proxy saw it: every request that reached DynamoDB, and its answer. */
// @ts-nocheck

import { unmarshall } from '@aws-sdk/util-dynamodb'
import { fenceAttribute } from '../../../functions/election/fencing.ts'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import type { AttributeMap } from '../../../functions/election/stores/row.ts'
import { errorIn, type WireReply, type WireRequest } from '../../support/tcp-proxy.ts'

export const LEASE = 'nemesis'
export const LEASE_MS = 700
export const MAX_CLOCK_SKEW_MS = 120
export const PROTECTED_KEY = { lease: 'list', record: 'LIST' }

/** A request on the protected row, whose attribute `additions` is read whole and written back with one more item. */
export interface RowRequest {
  readonly kind: 'read' | 'write'
  /** Absent without a fence. */
  readonly fencingToken?: number
  /** What is written. */
  readonly additions?: readonly string[]
}

export interface Served<Request> {
  readonly who: string
  readonly request: Request
  /** When the proxy passed it on to DynamoDB, perhaps much later than it was sent. */
  readonly sentAtMs: number
  readonly answeredAtMs: number
  readonly granted: boolean
  /** The row that came with the answer. */
  readonly row: AttributeMap | undefined
}

export interface History {
  readonly onLease: readonly Served<LeaseRequest>[]
  readonly onRow: readonly Served<RowRequest>[]
  /** The protected row when all processes had ended and nothing was under way any more. */
  readonly additions: readonly string[]
}

/** The worker that sent a request. */
export function senderOf({ headers }: WireRequest): string {
  return / who\/(\S+)/.exec(String(headers['x-amz-user-agent']))?.[1] ?? 'unknown'
}

export function rowRequestOf({ body }: WireRequest): RowRequest {
  const { ':tenureFence': token, ':additions': additions } = body.ExpressionAttributeValues ?? {}
  const fenced = token?.N === undefined ? {} : { fencingToken: Number(token.N) }
  if (additions === undefined) return { kind: 'read', ...fenced }
  return { kind: 'write', additions: additionsIn({ additions }), ...fenced }
}

/** @throws Error if DynamoDB found something wrong with the request itself */
export function answerIn(reply: WireReply): Pick<Served<unknown>, 'granted' | 'row'> {
  const error = errorIn(reply)
  if (error !== undefined && error !== 'ConditionalCheckFailedException') throw new Error(`DynamoDB answered ${error}`)
  const body = JSON.parse(reply.body)
  return { granted: error === undefined, row: body.Attributes ?? body.Item }
}

export function additionsIn(row: AttributeMap | undefined): readonly string[] {
  const list: unknown = row?.['additions'] === undefined ? [] : unmarshall({ list: row['additions'] })['list']
  return Array.isArray(list) ? list.map(String) : []
}

/** The highest token that wrote the row. */
export function fenceIn(row: AttributeMap | undefined): number {
  return Number(row?.[fenceAttribute(LEASE)]?.N ?? 0)
}
