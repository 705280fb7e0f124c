/** Invocations of billing that die after a given number of requests, and a small Lambda that retries them. */
// @ts-nocheck

import type { BillingResult, ChargeDueOptions } from '../../functions/billing/charge-due.ts'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { type Clock, systemClock } from '../../functions/election/clock.ts'
import { type ContinueBy, HandOverRequestedError, type Outcome } from '../../functions/election/index.ts'
import { parseJson, property } from '../../functions/election/json.ts'
import { describeLeaseRequest } from '../../functions/election/stores/describe.ts'
import { simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'
import { lambdaContext } from '../../functions/election/testing/lambda-context.ts'
import { changedLease, type Scene, setScene, TICK } from './scene.ts'

export const PAGE = 2
/** The hand-over is requested during this charge of an invocation. */
const LAST_CHARGE = 5

/** Counts the requests of processes, and kills the one that sends them after a number of them. */
export class KillSwitch {
  requests = 0
  #killAfter = Number.POSITIVE_INFINITY
  #died = Promise.withResolvers<'died'>()

  /** @returns when the process died */
  arm(killAfter: number): Promise<'died'> {
    this.requests = 0
    this.#killAfter = killAfter
    this.#died = Promise.withResolvers()
    return this.#died.promise
  }

  /** A dead process sends and receives nothing: its promises never settle. */
  async pass<T>(request: () => Promise<T>): Promise<T> {
    if (this.requests >= this.#killAfter) return never()
    const reply = await request()
    this.requests++
    if (this.requests < this.#killAfter) return reply
    this.#died.resolve('died')
    return never()
  }
}

const DECODER = new TextDecoder()
const never = <T>(): Promise<T> => new Promise(() => {})
/** The timers of a process die with it. */
const mortalClock: Clock = { ...systemClock, sleep: never }

export interface MortalScene extends Scene {
  /** How often each customer was claimed. */
  readonly claims: Map<string, number>
  /** Requests to complete the tick that were answered. */
  completions: number
}

export async function mortalScene(
  subscriptions: readonly Subscription[],
  killSwitch: KillSwitch,
): Promise<MortalScene> {
  const intercept = <T>(_request: unknown, answer: () => Promise<T>) => killSwitch.pass(answer)
  const scene = await setScene(simulatedClient(), subscriptions, { intercept })
  const mortal: MortalScene = { ...scene, claims: new Map(), completions: 0 }
  // 'deserialize' sees each try of a request, as it goes over the wire.
  scene.client.middlewareStack.add(
    (next) => (args) =>
      killSwitch.pass(async () => {
        const reply = await next(args)
        const sent = property(args.request, 'body')
        const body = parseJson(sent instanceof Uint8Array ? DECODER.decode(sent) : String(sent))
        const customer = property(property(property(body, 'Key'), 'customer'), 'S')
        const isClaim = property(body, 'ConditionExpression')?.toString().includes('#status = :active')
        if (isClaim) mortal.claims.set(String(customer), (mortal.claims.get(String(customer)) ?? 0) + 1)
        const request = describeLeaseRequest('UpdateItem', Object(body), scene.tables.leaseTable)
        if (request?.kind === 'complete') mortal.completions++
        return reply
      }),
    { step: 'deserialize' },
  )
  killSwitch.requests = 0
  return mortal
}

interface Event {
  readonly requestId: string
  readonly continuation?: string
  readonly tries?: number
}

export type Ended = Outcome<BillingResult> | Error | 'died'

/** Works as Lambda: tries each event up to three times. @returns how each invocation ended */
export async function invokeAll(
  scene: Scene,
  killSwitch: KillSwitch,
  { killAfter = Number.POSITIVE_INFINITY, copies = 1, retryFirst = false },
): Promise<Ended[]> {
  const ends: Ended[] = []
  let died = killSwitch.arm(killAfter)
  const events: Event[] = [{ requestId: 'request-1' }]
  for (let event = events.shift(); event !== undefined; event = events.shift()) {
    const { requestId, continuation, tries = 1 } = event
    const continueBy: ContinueBy = ({ id }) =>
      killSwitch.pass(async () => {
        const next = { requestId: `request-${id}`, continuation: id }
        events.push(...Array.from({ length: copies }, () => next))
      })
    const context = lambdaContext({ awsRequestId: requestId })
    const options = { clock: mortalClock, context, continueBy, ...(continuation === undefined ? {} : { continuation }) }
    const led = scene.lead(TICK, handingOver, options).catch((error: Error) => error)
    const ended = await Promise.race([died, led])
    ends.push(ended)
    if (ended === 'died') {
      died = killSwitch.arm(Number.POSITIVE_INFINITY)
      await scene.expireLease()
    }
    if ((ended === 'died' || ended instanceof Error) && tries < 3) {
      events.splice(retryFirst ? 0 : events.length, 0, { ...event, tries: tries + 1 })
    }
  }
  return ends
}

/** One worker, which is asked to hand over during a charge. */
function handingOver({ lease, gateway }: ChargeDueOptions) {
  const asked = new AbortController()
  let charges = 0
  const charge: typeof gateway.charge = (...args) => {
    charges++
    if (charges === LAST_CHARGE) {
      asked.abort(new HandOverRequestedError('about to end', { lease: 'billing', reason: 'deadline' }))
    }
    return gateway.charge(...args)
  }
  const signal = AbortSignal.any([lease.signal, asked.signal])
  return {
    ...{ concurrency: 1, pageSize: PAGE },
    lease: changedLease(lease, { signal }),
    gateway: { ...gateway, charge },
  }
}
