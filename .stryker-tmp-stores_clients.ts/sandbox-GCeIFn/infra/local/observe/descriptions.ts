/** What a request asks for, and its result, in the words of a tenure's log. Times are UTC. */
// @ts-nocheck

import { property } from '../../../functions/election/json.ts'
import { clockTime, isInstant } from '../../../functions/widget/time-words.ts'
import type { Call, Reply } from '../lambda-host/interceptor.ts'
import {
  answerOf,
  gatewayStatusOf,
  grantOf,
  handedOverTo,
  isRefusal,
  type LeaseRequest,
  leaseRequestOf,
  plainName,
  rowOf,
  transferIn,
  writesOf,
} from './wire.ts'

/** Such as `Requests the lease until 21:40:03.120`. */
export function describeRequest(call: Call, leaseTable: string): string {
  const request = leaseRequestOf(call, leaseTable)
  const writes = writesOf(call, leaseTable)
  if (request !== undefined) return describeLease(request, writes.length)
  const to = transferIn(call, leaseTable)
  if (to !== undefined) return `Asks the leader to hand over to ${to}`
  const isFenced = writes.some((write) => write.isFenced)
  return describeOther(call) + (isFenced ? ', unless a newer leader has written it' : '')
}

function describeLease(request: LeaseRequest, others: number): string {
  const writes = `${others} ${others === 1 ? 'write' : 'writes'} of its own`
  const until = 'expiresAtMs' in request ? `the lease until ${clock(request.expiresAtMs)}` : ''
  switch (request.kind) {
    case 'acquire':
      return `Requests ${until}`
    case 'renew':
      return `Renews ${until}`
    case 'saveCheckpoint':
      return `Saves a checkpoint, and renews ${until}`
    case 'proclaim':
      return `Proclaims what it leads with, and renews ${until}`
    case 'advance':
      return `Closes the missed tick ${request.tick}${others === 0 ? '' : `, together with ${writes}`}`
    case 'complete':
      return others === 0 ? 'Completes the tick' : `Completes the tick, together with ${writes}`
    case 'release':
      if (request.endedBy === 'released') {
        const to = handedOverTo(request)
        return to === undefined ? 'Releases the lease' : `Hands the lease over to ${to}`
      }
      if (request.endedBy === 'continued') return 'Hands its work over to a new invocation'
      return `Releases the lease: its task failed${request.errorName === undefined ? '' : ` with ${request.errorName}`}`
    case 'giveBack':
      return 'Gives back a lease that was granted too late'
    case 'guard':
      return `Sends ${writes}, if it still leads`
  }
}

function describeOther({ service, operation, target, body }: Call): string {
  const isGateway = service === 'lambda' && body['method'] !== undefined
  if (isGateway) return body['method'] === 'POST' ? 'Requests a charge from the gateway' : 'Looks up an earlier charge'
  return target === '' ? operation : `${operation} of ${plainName(target)}`
}

export interface Replies {
  /** From the service; absent if the request never arrived, or is not answered yet. */
  readonly reply?: Reply | undefined
  readonly received: Reply | 'hangUp'
  readonly successor?: number | undefined
}

/** Such as `granted, with token 1795240800001`, `done; but the reply was lost`. */
export function describeResult(call: Call, leaseTable: string, { reply, received, successor }: Replies): string {
  const shown = reply ?? received
  if (shown === 'hangUp') return 'never arrived'
  const result = describeReply(call, leaseTable, shown, successor)
  return received === 'hangUp' ? `${result}; but the reply was lost` : result
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
  if (request !== undefined && isApplied(request, item)) return 'refused, because it was applied before'
  if (request?.kind === 'acquire') return describeRefusedAcquire(item)
  if (successor === undefined || isUnguarded) return 'refused: its condition does not hold'
  return `refused: token ${successor} has taken over`
}

/** Whether the row shows that this request was applied: its reply was lost, and the client repeated it. */
function isApplied(request: LeaseRequest, item: unknown): boolean {
  return 'attempt' in request && rowOf(item).attempt === request.attempt
}

function describeRefusedAcquire(item: unknown): string {
  const { holder, fencingToken, expiresAtMs } = rowOf(item)
  if (holder === undefined) return 'refused: the lease is not available for this tick'
  return `refused: token ${fencingToken} leads${expiresAtMs === undefined ? '' : ` until ${clock(expiresAtMs)}`}`
}

function describeGatewayReply(call: Call, body: unknown): string {
  const errorType = property(body, 'errorType')
  if (call.service === 'lambda' && typeof errorType === 'string') return `failed with ${errorType}`
  const statusCode = gatewayStatusOf(call, body) ?? 200
  if (statusCode === 402) return 'declined'
  if (statusCode >= 300) return `HTTP ${statusCode}`
  const isReplayed = property(property(body, 'headers'), 'idempotent-replayed') === 'true'
  return isReplayed ? 'answered as before, nothing charged' : 'done'
}

/** `21:40:03.120`; the number itself if it is not an instant. */
export function clock(ms: number): string {
  return isInstant(ms) ? clockTime(ms, 'milliseconds') : String(ms)
}
