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
import type { GatewayRequest, GatewayResponse } from '../../../functions/sandbox/message.ts'
import { type Sandbox, sandbox } from '../../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxCharge } from '../../../functions/sandbox/store.ts'
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

interface Expected {
  readonly amountMinor: number
  readonly currency: string
  readonly isDeclined: boolean
}

export class Billing {
  readonly #world: World
  readonly #gateway: SimulatedGateway
  /** Due payments by customer, plan and period. */
  readonly #expected = new Map<string, Expected>()
  /** Charges of unknown outcome, by their key in the ledger. */
  readonly #unknown = new Set<string>()

  constructor(world: World) {
    this.#world = world
    this.#gateway = new SimulatedGateway(world)
    const { database } = world
    database.createTable({ name: SUBSCRIPTIONS, partitionKey: 'customer', sortKey: 'plan', indexes: [DUE] })
    database.createTable({ name: CHARGES, partitionKey: 'customer', sortKey: 'charge' })
  }

  /** Adds one or two subscriptions that are due at once. One of them may have missed a week. */
  addDueSubscriptions(tick: number): void {
    const { seed, ticks } = this.#world.setting
    const mayBeUnusual = tick < ticks - 1 // the last ticks must settle what is left
    const random = new Random(seed, `subscriptions of t${tick}`)
    for (let nth = 1; nth <= random.between(1, 2); nth++) {
      const isUnusual = mayBeUnusual && random.chance(300)
      const subscription = subscribe({
        customer: `cus_${tick}_${nth}`,
        name: 'Ada Sato',
        plan: 'plus',
        interval: 'week',
        priceMinor: random.between(100, 99_999),
        currency: random.pick('EUR', 'JPY', 'USD'),
        dueDate: random.pick('2026-11-21', '2026-11-21', '2026-11-20', '2026-11-14'),
        timeZone: 'Etc/UTC',
        paymentMethod: isUnusual ? random.pick(...UNUSUAL_CARDS) : CHARGED,
      })
      this.#world.database.put(SUBSCRIPTIONS, readRow(marshall(subscription)))
      const { customer, plan, period, priceMinor, currency, paymentMethod } = subscription
      const isDeclined = paymentMethod === DECLINED
      const periods = period === '2026-11-14' && !isDeclined ? [period, '2026-11-21'] : [period]
      for (const due of periods) {
        this.#expected.set(`${customer} ${plan} ${due}`, { amountMinor: priceMinor, currency, isDeclined })
      }
    }
  }

  async perform(lease: Lease, client: DynamoDBDocumentClient, process: SimulatedProcess): Promise<string> {
    const { charged, declined } = await chargeDue({
      lease,
      tick: lease.tick ?? '',
      subscriptions: subscriptionsTable(client, SUBSCRIPTIONS),
      gateway: stripeGateway(this.#gateway.transportOf(process)),
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
    for (const { customer, plan, period, amountMinor, currency } of this.#gateway.charges()) {
      const what = `${customer} ${plan} ${period}`
      if (charged.has(what)) this.#world.wrong(`${what} was charged twice`)
      charged.add(what)
      const expected = this.#expected.get(what)
      const isRight = expected?.amountMinor === amountMinor && expected.currency === currency && !expected.isDeclined
      if (!isRight) this.#world.wrong(`${what} was charged ${amountMinor} ${currency}, which was not due`)
    }
  }

  /** At the end: everything due is charged or declined, and the ledger agrees. */
  checkLedger(): void {
    const charges = new Map(
      this.#gateway.charges().map(({ customer, plan, period, id }) => [`${customer} ${plan} ${period}`, id]),
    )
    const rows = new Map(
      this.#world.database.rows(CHARGES).map((row) => {
        const [customer, plan, period] = [textOf(row['customer']), textOf(row['plan']), textOf(row['period'])]
        return [`${customer} ${plan} ${period}`, { status: textOf(row['status']), chargeId: textOf(row['chargeId']) }]
      }),
    )
    for (const [what, { isDeclined }] of this.#expected) {
      const { status, chargeId } = rows.get(what) ?? {}
      const charge = charges.get(what)
      const isRight = isDeclined
        ? status === 'declined'
        : charge !== undefined && status === 'charged' && chargeId === charge
      if (isRight) continue
      const due = isDeclined ? 'should be declined' : `was due and charged as ${charge ?? 'nothing'}`
      this.#world.wrong(`${what} ${due}, but the ledger says ${status} ${chargeId ?? ''}`)
    }
    if (rows.size !== this.#expected.size) {
      this.#world.wrong(`the ledger has ${rows.size} rows instead of ${this.#expected.size}`)
    }
  }
}

/** The time-out of the shipped transport to the sandbox. */
const TIMEOUT_MS = 5_000
/** The longest that a request is under way. */
const LATEST_MS = 40_000
/** The sandbox knows a key for longer than any copy is under way, and forgets it before the next try of an event. */
const KEY_WINDOW_MS = 50_000

/** The shipped payment sandbox behind a connection that loses, delays and copies requests and answers. */
class SimulatedGateway {
  readonly #world: World
  readonly #process: SimulatedProcess
  readonly #answer: Sandbox
  readonly #store = memoryStore()

