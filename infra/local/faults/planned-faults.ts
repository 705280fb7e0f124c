/** The planned faults of a billing run: chaos, a killed or a frozen leader, protections switched off. */
import { parseJson, property } from '../../../functions/election/json.ts'
import type { Call, Interceptor } from '../lambda-host/interceptor.ts'
import type { Resources } from '../stack/resources.ts'
import { compose } from './compose.ts'
import type { CallFault, CallKind } from './fault.ts'
import { FaultInjector, type FaultInjectorOptions } from './fault-injector.ts'
import { chaosPlan, freezeAtWorst, killAtWorst, MIN_CHAOS_TICKS } from './plan.ts'
import { type Protection, withoutFence, withoutKey } from './protections.ts'

export interface PlanOptions {
  /** The tick whose leader is killed, or frozen. */
  readonly killLeader: number | undefined
  readonly freezeLeader: number | undefined
  readonly chaos: number | undefined
  readonly without: readonly Protection[]
  readonly ticks: number | undefined
}

export class PlannedFaults {
  readonly gateway = new GatewayWatch()
  readonly intercept: Interceptor
  readonly #options: PlanOptions
  readonly #chaos: readonly CallFault[]
  readonly #injector: FaultInjector

  constructor(options: PlanOptions, places: CallPlaces, injecting: Omit<FaultInjectorOptions, 'kindOf'>) {
    const { chaos, ticks, without } = options
    this.#options = options
    this.#chaos = chaos === undefined ? [] : chaosPlan(chaos, ticks ?? MIN_CHAOS_TICKS)
    this.#injector = new FaultInjector({ ...injecting, kindOf: (call) => callKindOf(call, places) })
    // Faults see what the function sent; the gateway's watch sees what the gateway really receives.
    this.intercept = compose(
      this.#injector.intercept,
      ...(without.includes('fence') ? [withoutFence] : []),
      ...(without.includes('key') ? [withoutKey] : []),
      this.gateway.intercept,
    )
  }

  planned(): number {
    return this.#chaos.length
  }

  tickStarts(number: number, expectedCharges: number): void {
    const { killLeader, freezeLeader } = this.#options
    this.#injector.tickStarts([
      ...this.#chaos.filter(({ tick }) => tick === number),
      ...(number === killLeader ? killAtWorst(number, expectedCharges) : []),
      ...(number === freezeLeader ? freezeAtWorst(number, expectedCharges) : []),
    ])
    this.gateway.tickStarts()
  }

  injected(): readonly CallFault[] {
    return this.#injector.injected()
  }
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
  #answered = new Set<string>()
  #replayedRequests = 0

  readonly intercept: Interceptor = async (call, forward) => {
    const reply = await forward()
    const { method, body: form } = call.body
    if (call.service !== 'lambda' || method !== 'POST' || typeof form !== 'string') return reply
    const response = parseJson(reply.body)
    const statusCode = property(response, 'statusCode')
    if (statusCode !== 200 && statusCode !== 402) return reply
    this.#answered.add(unitOf(new URLSearchParams(form)))
    if (property(property(response, 'headers'), 'idempotent-replayed') === 'true') this.#replayedRequests += 1
    return reply
  }

  tickStarts(): void {
    this.#answered = new Set()
  }

  /** How many business units of this tick the gateway has charged or declined. */
  answered(): number {
    return this.#answered.size
  }

  /** How many answers of the whole run the gateway repeated from its store. */
  replayedRequests(): number {
    return this.#replayedRequests
  }
}

/** Without `dunned`: a period is charged again under a higher one only at a later tick. */
const unitOf = (order: URLSearchParams): string =>
  JSON.stringify(['customer', 'metadata[plan]', 'metadata[period]'].map((param) => order.get(param)))
