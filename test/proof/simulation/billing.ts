/** The billing example as the leaders' task: subscriptions fall due, and each must be charged exactly once. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { chargeDue } from '../../../functions/billing/charge-due.ts'
import { chargesTable } from '../../../functions/billing/ledger.ts'
import { stripeGateway } from '../../../functions/billing/stripe-gateway.ts'
import { subscriptionsTable } from '../../../functions/billing/subscriptions.ts'
import type { Lease } from '../../../functions/election/index.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { isObject, readRow } from '../../../functions/election/testing/dynamodb/values.ts'
import { subscribe } from '../../../infra/local/billing/subscriptions.ts'
import { type Exchange, placeholder, textOf } from './exchange.ts'
import { SimulatedGateway } from './gateway.ts'
import type { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
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
      this.#world.findings.reached('charge of unknown outcome settled by a later try')
    }
  }

  /** At any time: every charge was due, and was made once. */
  checkCharges(): void {
    const charged = new Set<string>()
    for (const { customer, plan, period, amountMinor, currency } of this.#gateway.charges()) {
      const what = `${customer} ${plan} ${period}`
      if (charged.has(what)) this.#world.findings.wrong(`${what} was charged twice`)
      charged.add(what)
      const expected = this.#expected.get(what)
      const isRight = expected?.amountMinor === amountMinor && expected.currency === currency && !expected.isDeclined
      if (!isRight) this.#world.findings.wrong(`${what} was charged ${amountMinor} ${currency}, which was not due`)
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
      this.#world.findings.wrong(`${what} ${due}, but the ledger says ${status} ${chargeId ?? ''}`)
    }
    if (rows.size !== this.#expected.size) {
      this.#world.findings.wrong(`the ledger has ${rows.size} rows instead of ${this.#expected.size}`)
    }
  }
}
