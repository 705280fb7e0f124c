/** The planned faults of a billing run: chaos, a killed or a frozen leader, protections switched off. */
import { property } from '../../../functions/json.ts'
import type { Call, Interceptor } from '../lambda-host/interceptor.ts'
import { GatewayWatch } from '../observe/gateway-watch.ts'
import type { Places } from '../stack/resources.ts'
import { compose } from './compose.ts'
import type { CallFault, CallKind } from './fault.ts'
import { FaultInjector, type FaultInjectorOptions } from './fault-injector.ts'
import { chaosPlan, freezeAtWorst, killAtWorst, MIN_CHAOS_TICKS } from './plan.ts'
import { type Protection, withoutFence, withoutKey } from './protections.ts'

export interface PlanOptions {
  /** The tick whose leader is killed, or frozen. */
  readonly killLeader: number | undefined
  readonly freezeLeader: number | undefined
  /** The seed of a chaos plan. */
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

  /** How many faults the chaos plan has. */
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

type CallPlaces = Pick<Places, 'leaseTable' | 'subscriptionsTable' | 'chargesTable'>

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
