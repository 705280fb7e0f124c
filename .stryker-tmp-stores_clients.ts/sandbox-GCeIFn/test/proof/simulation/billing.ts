/** The billing example as the leaders' task: subscriptions fall due, and each must be charged exactly once. */
// @ts-nocheck

import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { chargeDue } from '../../../functions/billing/charge-due.ts'
import { GatewayOutcomeUnknownError } from '../../../functions/billing/gateway.ts'
import { chargesTable } from '../../../functions/billing/ledger.ts'
import { stripeGateway } from '../../../functions/billing/stripe-gateway.ts'
import { subscriptionsTable } from '../../../functions/billing/subscriptions.ts'
import type { Transport } from '../../../functions/billing/transports.ts'
import type { Lease } from '../../../functions/election/index.ts'
import { property } from '../../../functions/election/json.ts'
import { readRow } from '../../../functions/election/testing/dynamodb/values.ts'
import type { GatewayResponse } from '../../../functions/sandbox/message.ts'
import { sandbox } from '../../../functions/sandbox/sandbox.ts'
import { chargesOf } from '../../../functions/sandbox/store.ts'
import { subscribe } from '../../../infra/local/billing/subscriptions.ts'
import { changedLease } from '../../billing/scene.ts'
import { memoryStore } from '../../support/sandbox-memory.ts'
import { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import { textOf } from './records.ts'
import type { World } from './world.ts'

const SUBSCRIPTIONS = 'subscriptions'
const CHARGES = 'charges'
const DUE = { name: 'due', partitionKey: 'dueShard', sortKey: 'dueAt', projection: 'KEYS_ONLY' } as const

/** Test cards; functions/sandbox/cards.ts says what the sandbox does with them. */
const CHARGED = 'card_4242424242424242'
const FAILING_AT_FIRST = ['card_4000000000005001', 'card_4000000000005019', 'card_4000000000005027'] as const

/** The time-out of the shipped transport to the sandbox. */
const TIMEOUT_MS = 5_000
/** The longest that a request is under way. */
const LATEST_MS = 40_000
/** Longer than any copy is under way. The second try of an event comes within it, the third does not. */
const KEY_WINDOW_MS = 100_000

export class Billing {
  readonly #world: World
  readonly #store = memoryStore()
  readonly #gateway: SimulatedProcess
  readonly #sandbox: ReturnType<typeof sandbox>
  /** Each period that is due, and its price: like 'cus_1_1 plus 2026-11-21' and '1999 EUR'. */
  readonly #due = new Map<string, string>()

  constructor(world: World) {
    this.#world = world
    const { database, timeline, setting } = world
    database.createTable({ name: SUBSCRIPTIONS, partitionKey: 'customer', sortKey: 'plan', indexes: [DUE] })
    database.createTable({ name: CHARGES, partitionKey: 'customer', sortKey: 'charge' })
    this.#gateway = new SimulatedProcess('gateway', timeline, setting.seed, 0)
    const { sleep } = this.#gateway.clock
    this.#sandbox = sandbox({ keyWindowMs: KEY_WINDOW_MS, store: this.#store, now: () => timeline.nowMs, sleep })
  }

  /** Adds one or two subscriptions that are due at once. One of them may have missed a week. */
  addDueSubscriptions(tick: number): void {
    const { seed, ticks } = this.#world.setting
    const mayFail = tick < ticks - 1 // the last ticks must settle what is left
    const random = new Random(seed, `subscriptions of t${tick}`)
    for (let nth = 1; nth <= random.between(1, 2); nth++) {
      const fails = mayFail && random.chance(300)
      const subscription = subscribe({
        ...{ customer: `cus_${tick}_${nth}`, name: 'Ada Sato', plan: 'plus', interval: 'week', timeZone: 'Etc/UTC' },
        priceMinor: random.between(100, 99_999),
        currency: random.pick('EUR', 'JPY', 'USD'),
        dueDate: random.pick('2026-11-21', '2026-11-21', '2026-11-20', '2026-11-14'),
        paymentMethod: fails ? random.pick(...FAILING_AT_FIRST) : CHARGED,
      })
      this.#world.database.put(SUBSCRIPTIONS, readRow(marshall(subscription)))
      const { period, priceMinor, currency } = subscription
      const periods = period === '2026-11-14' ? [period, '2026-11-21'] : [period]
      for (const due of periods) this.#due.set(unitOf({ ...subscription, period: due }), `${priceMinor} ${currency}`)
    }
  }

  async perform(lease: Lease, client: DynamoDBDocumentClient, process: SimulatedProcess): Promise<string> {
    const { tick = '' } = lease
    const { charged, declined } = await chargeDue({
      // The watch over checkpoints reads their tick.
      lease: changedLease(lease, {
        checkpoint: property(lease.checkpoint, 'progress'),
        saveCheckpoint: (progress) => lease.saveCheckpoint({ tick, progress }),
      }),
      pageSize: 1,
      tick,
      subscriptions: subscriptionsTable(client, SUBSCRIPTIONS),
      gateway: stripeGateway(this.#transportOf(process)),
      ledger: chargesTable(CHARGES),
      log: { info: () => undefined, warn: () => undefined },
      now: () => process.wallMs(),
    })
    return `${charged} charged, ${declined} declined`
  }

  /** At any time: every charge was due, and was made once. */
  checkCharges(): void {
    const charged = new Set<string>()
    for (const charge of this.#store.rows().flatMap(chargesOf)) {
      const [unit, amount] = [unitOf(charge), `${charge.amountMinor} ${charge.currency}`]
      if (charged.has(unit)) this.#world.wrong(`${unit} was charged twice`)
      charged.add(unit)
      if (this.#due.get(unit) !== amount) this.#world.wrong(`${unit} was charged ${amount}, which was not due`)
    }
  }

  /** At the end: everything due is charged, and settled in the ledger. */
  checkLedger(): void {
    const charged = new Set(this.#store.rows().flatMap(chargesOf).map(unitOf))
    for (const unit of this.#due.keys()) if (!charged.has(unit)) this.#world.wrong(`${unit} was never charged`)
    for (const { customer, status } of this.#world.database.rows(CHARGES)) {
      if (textOf(status) !== 'charged') this.#world.wrong(`the ledger has ${textOf(status)} for ${textOf(customer)}`)
    }
  }

  /** Like the shipped transports. The connection loses and copies requests; if it breaks, the request is sent again. */
  #transportOf(process: SimulatedProcess): Transport {
    const { timeline, faults, setting } = this.#world
    let requests = 0
    return (request, { signal, beforeSend }) => {
      beforeSend?.()
      const place = `${process.invocation} gateway ${++requests}`
      const usual = new Random(setting.seed, `journey of ${place}`)
      const [thereMs, backMs] = [usual.between(5, 60), usual.between(5, 60)]
      const random = faults.draw('gateway fails', place)
      const fault = random?.pick('request lost', 'connection lost', 'copied')
      return new Promise((resolve, reject) => {
        const noAnswer = new GatewayOutcomeUnknownError('The outcome at the gateway is unknown: no answer in time')
        timeline.after(TIMEOUT_MS, process, () => reject(noAnswer))
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        const answer = (response: GatewayResponse) =>
          timeline.after(backMs, process, () => {
            const isReplayed = response.headers['idempotent-replayed'] === 'true'
            this.#world.reached('charge answered again under its key', isReplayed)
            resolve(response)
          })
        const dropped = () => undefined
        const arrive = (afterMs: number, reply: (response: GatewayResponse) => void) =>
          timeline.after(afterMs, this.#gateway, () => void this.#sandbox(request).then(reply))
        if (fault !== 'request lost') arrive(thereMs, fault === 'connection lost' ? dropped : answer)
        if (fault === 'connection lost') {
          timeline.after(thereMs + backMs, process, () => signal.aborted || arrive(thereMs, answer)) // sent again
        }
        if (fault === 'copied') arrive(random?.spread(thereMs, LATEST_MS) ?? thereMs, dropped)
      })
    }
  }
}

function unitOf({ customer, plan, period }: { readonly [Name in 'customer' | 'plan' | 'period']?: unknown }): string {
  return `${customer} ${plan} ${period}`
}
