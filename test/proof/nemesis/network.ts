/** The network between the workers and DynamoDB Local: records every request, and lets random faults meet some of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import { pick, type Random } from '../../../infra/programs/random.ts'
import { answerError, dropRequest, type Exchange, type Fault, loseReply, TcpProxy } from '../../support/tcp-proxy.ts'
import { answerIn, leaseRequestOf, type RowRequest, rowRequestOf, type Served, senderOf } from './history.ts'

export const NETWORK_FAULTS = [
  ...(['request lost', 'reply lost', 'request delayed', 'reply delayed', 'delivered twice'] as const),
  ...(['throttled', 'error after it was applied', 'sender killed', 'sender frozen'] as const),
]
export type NetworkFault = (typeof NETWORK_FAULTS)[number]

export interface NetworkOptions {
  /** DynamoDB Local's. */
  readonly endpoint: string
  readonly leaseTable: string
  readonly leaseMs: number
  readonly random: Random
  /** False if it cannot be killed now. */
  readonly kill: (who: string) => boolean
  readonly signal: (who: string, signal: 'SIGSTOP' | 'SIGCONT') => void
}

/** Most acquires are refused: a fault shows little there. */
const CHANCE_OF_A_FAULT = { acquire: 0.02, other: 0.12 } as const
const throttle = answerError('ThrottlingException', 'by the nemesis')
const fail = answerError('InternalServerError', 'by the nemesis', { status: 500 })

export class Network {
  readonly onLease: Served<LeaseRequest>[] = []
  readonly onRow: Served<RowRequest>[] = []
  readonly faults = new Map<NetworkFault, number>()
  /** What no fault explains. */
  readonly problems: string[] = []
  readonly #proxy: TcpProxy
  readonly #options: NetworkOptions
  readonly #underWay = new Set<Promise<void>>()

  private constructor(proxy: TcpProxy, options: NetworkOptions) {
    this.#proxy = proxy
    this.#options = options
    proxy.meet(
      () => true,
      (exchange) => this.#track(this.#carry(exchange)),
      Number.POSITIVE_INFINITY,
    )
  }

  static async start(options: NetworkOptions): Promise<Network> {
    return new Network(await TcpProxy.start(options.endpoint), options)
  }

  get endpoint(): string {
    return this.#proxy.endpoint
  }

  /** Resolves when all delayed requests have arrived, and closes the proxy. The workers must have ended. */
  async stop(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
    await this.#proxy.stop()
  }

  async #track(work: Promise<void>): Promise<void> {
    const settled = work
      .catch((error: unknown) => void this.problems.push(String(error)))
      .finally(() => this.#underWay.delete(settled))
    this.#underWay.add(settled)
    await settled
  }

  async #carry(exchange: Exchange): Promise<void> {
    const who = senderOf(exchange.request)
    const forward = () => this.#forward(exchange, who)
    const { random, leaseTable } = this.#options
    const isAcquire = leaseRequestOf(exchange.request, leaseTable)?.kind === 'acquire'
    const isMet = random() < (isAcquire ? CHANCE_OF_A_FAULT.acquire : CHANCE_OF_A_FAULT.other)
    const fault = isMet ? pick(random, NETWORK_FAULTS) : undefined
    if (fault === undefined) return exchange.reply(await forward())
    await this.#faultOf(fault, who)({ ...exchange, forward })
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
  }

  #faultOf(name: NetworkFault, who: string): Fault {
    const { leaseMs, random, kill, signal } = this.#options
    const delayMs = leaseMs * (0.1 + 1.5 * random()) // shorter and longer than the client waits, and than a lease
    switch (name) {
      case 'request lost':
        return dropRequest
      case 'reply lost':
        return loseReply
      case 'request delayed':
        return async ({ forward, reply }) => {
          await sleep(delayMs)
          reply(await forward())
        }
      case 'reply delayed':
        return async ({ forward, reply }) => {
          const bytes = await forward()
          await sleep(delayMs)
          reply(bytes)
        }
      case 'delivered twice':
        return async ({ forward, reply }) => {
          reply(await forward())
          await sleep(delayMs)
          await forward()
        }
      case 'throttled':
        return throttle
      case 'error after it was applied':
        return async (exchange) => {
          await exchange.forward()
          await fail(exchange)
        }
      case 'sender killed':
        return async ({ forward, hangUp }) => {
          await forward()
          kill(who)
          hangUp()
        }
      case 'sender frozen':
        return async ({ forward, reply }) => {
          const bytes = await forward()
          signal(who, 'SIGSTOP')
          reply(bytes)
          await sleep(delayMs)
          signal(who, 'SIGCONT')
        }
    }
  }

  async #forward({ request, forward }: Exchange, who: string): Promise<Buffer> {
    const sentAtMs = performance.now()
    const reply = await forward()
    const served = { who, sentAtMs, answeredAtMs: performance.now(), ...answerIn(reply) }
    const leaseRequest = leaseRequestOf(request, this.#options.leaseTable)
    if (leaseRequest === undefined) this.onRow.push({ request: rowRequestOf(request), ...served })
    else this.onLease.push({ request: leaseRequest, ...served })
    return reply
  }
}
