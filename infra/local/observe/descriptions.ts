/** What a request asks for, and its result, in the words of a tenure's log. Times are UTC. */
import { property } from '../../../functions/election/json.ts'
import { clockTime, isInstant } from '../../../functions/widget/time-words.ts'
import type { Call, Reply } from '../lambda-host/interceptor.ts'
import {
  answerOf,
  gatewayStatusOf,
  grantOf,
  isRefusal,
  type LeaseRequest,
  leaseRequestOf,
  otherWritesOf,
  plainName,
  rowOf,
  writesOf,
} from './wire.ts'

/** Such as `Requests the lease until 21:40:03.120`. */
export function describeRequest(call: Call, leaseTable: string): string {
  const request = leaseRequestOf(call, leaseTable)
  if (request !== undefined) return describeLease(request, otherWritesOf(call, leaseTable).length)
  const isFenced = JSON.stringify(call.body).includes(':tenureFence')
  return describeOther(call) + (isFenced ? ', unless a newer leader has written it' : '')
}

function describeLease(request: LeaseRequest, others: number): string {
  const writes = `${others} ${others === 1 ? 'write' : 'writes'} of its own`
  switch (request.kind) {
    case 'acquire':
      return `Requests the lease until ${clock(request.expiresAtMs)}`
    case 'renew':
      return `Renews the lease until ${clock(request.expiresAtMs)}`
    case 'saveCheckpoint':
      return `Saves a checkpoint, and renews the lease until ${clock(request.expiresAtMs)}`
    case 'advance': {
      const verb = request.gaveUp === undefined ? 'Closes' : 'Gives up'
      return `${verb} the missed tick ${request.tick}${others === 0 ? '' : `, together with ${writes}`}`
    }
    case 'complete':
      return others === 0 ? 'Completes the tick' : `Completes the tick, together with ${writes}`
    case 'release': {
      if (request.endedBy === 'released') return 'Releases the lease'
      const error = request.errorName === undefined ? '' : ` with ${request.errorName}`
      return `Releases the lease: its task failed${error}`
    }
    case 'giveBack':
      return 'Gives back a lease that was granted too late'
    case 'guard':
      return `Sends ${writes}, if it still leads`
  }
}

const VERBS: Readonly<Record<string, string>> = {
  UpdateItem: 'Updates a row of',
  PutItem: 'Puts a row into',
  DeleteItem: 'Deletes a row of',
  GetItem: 'Reads a row of',
  Query: 'Queries rows of',
}

function describeOther({ service, operation, target: fullName, body }: Call): string {
  const target = plainName(fullName)
  if (service === 'lambda') {
    if (body['method'] === 'POST') return 'Requests a charge from the gateway'
    return body['method'] === 'GET' ? 'Looks up an earlier charge at the gateway' : `Invokes ${target}`
  }
  if (target === '') return operation
  return `${VERBS[operation] ?? `${operation} of`} ${target}`
}

export interface Replies {
  /** From the service; absent if the request never arrived, or is not answered yet. */
  readonly reply?: Reply | undefined
  readonly received: Reply | 'hangUp'
  /** The token of the tenure that replaced this one. */
  readonly successor?: number | undefined
}

/** Such as `granted, with token 1795240800001`, `done; but the reply was lost`. */
export function describeResult(call: Call, leaseTable: string, { reply, received, successor }: Replies): string {
  if (reply === undefined) {
    return received === 'hangUp'
      ? 'never arrived'
      : `blocked on its way: ${describeReply(call, leaseTable, received, successor)}`
  }
  const result = describeReply(call, leaseTable, reply, successor)
  if (received === 'hangUp') return `${result}; but the reply was lost`
  return received.body === reply.body ? result : `${result}; but the function received another reply`
}

function describeReply(call: Call, leaseTable: string, reply: Reply, successor: number | undefined): string {
  const { body, error } = answerOf(reply)
  const request = leaseRequestOf(call, leaseTable)
  if (error === undefined && request?.kind === 'acquire') {
    const { token, before } = grantOf(request, body)
    const expired = before.holder === undefined ? '' : `: the lease of token ${before.fencingToken} had expired`
    return `granted, with token ${token}${expired}`
  }
  const writes = request === undefined ? writesOf(call, leaseTable) : []
  const isUnguarded = writes.some(({ table, isFenced }) => table !== undefined && !isFenced)
  if (error === undefined && isUnguarded && successor !== undefined) {
    return `done, although token ${successor} has taken over: no fence guards it`
  }
  if (error === undefined) return describeGatewayReply(call, body)
  if (!isRefusal(error)) return error
  const item = property(body, 'Item')
  if (isApplied(call, request, item)) return 'refused, because it was applied before'
  if (request?.kind === 'acquire') return describeRefusedAcquire(item)
  if (successor === undefined || isUnguarded) return 'refused: its condition does not hold'
  return `refused: token ${successor} has taken over`
}

/** Whether the row shows that this request was applied: its reply was lost, and the client repeated it. */
function isApplied({ body }: Call, request: LeaseRequest | undefined, item: unknown): boolean {
  if (request !== undefined) {
    const { attempt, step } = rowOf(item)
    return 'attempt' in request && attempt === request.attempt && (!('step' in request) || step === request.step)
  }
  // A write of `lease.send` carries a number: see functions/election/fencing.ts.
  const sent = (name: string) => JSON.stringify(property(property(body, 'ExpressionAttributeValues'), name))
  const column = (name: string) => property(item, String(property(property(body, 'ExpressionAttributeNames'), name)))
  const step = sent(':tenureStep')
  const stamp = property(property(column('#tenureStep'), 'M'), 'step')
  const isSameTenure = sent(':tenureFence') === JSON.stringify(column('#tenureFence'))
  return step !== undefined && isSameTenure && JSON.stringify(stamp) === step
}

function describeRefusedAcquire(item: unknown): string {
  const { holder, fencingToken, expiresAtMs } = rowOf(item)
  if (holder === undefined) return 'refused: the lease is not available for this tick'
  return `refused: token ${fencingToken} leads${expiresAtMs === undefined ? '' : ` until ${clock(expiresAtMs)}`}`
}

function describeGatewayReply(call: Call, body: unknown): string {
  const errorType = property(body, 'errorType')
  if (call.service === 'lambda' && typeof errorType === 'string') return `failed with ${errorType}`
  const statusCode = gatewayStatusOf(call, body)
  if (statusCode === 402) return 'declined'
  if (statusCode !== undefined && statusCode >= 300) return `HTTP ${statusCode}`
  const isReplayed = property(property(body, 'headers'), 'idempotent-replayed') === 'true'
  return statusCode !== undefined && isReplayed ? 'answered as before, nothing charged' : 'done'
}

/** `21:40:03.120`; the number itself if it is not an instant. */
export function clock(ms: number): string {
  return isInstant(ms) ? clockTime(ms, 'milliseconds') : String(ms)
}
