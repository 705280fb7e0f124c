import { SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import { BeliefWatch } from './belief-watch.ts'
import { Billing } from './billing.ts'
import type { Connection, Network } from './connection.ts'
import { DynamoDBService } from './dynamodb-service.ts'
import { EffectWatch, PROTECTED } from './effect-watch.ts'
import { errorType } from './exchange.ts'
import { Faults } from './faults.ts'
import { Findings } from './findings.ts'
import { functionOf } from './function.ts'
import { SimulatedGateway } from './gateway.ts'
import { type Handler, type Invocation, Lambda } from './lambda.ts'
import { LeaseWatch } from './lease-watch.ts'
import { checkInvocation } from './outcome-watch.ts'
import type { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import { RequestWatch } from './request-watch.ts'
import { type Setting, START_MS, settingOf } from './setting.ts'
import { LEASES } from './tenure.ts'
import { Timeline } from './timeline.ts'

/** Everything that one history consists of. */
export interface World {
  readonly setting: Setting
  readonly timeline: Timeline
  readonly faults: Faults
  readonly findings: Findings
  readonly database: SimulatedDynamoDB
  readonly network: Network
  readonly leases: LeaseWatch
  readonly requests: RequestWatch
  readonly beliefs: BeliefWatch
  readonly effects: EffectWatch
  /** Undefined if the leaders do other work. */
  readonly billing: Billing | undefined
  /** The readable history. */
  readonly lines: string[]
  log(line: string): void
  /** The function as a new process loads it. */
  handlerFor(process: SimulatedProcess, connection: Connection): Handler
  invocationEnded(invocation: Invocation): void
}

export interface Order {
  readonly seed: number
  readonly ticks?: number | undefined
  /** Of the seed's faults only these. @default all */
  readonly only?: ReadonlySet<number> | undefined
}

/** Makes a world in which nothing has happened yet. */
export function makeWorld({ seed, ticks, only }: Order): { readonly world: World; readonly lambda: Lambda } {
  const setting = settingOf(seed, ticks)
  const timeline = new Timeline(START_MS)
  const lines: string[] = []
  const log = (line: string) => {
    lines.push(`${((timeline.nowMs - START_MS) / 1000).toFixed(3).padStart(9)} s ${line}`)
  }
  log(`begins: ${JSON.stringify(setting)}`)
  const findings = new Findings(log)
  const faults = new Faults(seed, setting.intensity, only, log)
  const database = new SimulatedDynamoDB()
  database.createTable({ name: LEASES, partitionKey: 'lease', sortKey: 'record', ttlAttribute: 'ttl' })
  database.createTable({ name: PROTECTED, partitionKey: 'id' })
  const requests = new RequestWatch(timeline, findings)
  const leases = new LeaseWatch(setting, timeline, database, findings, requests.attempts)
  const beliefs = new BeliefWatch(leases, requests, findings)
  const effects = new EffectWatch(leases, database, findings)
  const gateway = new SimulatedGateway(timeline, faults, seed, ({ headers }) => {
    if (headers['idempotent-replayed'] === 'true') findings.reached('charge answered again under its key')
  })
  const billing = setting.work === 'billing' ? new Billing(database, gateway, findings) : undefined
  const service = new DynamoDBService(
    database,
    timeline,
    new Random(seed, 'transactions'),
    ({ exchange, isCopy, answer }) => {
      const { place, lease, operation, body } = exchange
      const what = lease?.kind ?? `${operation} of ${String(body['TableName'])}`
      const error = errorType(answer)
      log(`${place}${isCopy ? ', a copy' : ''}: ${what} ${error === undefined ? 'done' : `refused, ${error}`}`)
      leases.applied(exchange, answer)
      effects.applied(exchange, answer, isCopy)
      billing?.applied(exchange, answer)
    },
  )
  const network: Network = {
    seed,
    timeline,
    service,
    faults,
    onSent: (exchange) => requests.sent(exchange, leases.tenures),
    onAnswered: (exchange, answer) => requests.answered(exchange, answer, leases.row),
    kill: (process, why) => lambda.kill(process, why),
    freeze: (process, forMs) => lambda.freeze(process, forMs),
  }
  const world: World = {
    ...{ setting, timeline, faults, findings, database, network },
    ...{ leases, requests, beliefs, effects, billing, lines, log },
    handlerFor: (process, connection) => functionOf(world, lambda, process, connection),
    invocationEnded: (invocation) => checkInvocation(world, invocation),
  }
  const lambda = new Lambda(world)
  return { world, lambda }
}
