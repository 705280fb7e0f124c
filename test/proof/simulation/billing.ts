/** The billing example as the leaders' task: subscriptions fall due, and each must be charged exactly once. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { chargeDue } from '../../../functions/billing/charge-due.ts'
import { GatewayOutcomeUnknownError } from '../../../functions/billing/gateway.ts'
import { chargesTable } from '../../../functions/billing/ledger.ts'
import { stripeGateway } from '../../../functions/billing/stripe-gateway.ts'
import { subscriptionsTable } from '../../../functions/billing/subscriptions.ts'
import type { Transport } from '../../../functions/billing/transports.ts'
import type { Lease } from '../../../functions/election/index.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { isObject, readRow } from '../../../functions/election/testing/dynamodb/values.ts'
import type { GatewayResponse } from '../../../functions/sandbox/message.ts'
import { sandbox } from '../../../functions/sandbox/sandbox.ts'
import { chargesOf } from '../../../functions/sandbox/store.ts'
import { subscribe } from '../../../infra/local/billing/subscriptions.ts'
import { memoryStore } from '../../support/sandbox-memory.ts'
import { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import { type Exchange, placeholder, textOf } from './records.ts'
import type { World } from './world.ts'

const SUBSCRIPTIONS = 'subscriptions'
const CHARGES = 'charges'
const DUE = { name: 'due', partitionKey: 'dueShard', sortKey: 'dueAt', projection: 'KEYS_ONLY' } as const

/** Test cards; functions/sandbox/cards.ts says what the sandbox does with them. */
const CHARGED = 'card_4242424242424242'
const DECLINED = 'card_4000000000000002'
const UNUSUAL_CARDS = ['card_4000000000005001', 'card_4000000000005019', 'card_4000000000005027', DECLINED] as const

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
  /** Each period that is due, and what happens to it: like 'cus_1_1 plus 2026-11-21' and '1999 EUR'. */
  readonly #due = new Map<string, string>()
  /** Charges of unknown outcome, by their key in the ledger. */
  readonly #unknown = new Set<string>()

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
    const mayBeUnusual = tick < ticks - 1 // the last ticks must settle what is left
    const random = new Random(seed, `subscriptions of t${tick}`)
    for (let nth = 1; nth <= random.between(1, 2); nth++) {
      const isUnusual = mayBeUnusual && random.chance(300)
      const subscription = subscribe({
        ...{ customer: `cus_${tick}_${nth}`, name: 'Ada Sato', plan: 'plus', interval: 'week', timeZone: 'Etc/UTC' },
        priceMinor: random.between(100, 99_999),
        currency: random.pick('EUR', 'JPY', 'USD'),
        dueDate: random.pick('2026-11-21', '2026-11-21', '2026-11-20', '2026-11-14'),
        paymentMethod: isUnusual ? random.pick(...UNUSUAL_CARDS) : CHARGED,
      })
      this.#world.database.put(SUBSCRIPTIONS, readRow(marshall(subscription)))
      const { period, priceMinor, currency, paymentMethod } = subscription
      const isDeclined = paymentMethod === DECLINED
      const periods = period === '2026-11-14' && !isDeclined ? [period, '2026-11-21'] : [period]
      for (const due of periods) {
        this.#due.set(unitOf({ ...subscription, period: due }), isDeclined ? 'declined' : `${priceMinor} ${currency}`)
      }
    }
  }

  async perform(lease: Lease, client: DynamoDBDocumentClient, process: SimulatedProcess): Promise<string> {
    const { charged, declined } = await chargeDue({
      lease,
      tick: lease.tick ?? '',
      subscriptions: subscriptionsTable(client, SUBSCRIPTIONS),
      gateway: stripeGateway(this.#transportOf(process)),
      ledger: chargesTable(CHARGES),
      log: { info: () => undefined, warn: () => undefined },
      now: () => process.wallMs(),
    })
    return `${charged} charged, ${declined} declined`
  }

  applied({ body }: Exchange, { status }: Answer): void {
    const key = body['Key']
    if (body['TableName'] !== CHARGES || status !== 200 || !isObject(key)) return
    const id = `${textOf(key['customer'])} ${textOf(key['charge'])}`
    const written = placeholder(body, ':status')
    if (written === 'unknown') this.#unknown.add(id)
    else if (written !== 'intended' && this.#unknown.delete(id)) {
      this.#world.reached('charge of unknown outcome settled by a later try')
    }
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

  /** At the end: everything due is charged or declined, and the ledger agrees. */
  checkLedger(): void {
    const ids = new Map(
      this.#store
        .rows()
        .flatMap(chargesOf)
        .map((charge) => [unitOf(charge), charge.id]),
    )
    const ledger = new Map(
      this.#world.database.rows(CHARGES).map((row) => {
        const read = (name: string) => textOf(row[name])
        const unit = unitOf({ customer: read('customer'), plan: read('plan'), period: read('period') })
        return [unit, read('status') === 'charged' ? read('chargeId') : read('status')]
      }),
    )
    for (const [unit, due] of this.#due) {
      const expected = due === 'declined' ? due : (ids.get(unit) ?? 'a charge at the gateway')
      const found = ledger.get(unit)
      if (found !== expected) this.#world.wrong(`the ledger has ${found} for ${unit} instead of ${expected}`)
      ledger.delete(unit)
    }
    for (const unit of ledger.keys()) this.#world.wrong(`the ledger has ${unit}, which was not due`)
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
