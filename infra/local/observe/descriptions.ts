/** What a request asks, and what came of it, for a reader of a tenure's story. */

import { property } from '../../../functions/election/json.ts'
import { clockTime, isInstant } from '../../../functions/widget/time-words.ts'
import type { Call, Reply } from '../lambda-host/interceptor.ts'
import {
  type Acquire,
  errorOf,
  gatewayStatusOf,
  grantOf,
  isRefusal,
  type LeaseCall,
  leaseCallOf,
  plainName,
  rowOf,
  writesOf,
} from './lease-call.ts'

/** Such as `Asks for the lease, to hold it until 21:40:03.120`. Times are UTC. */
export function requestWords(call: Call, leaseTable: string): string {
  const lease = leaseCallOf(call, leaseTable)
  const others = writesOf(call, leaseTable).length
  if (lease !== undefined) return leaseWords(lease, others)
  const isFenced = JSON.stringify(call.body).includes(':tenureFence')
  return taskWords(call) + (isFenced ? ', unless a newer leader has written it' : '')
}

function leaseWords(lease: LeaseCall, others: number): string {
  const rows = `${others} ${others === 1 ? 'write' : 'writes'} of its own`
  switch (lease.kind) {
    case 'acquire':
      return `Asks for the lease, to hold it until ${clock(lease.expiresAtMs)}`
    case 'renew':
      return `Renews the lease until ${clock(lease.expiresAtMs)}`
    case 'saveCheckpoint':
      return `Saves a checkpoint, and renews the lease until ${clock(lease.expiresAtMs)}`
    case 'complete':
      return others === 0 ? 'Records the tick as done' : `Records the tick as done, together with ${rows}`
    case 'release':
      return lease.how === 'failed'
        ? `Gives the lease up: its task failed${lease.errorName === undefined ? '' : ` with ${lease.errorName}`}`
        : 'Gives the lease up'
    case 'guard':
      return `Makes ${rows}, if it still leads`
  }
}

function taskWords({ service, operation, target: fullName, body }: Call): string {
  const target = plainName(fullName)
  if (service === 'lambda') {
    if (body['method'] === 'POST') return 'Asks the gateway to charge'
    return body['method'] === 'GET' ? 'Asks the gateway what became of an earlier charge' : `Invokes ${target}`
  }
  switch (operation) {
    case 'UpdateItem':
      return `Updates a row of ${target}`
    case 'PutItem':
      return `Puts a row into ${target}`
    case 'DeleteItem':
      return `Deletes a row of ${target}`
    case 'GetItem':
      return `Reads a row of ${target}`
    case 'Query':
      return `Asks for rows of ${target}`
    default:
      return target === '' ? operation : `${operation} of ${target}`
  }
}

export interface Answered {
  /** What came back from where the call went; absent where it never arrived, or nothing has come back yet. */
  readonly reply?: Reply | undefined
  /** What the function got. */
  readonly got: Reply | 'hangUp'
  /** The token of whoever leads by now, where that is not the caller any more. */
  readonly successor?: number | undefined
}

/** Such as `granted: token 1795240800001`, `carried out, but the reply was lost`. */
export function answerWords(call: Call, leaseTable: string, { reply, got, successor }: Answered): string {
  if (reply === undefined)
    return got === 'hangUp' ? 'never arrived' : `not let through: ${outcomeWords(call, leaseTable, got, successor)}`
  const outcome = outcomeWords(call, leaseTable, reply, successor)
  if (got === 'hangUp') return `${outcome}; but the reply was lost`
  return got.body === reply.body ? outcome : `${outcome}; but the function got another answer`
}

function outcomeWords(call: Call, leaseTable: string, reply: Reply, successor: number | undefined): string {
  const body = jsonOf(reply)
  const error = errorOf(reply, body)
  const asked = leaseCallOf(call, leaseTable)
  if (error === undefined) return asked?.kind === 'acquire' ? grantWords(asked, body) : gatewayWords(call, body)
  if (!isRefusal(error)) return error
  const row = property(body, 'Item')
  if (isRepeated(call, row)) return 'refused, for it was carried out before'
  if (asked?.kind === 'acquire') return refusedLeaseWords(row)
  return successor === undefined ? 'refused: its condition does not hold' : `refused: token ${successor} has taken over`
}

function grantWords(asked: Acquire, body: unknown): string {
  const { token, before } = grantOf(asked, body)
  const ended = before.holder === undefined ? '' : `: the time of token ${before.fencingToken} had run out`
  return `granted, with token ${token}${ended}`
}

/** Whether the row has this very request already: its reply was lost, and the client sent it again. */
function isRepeated({ body: request }: Call, row: unknown): boolean {
  const sent = (name: string) => JSON.stringify(property(property(request, 'ExpressionAttributeValues'), name))
  const found = (name: string) => JSON.stringify(property(row, name))
  const attempt = sent(':attempt')
  if (attempt !== undefined) return attempt === found('attempt') && (sent(':step') ?? found('step')) === found('step')
  // An effect, which `lease.send` has numbered: see functions/election/fencing.ts.
  const step = sent(':tenureStep')
  const fenced = textIn(property(request, 'ExpressionAttributeNames'), '#tenureFence')
  const stamp = property(property(row, textIn(property(request, 'ExpressionAttributeNames'), '#tenureStep')), 'M')
  return (
    step !== undefined && sent(':tenureFence') === found(fenced) && JSON.stringify(property(stamp, 'step')) === step
  )
}

function textIn(names: unknown, placeholder: string): string {
  const name = property(names, placeholder)
  return typeof name === 'string' ? name : ''
}

function refusedLeaseWords(item: unknown): string {
  const { holder, fencingToken, expiresAtMs } = rowOf(item)
  if (holder === undefined) return 'refused: the lease is not to be had for this tick'
  return `refused: token ${fencingToken} leads${expiresAtMs === undefined ? '' : ` until ${clock(expiresAtMs)}`}`
}

function gatewayWords(call: Call, body: unknown): string {
  const { service } = call
  const statusCode = gatewayStatusOf(call, body)
  const errorType = property(body, 'errorType')
  if (service === 'lambda' && typeof errorType === 'string') return `failed with ${errorType}`
  if (statusCode === undefined) return 'done'
  if (statusCode === 402) return 'declined'
  if (statusCode >= 300) return `HTTP ${statusCode}`
  return property(property(body, 'headers'), 'idempotent-replayed') === 'true'
    ? 'answered as before, nothing charged'
    : 'done'
}

export function jsonOf({ body }: Pick<Reply, 'body'>): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** `21:40:03.120` in UTC; the number itself where it is no instant. */
export function clock(ms: number): string {
  return isInstant(ms) ? clockTime(ms, 'milliseconds') : String(ms)
}