  constructor(world: World) {
    this.#world = world
    const { timeline, setting } = world
    this.#process = new SimulatedProcess('gateway', timeline, setting.seed, 0)
    this.#answer = sandbox({
      keyWindowMs: KEY_WINDOW_MS,
      store: this.#store,
      now: () => timeline.nowMs,
      sleep: (ms) => this.#process.clock.sleep(ms),
    })
  }

  charges(): readonly SandboxCharge[] {
    return this.#store.rows().flatMap(chargesOf)
  }

  /** Like the shipped transports, it sends a request again if the connection is lost and the caller still leads. */
  transportOf(process: SimulatedProcess): Transport {
    let requests = 0
    return async (request, { signal, beforeSend }) => {
      for (let tries = 1; tries <= 2; tries++) {
        signal.throwIfAborted()
        beforeSend?.()
        const place = `${process.invocation} gateway ${++requests}`
        const answer = await new Promise<GatewayResponse | 'lost'>((resolve, reject) => {
          this.#world.timeline.after(TIMEOUT_MS, process, () => reject(unknown('no answer in time')))
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
          this.#travel(request, process, place, resolve)
        })
        if (answer !== 'lost') return answer
      }
      throw unknown('the connection was lost twice')
    }
  }

  #travel(
    request: GatewayRequest,
    process: SimulatedProcess,
    place: string,
    receive: (answer: GatewayResponse | 'lost') => void,
  ): void {
    const { timeline, faults, setting } = this.#world
    const random = faults.draw('gateway fails', place)
    const usual = new Random(setting.seed, `journey of ${place}`)
    const [thereMs, backMs] = [usual.between(5, 60), usual.between(5, 60)]
    const answer = (response: GatewayResponse) =>
      timeline.after(backMs, process, () => {
        if (response.headers['idempotent-replayed'] === 'true')
          this.#world.reached('charge answered again under its key')
        receive(response)
      })
    const dropReply = () => undefined
    const arrive = (afterMs: number, reply: (response: GatewayResponse) => void) =>
      timeline.after(afterMs, this.#process, () => void this.#answer(request).then(reply))
    if (random === undefined) return void arrive(thereMs, answer)
    const fault = random.pick('lost', 'answer lost', 'late', 'copied')
    if (fault === 'answer lost') arrive(thereMs, dropReply)
    if (fault === 'copied') arrive(thereMs, answer)
    if (fault === 'late') arrive(random.spread(TIMEOUT_MS, LATEST_MS), dropReply)
    else if (fault === 'copied') arrive(random.spread(thereMs, LATEST_MS), dropReply)
    else timeline.after(thereMs + backMs, process, () => receive('lost'))
  }
}

function unknown(why: string): GatewayOutcomeUnknownError {
  return new GatewayOutcomeUnknownError(`The outcome at the gateway is unknown: ${why}`)
}
