/** The example as the leaders' work: subscriptions fall due, leaders charge them, and each must be paid exactly once. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { chargeDue } from '../../../functions/billing/charge-due.ts'
import { chargesTable } from '../../../functions/billing/ledger.ts'
import { stripeGateway } from '../../../functions/billing/stripe-gateway.ts'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import { subscriptionsTable } from '../../../functions/billing/subscriptions.ts'
import type { Lease } from '../../../functions/election/index.ts'
import { subscribe } from '../../../infra/local/billing/subscribe.ts'
import type { SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import { readRow } from '../../support/dynamodb/values.ts'
import { type Answer, type Exchange, isObject, placeholder, textOf } from './exchange.ts'
import type { Findings } from './findings.ts'
import type { SimulatedGateway } from './gateway.ts'
import type { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'

const SUBSCRIPTIONS = 'subscriptions'
const CHARGES = 'charges'

/** What the sandbox does with them is said in functions/sandbox/cards.ts. */
const CHARGED = 'card_4242424242424242'
const DECLINED = 'card_4000000000000002'
const ODD_CARDS = ['card_4000000000005001', 'card_4000000000005019', 'card_4000000000005027', DECLINED] as const

/** One payment that is due, and how it must end. */
interface Expected {
  readonly what: string
  readonly amountMinor: number
  readonly currency: string
  readonly isDeclined: boolean
}

export class Billing {
  readonly #database: SimulatedDynamoDB
  readonly #gateway: SimulatedGateway
  readonly #findings: Findings
  readonly #expected: Expected[] = []
  readonly #unknown = new Set<string>()

  constructor(database: SimulatedDynamoDB, gateway: SimulatedGateway, findings: Findings) {
    this.#database = database
    this.#gateway = gateway
    this.#findings = findings
    const due = { name: 'due', partitionKey: 'dueShard', sortKey: 'dueAt', projection: 'KEYS_ONLY' as const }
    database.createTable({ name: SUBSCRIPTIONS, partitionKey: 'customer', sortKey: 'plan', indexes: [due] })
    database.createTable({ name: CHARGES, partitionKey: 'customer', sortKey: 'charge' })
  }

  /** New subscriptions, due at once: one or two, of which one may have missed a week. */
  fallDue(seed: number, tick: number, mayBeOdd: boolean): void {
    const random = new Random(seed, `subscriptions of t${tick}`)
    for (let nth = 1; nth <= random.between(1, 2); nth++) {
      const isOdd = mayBeOdd && random.chance(300)
      const subscription = subscribe({
        customer: `cus_${tick}_${nth}`,
        name: 'Ada Sato',
        plan: 'plus',
        interval: 'week',
        priceMinor: random.between(100, 99_999),
        currency: random.pick('EUR', 'JPY', 'USD'),
        dueDate: random.pick('2026-11-21', '2026-11-21', '2026-11-20', '2026-11-14'),
        timeZone: 'Etc/UTC',
        paymentMethod: isOdd ? random.pick(...ODD_CARDS) : CHARGED,
      })
      this.#database.put(SUBSCRIPTIONS, readRow(marshall(subscription)))
      this.#expect(subscription)
    }
  }

  async work(lease: Lease, client: DynamoDBDocumentClient, process: SimulatedProcess): Promise<string> {
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
    if (body['TableName'] !== CHARGES || status !== 200) return
    const key = body['Key']
    if (!isObject(key)) return
    const id = `${textOf(key['customer'])} ${textOf(key['charge'])}`
    const now = placeholder(body, ':status')
    if (now === 'unknown') this.#unknown.add(id)
    else if (now !== 'intended' && this.#unknown.delete(id)) {
      this.#findings.reached('charge of unknown outcome settled by a later try')
    }
  }

  /** At any time: nobody has paid twice. */
  judgeCharges(): void {
    const seen = new Set<string>()
    for (const { customer, plan, period, amountMinor, currency } of this.#gateway.charges()) {
      const what = `${customer} ${plan} ${period}`
      if (seen.has(what)) this.#findings.wrong(`${what} was charged twice`)
      seen.add(what)
      const expected = this.#expected.find((one) => one.what === what && !one.isDeclined)
      if (expected?.amountMinor !== amountMinor || expected.currency !== currency) {
        this.#findings.wrong(`${what} was charged ${amountMinor} ${currency}, which was not due`)
      }
    }
  }

  /** Once all is quiet: everything that was due is paid, or declined, and the ledger says so. */
  judgeLedger(): void {
    const charges = new Map(
      this.#gateway.charges().map((charge) => [`${charge.customer} ${charge.plan} ${charge.period}`, charge]),
    )
    const rows = new Map(
      this.#database
        .rows(CHARGES)
        .map((row) => [`${textOf(row['customer'])} ${textOf(row['plan'])} ${textOf(row['period'])}`, row]),
    )
    for (const { what, isDeclined } of this.#expected) {
      const row = rows.get(what)
      const status = textOf(row?.['status'])
      if (isDeclined) {
        if (status !== 'declined') this.#findings.wrong(`${what} should be declined, but the ledger says ${status}`)
        continue
      }
      const charge = charges.get(what)
      if (charge === undefined) this.#findings.wrong(`${what} was due and never charged; the ledger says ${status}`)
      else if (status !== 'charged' || textOf(row?.['chargeId']) !== charge.id) {
        this.#findings.wrong(
          `${what} was charged as ${charge.id}, but the ledger says ${status} ${textOf(row?.['chargeId'])}`,
        )
      }
    }
    if (rows.size !== this.#expected.length)
      this.#findings.wrong(`${rows.size} rows in the ledger, ${this.#expected.length} expected`)
  }

  #expect({ customer, plan, period, priceMinor, currency, paymentMethod }: Subscription): void {
    const isDeclined = paymentMethod === DECLINED
    const periods = period === '2026-11-14' && !isDeclined ? [period, '2026-11-21'] : [period]
    for (const due of periods) {
      this.#expected.push({ what: `${customer} ${plan} ${due}`, amountMinor: priceMinor, currency, isDeclined })
    }
  }
}
