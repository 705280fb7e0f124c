/** Injects the planned faults of a billing run: it counts the calls of a tick by kind, and hits the planned ones. */
// @ts-nocheck

import { setTimeout as sleep } from 'node:timers/promises'
import { parseJson, property } from '../../../functions/election/json.ts'
import { type Call, compose, type Interceptor, type Reply } from '../lambda-host/interceptor.ts'
import type { Processes } from '../lambda-host/lambda-host.ts'
import { dynamodbError } from '../lambda-host/services.ts'
import type { Resources } from '../stack/resources.ts'
import { type CallFault, type CallKind, isPlannedAt } from './fault.ts'
import type { Plan } from './plan.ts'
import { type Protection, withoutFence, withoutKey } from './protections.ts'

export interface Injecting {
  readonly processes: Processes
  /** Invokes another candidate of this request's tick again, and settles when that has ended. */
  readonly deliverAgain: (requestId: string) => Promise<void>
  /** How long after its last renewal a lease can be acquired by another candidate. */
  readonly pastLeaseMs: number
  readonly signal: AbortSignal
}

export interface PlannedFaultsOptions extends Injecting {
  readonly plan: Pick<Plan, 'faultsOf'>
  readonly without: readonly Protection[]
  readonly places: CallPlaces
  readonly onFault: (fault: CallFault, requestId: string) => void
}

export type Forward = () => Promise<Reply>

export class PlannedFaults {
  readonly gateway = new GatewayWatch()
  readonly intercept: Interceptor
  readonly #options: PlannedFaultsOptions
  readonly injected: CallFault[] = []
  readonly #counts = new Map<CallKind, number>()
  #planned: readonly CallFault[] = []

  constructor(options: PlannedFaultsOptions) {
    const { without } = options
    this.#options = options
    // Faults see what the function sent; the gateway's watch sees what the gateway really receives.
    this.intercept = compose(
      this.#hit,
      ...(without.includes('fence') ? [withoutFence] : []),
      ...(without.includes('key') ? [withoutKey] : []),
      this.gateway.intercept,
    )
  }

  tickStarts(number: number, expectedCharges: number): void {
    this.#planned = this.#options.plan.faultsOf(number, expectedCharges)
    this.#counts.clear()
    this.gateway.answered.clear()
  }

  readonly #hit: Interceptor = async (call, forward) => {
    const kind = callKindOf(call, this.#options.places)
    if (kind === undefined) return forward()
    const nth = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, nth)
    const fault = this.#planned.find((one) => isPlannedAt(one, kind, nth))
    return fault === undefined ? forward() : this.#apply(fault, call, () => forward())
  }

  async #apply(fault: CallFault, call: Call, forward: Forward): Promise<Reply | 'hangUp'> {
    if ('when' in fault) {
      const reply = fault.when === 'before' ? undefined : await forward()
      if (fault.do === 'freezeLeader') await this.#freeze(fault, call)
      else if (await this.#options.processes.kill(call.requestId)) {
        this.#note(fault, call)
        return 'hangUp'
      }
      return reply ?? forward()
    }
    this.#note(fault, call)
    switch (fault.do) {
      case 'dropReply':
        await forward()
        // The SDK would retry a lost connection to Lambda; a proxy before a real gateway answers 504.
        return call.service === 'lambda' ? gatewayReply(504) : 'hangUp'
      case 'dropRequest':
        return 'hangUp'
      case 'throttle':
        return dynamodbError('ThrottlingException', 'Rate of requests exceeds the allowed throughput.')
      case 'refuse':
        return gatewayReply(503)
    }
  }

  async #freeze(fault: CallFault, call: Call): Promise<void> {
    const { processes, pastLeaseMs, signal, deliverAgain } = this.#options
    const { requestId } = call
    if (!processes.freeze(requestId)) return
    this.#note(fault, call)
    await sleep(pastLeaseMs, undefined, { signal }).catch(() => {})
    if (!signal.aborted) await deliverAgain(requestId)
    processes.thaw(requestId)
  }

  #note(fault: CallFault, { requestId }: Call): void {
    if (this.injected.includes(fault)) return // one of several throttled calls
    this.injected.push(fault)
    this.#options.onFault(fault, requestId)
  }
}

function gatewayReply(statusCode: number): Reply {
  const headers = { 'content-type': 'application/json' }
  const response = { statusCode, headers, body: '{"error":{"type":"api_error"}}' }
  return { statusCode: 200, headers, body: JSON.stringify(response) }
}

type CallPlaces = Pick<Resources, 'leaseTable' | 'subscriptionsTable' | 'chargesTable'>

/** Undefined for calls at which no fault is planned: queries, lookups at the gateway, the gateway's own writes. */
export function callKindOf({ service, operation, target, body }: Call, places: CallPlaces): CallKind | undefined {
  if (service === 'lambda') return body['method'] === 'POST' ? 'charge' : undefined
  if (operation !== 'UpdateItem') return undefined
  const returnsRow = body['ReturnValues'] === 'ALL_NEW' // a claim and an intent continue with the row
  switch (target) {
    case places.leaseTable:
      return 'lease'
    case places.subscriptionsTable:
      return returnsRow ? 'claim' : 'move'
    case places.chargesTable: {
      if (returnsRow) return 'intent'
      const status = property(property(body['ExpressionAttributeValues'], ':status'), 'S')
      return status === 'unknown' ? 'unknown' : 'answer'
    }
    default:
      return undefined
  }
}

/** Counts the gateway's answers on the wire, behind all faults, for the progress of a tick. */
export class GatewayWatch {
  /** The business units of this tick that the gateway has charged or declined. */
  readonly answered = new Set<string>()
  /** Answers of the whole run that the gateway repeated from its store. */
  replayedRequests = 0

  readonly intercept: Interceptor = async (call, forward) => {
    const reply = await forward()
    const { method, body: form } = call.body
    if (call.service !== 'lambda' || method !== 'POST' || typeof form !== 'string') return reply
    const response = parseJson(reply.body)
    const statusCode = property(response, 'statusCode')
    if (statusCode !== 200 && statusCode !== 402) return reply
    this.answered.add(unitOf(new URLSearchParams(form)))
    if (property(property(response, 'headers'), 'idempotent-replayed') === 'true') this.replayedRequests += 1
    return reply
  }
}

/** Without `dunned`: a period is charged again under a higher one only at a later tick. */
const unitOf = (order: URLSearchParams): string =>
  JSON.stringify(['customer', 'metadata[plan]', 'metadata[period]'].map((param) => order.get(param)))
