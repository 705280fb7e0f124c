/** The network between the workers and DynamoDB Local: records every request, and applies random faults to some. */
// @ts-nocheck

import { setTimeout as sleep } from 'node:timers/promises'
import { describeLeaseRequest, type LeaseRequest } from '../../../functions/election/stores/describe.ts'
import { pick, type Random } from '../../../infra/programs/random.ts'
import { dropRequest, type Exchange, loseReply, TcpProxy, type WireReply } from '../../support/tcp-proxy.ts'
import { answerIn, LEASE_MS, type RowRequest, rowRequestOf, type Served, senderOf } from './history.ts'

interface Meeting extends Exchange {
  /** Shorter or longer than the client waits, and than a lease. */
  readonly delay: () => Promise<unknown>
  readonly sender: string
}

const FAULTS = {
  'request lost': dropRequest,
  'reply lost': loseReply,
  'request delayed': async ({ forward, reply, delay }) => reply(await delay().then(forward)),
  'reply delayed': async ({ forward, reply, delay }) => {
    const message = await forward()
    await delay()
    reply(message)
  },
  'delivered twice': async ({ forward, reply, delay }) => {
    reply(await forward())
    await delay()
    await forward()
  },
  'sender killed': async ({ forward, hangUp, sender }, { kill }) => {
    await forward()
    kill(sender)
    hangUp()
  },
  'sender frozen': async ({ forward, reply, delay, sender }, { signal }) => {
    const message = await forward()
    signal(sender, 'SIGSTOP')
    reply(message)
    await delay()
    signal(sender, 'SIGCONT')
  },
} satisfies Record<string, (meeting: Meeting, options: NetworkOptions) => Promise<void> | void>
export const NETWORK_FAULTS = Object.keys(FAULTS).filter((name): name is keyof typeof FAULTS => name in FAULTS)

interface NetworkOptions {
  /** DynamoDB Local's. */
  readonly endpoint: string
  readonly leaseTable: string
  readonly random: Random
  readonly kill: (who: string) => void
  readonly signal: (who: string, signal: 'SIGSTOP' | 'SIGCONT') => void
}

/** Most acquires are refused: a fault shows little there. */
const CHANCE_OF_A_FAULT = { acquire: 0.02, other: 0.12, frozenWriter: 0.06 } as const
/** The longest that a writer is frozen. */
const LONGEST_SLEEP_MS = 4 * LEASE_MS

export class Network {
  readonly onLease: Served<LeaseRequest>[] = []
  readonly onRow: Served<RowRequest>[] = []
  readonly faults = new Map<keyof typeof FAULTS, number>()
  /** By a leader that froze before it and was replaced. */
  staleWrites = 0
  /** Errors that no fault explains. */
  readonly problems: string[] = []
  readonly #proxy: TcpProxy
  readonly #options: NetworkOptions
  readonly #underWay = new Set<Promise<void>>()

  private constructor(proxy: TcpProxy, options: NetworkOptions) {
    this.#proxy = proxy
    this.#options = options
    const carry = (exchange: Exchange) => this.#track(this.#carry(exchange))
    proxy.meet(() => true, carry, Number.POSITIVE_INFINITY)
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
    const sender = senderOf(exchange.request)
    const forward = () => this.#forward(exchange, sender)
    const { leaseTable, random } = this.#options
    const { operation, body } = exchange.request
    const kind = describeLeaseRequest(operation, body, leaseTable)?.kind ?? rowRequestOf(exchange.request).kind
    if (kind === 'write' && random() < CHANCE_OF_A_FAULT.frozenWriter) {
      return await this.#freezeWriter({ ...exchange, forward }, sender)
    }
    if (random() >= (kind === 'acquire' ? CHANCE_OF_A_FAULT.acquire : CHANCE_OF_A_FAULT.other))
      return exchange.reply(await forward())
    const fault = pick(random, NETWORK_FAULTS)
    const delay = () => sleep(LEASE_MS * (0.1 + 1.5 * random()))
    await FAULTS[fault]({ ...exchange, forward, delay, sender }, this.#options)
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
  }

  /** A leader stops right before its write, and goes on after another has written the row. */
  async #freezeWriter({ forward, reply }: Exchange, sender: string): Promise<void> {
    const from = this.onRow.length
    const isSucceeded = () =>
      this.onRow.slice(from).some(({ who, request }) => who !== sender && request.kind === 'write')
    const untilMs = performance.now() + LONGEST_SLEEP_MS
    this.#options.signal(sender, 'SIGSTOP')
    while (!isSucceeded() && performance.now() < untilMs) await sleep(10)
    if (isSucceeded()) this.staleWrites++
    const answer = await forward()
    this.#options.signal(sender, 'SIGCONT')
    reply(answer)
  }

  async #forward({ request, forward }: Exchange, who: string): Promise<WireReply> {
    const sentAtMs = performance.now()
    const reply = await forward()
    const served = { who, sentAtMs, answeredAtMs: performance.now(), ...answerIn(reply) }
    const leaseRequest = describeLeaseRequest(request.operation, request.body, this.#options.leaseTable)
    if (leaseRequest === undefined) this.onRow.push({ request: rowRequestOf(request), ...served })
    else this.onLease.push({ request: leaseRequest, ...served })
    return reply
  }
}
