import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { SimulatedDynamoDB } from '../../../functions/election/testing/dynamodb/database.ts'
import { BeliefWatch } from './belief-watch.ts'
import { Billing } from './billing.ts'
import { DynamoDBService } from './dynamodb-service.ts'
import { EffectWatch, PROTECTED } from './effect-watch.ts'
import { type Exchange, errorType } from './exchange.ts'
import { Faults } from './faults.ts'
import { Findings } from './findings.ts'
import { Lambda } from './lambda.ts'
import { LeaseWatch } from './lease-watch.ts'
import { RequestWatch } from './request-watch.ts'
import { type Setting, START_MS, settingOf } from './setting.ts'
import { LEASES } from './tenure.ts'
import { Timeline } from './timeline.ts'

export interface Order {
  readonly seed: number
  readonly ticks?: number | undefined
  /** Of the seed's faults only these. @default all */
  readonly only?: ReadonlySet<number> | undefined
}

/** Everything that one history consists of. Its parts find each other here. */
export class World {
  readonly setting: Setting
  /** The readable history. */
  readonly lines: string[] = []
  readonly timeline = new Timeline(START_MS)
  readonly findings = new Findings((line) => this.log(line))
  readonly faults: Faults
  readonly database = new SimulatedDynamoDB()
  readonly service: DynamoDBService
  readonly requests = new RequestWatch(this)
  readonly leases = new LeaseWatch(this)
  readonly beliefs = new BeliefWatch(this)
  readonly effects = new EffectWatch(this)
  readonly lambda = new Lambda(this)
  /** Undefined if the leaders do other work. */
  readonly billing: Billing | undefined

  constructor({ seed, ticks, only }: Order) {
    this.setting = settingOf(seed, ticks)
    this.log(`begins: ${JSON.stringify(this.setting)}`)
    this.faults = new Faults(seed, this.setting.intensity, only, (line) => this.log(line))
    this.database.createTable({ name: LEASES, partitionKey: 'lease', sortKey: 'record', ttlAttribute: 'ttl' })
    this.database.createTable({ name: PROTECTED, partitionKey: 'id' })
    this.service = new DynamoDBService(this)
    this.billing = this.setting.work === 'billing' ? new Billing(this) : undefined
  }

  log(line: string): void {
    this.lines.push(`${((this.timeline.nowMs - START_MS) / 1000).toFixed(3).padStart(9)} s ${line}`)
  }

  /** DynamoDB has applied or refused a request. */
  applied(exchange: Exchange, answer: Answer, isCopy: boolean): void {
    const { place, lease, operation, body } = exchange
    const what = lease?.kind ?? `${operation} of ${String(body['TableName'])}`
    const error = errorType(answer)
    this.log(`${place}${isCopy ? ', a copy' : ''}: ${what} ${error === undefined ? 'done' : `refused, ${error}`}`)
    this.leases.applied(exchange, answer)
    this.effects.applied(exchange, answer, isCopy)
    this.billing?.applied(exchange, answer)
  }
}
