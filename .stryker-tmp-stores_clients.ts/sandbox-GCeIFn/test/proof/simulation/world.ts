// @ts-nocheck
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { SimulatedDynamoDB } from '../../../functions/election/testing/dynamodb/database.ts'
import type { Violation } from '../result.ts'
import { BeliefWatch } from './belief-watch.ts'
import { Billing } from './billing.ts'
import { DynamoDBService } from './connection.ts'
import { Continuations } from './continuations.ts'
import { EffectWatch, PROTECTED } from './effect-watch.ts'
import { Faults } from './faults.ts'
import { Lambda } from './lambda.ts'
import { LeaseWatch } from './lease-watch.ts'
import { Operator } from './operator.ts'
import { Timeline } from './process.ts'
import { type Exchange, errorType, LEASES } from './records.ts'
import { RequestWatch } from './request-watch.ts'
import { type Setting, START_MS, settingOf } from './setting.ts'
import type { Situation } from './situations.ts'

export interface Order {
  readonly seed: number
  readonly ticks?: number | undefined
  /** Of the seed's faults only these. @default all */
  readonly only?: ReadonlySet<number> | undefined
}

/** Everything that one history consists of, and what it has shown. Its parts find each other here. */
export class World {
  readonly order: Order
  readonly setting: Setting
  /** The readable history. */
  readonly lines: string[] = []
  /** The first one ends the history. */
  violation: Pick<Violation, 'claim' | 'what'> | undefined
  readonly situations = new Map<Situation, number>()
  readonly timeline = new Timeline(START_MS)
  readonly faults: Faults
  readonly database = new SimulatedDynamoDB()
  readonly service: DynamoDBService
  readonly requests = new RequestWatch(this)
  readonly leases = new LeaseWatch(this)
  readonly beliefs = new BeliefWatch(this)
  readonly effects = new EffectWatch(this)
  readonly lambda = new Lambda(this)
  readonly continuations = new Continuations(this)
  readonly operator = new Operator(this)
  /** Undefined if the leaders do other work. */
  readonly billing: Billing | undefined

  constructor(order: Order) {
    this.order = order
    this.setting = settingOf(order.seed, order.ticks)
    this.log(`begins: ${JSON.stringify(this.setting)}`)
    this.faults = new Faults(order, this.setting.intensity, (line) => this.log(line))
    this.database.createTable({ name: LEASES, partitionKey: 'lease', sortKey: 'record' })
    this.database.createTable({ name: PROTECTED, partitionKey: 'id' })
    this.service = new DynamoDBService(this)
    this.billing = this.setting.work === 'billing' ? new Billing(this) : undefined
  }

  log(line: string): void {
    this.lines.push(`${((this.timeline.nowMs - START_MS) / 1000).toFixed(3).padStart(9)} s ${line}`)
  }

  reached(situation: Situation, when = true): void {
    if (when) this.situations.set(situation, (this.situations.get(situation) ?? 0) + 1)
  }

  /** @param claim undefined if no claim is about what is wrong */
  broken(claim: Violation['claim'] | undefined, what: string): void {
    if (this.violation !== undefined) return
    this.violation = { ...(claim && { claim }), what }
    this.log(`BROKEN ${claim ?? ''} ${what}`)
  }

  wrong(what: string): void {
    this.broken(undefined, what)
  }

  /** DynamoDB has applied or refused a request. */
  applied(exchange: Exchange, answer: Answer, isCopy: boolean): void {
    const { place, lease, operation, body } = exchange
    const what = lease?.kind ?? `${operation} of ${String(body['TableName'])}`
    const error = errorType(answer)
    this.log(`${place}${isCopy ? ', a copy' : ''}: ${what} ${error === undefined ? 'done' : `refused, ${error}`}`)
    this.leases.applied(exchange, answer)
    this.effects.applied(exchange, answer, isCopy)
  }
}
