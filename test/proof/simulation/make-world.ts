import { SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import { BeliefWatch } from './belief-watch.ts'
import { Billing } from './billing.ts'
import { wholeClient } from './dynamodb-client.ts'
import { EffectWatch, PROTECTED } from './effect-watch.ts'
import type { Exchange } from './exchange.ts'
import { Faults } from './faults.ts'
import { Findings } from './findings.ts'
import { functionOf } from './function.ts'
import { SimulatedGateway } from './gateway.ts'
import type { Order } from './history.ts'
import { Lambda } from './lambda.ts'
import { LeaseWatch } from './lease-watch.ts'
import { judgeInvocation } from './outcome-watch.ts'
import { Random } from './random.ts'
import { RequestWatch } from './request-watch.ts'
import { type Applied, Service } from './service.ts'
import { START_MS, settingOf } from './setting.ts'
import { shortClient } from './short-client.ts'
import { LEASES, onLease } from './tenure.ts'
import { Timeline } from './timeline.ts'
import type { Wires } from './wire.ts'
import type { World } from './world.ts'

/** Each so many seeds all layers of the SDK are gone through, which takes three times as long. */
const WHOLE_EACH = 32

export interface Made {
  readonly world: World
  readonly lambda: Lambda
  /** What happens, for people to read. */
  readonly lines: readonly string[]
  /** Every request and answer, in full. */
  readonly exchanged: readonly object[]
}

/** Puts a world together in which nothing has happened yet. */
export function makeWorld({ seed, ticks, only, wholeSdk = seed % WHOLE_EACH === 0 }: Order): Made {
  const setting = settingOf(seed, ticks)
  const timeline = new Timeline(START_MS)
  const lines: string[] = []
  const exchanged: object[] = []
  const tell = (line: string) => {
    lines.push(`${secondsOf(timeline)} ${line}`)
  }
  tell(`begins: ${JSON.stringify(setting)}`)
  const findings = new Findings(tell)
  const faults = new Faults(seed, setting.intensity, only, ({ id, kind, place }) =>
    tell(`fault ${id}: ${kind} (${place})`),
  )
  const database = emptyTables()
  const requests = new RequestWatch(timeline, findings)
  const leases = new LeaseWatch(setting, timeline, database, findings, requests.asked)
  const beliefs = new BeliefWatch(leases.tenures, requests.asked, findings)
  const effects = new EffectWatch(leases, database, findings)
  const gateway = new SimulatedGateway(timeline, faults, seed, ({ headers }) => {
    if (headers['idempotent-replayed'] === 'true') findings.reached('charge answered again under its key')
  })
  const billing = setting.work === 'billing' ? new Billing(database, gateway, findings) : undefined
  const applied = ({ exchange, isCopy, answer }: Applied) => {
    const line = `${exchange.place}${isCopy ? ', a copy,' : ''}: ${wishOf(exchange)} ${describe(answer)}`
    tell(line)
    exchanged.push(exchange.body, answer.body)
    leases.applied(exchange, answer)
    effects.applied(exchange, answer, isCopy)
    billing?.applied(exchange, answer)
  }
  const wires: Wires = {
    seed,
    timeline,
    service: new Service(database, timeline, new Random(seed, 'transactions'), applied),
    faults,
    processes: {
      kill: (process, why) => lambda.kill(process, why),
      freeze: (process, forMs) => lambda.freeze(process, forMs),
    },
    listener: {
      sent: (exchange) => requests.sent(exchange, leases.tenures.values()),
      answered: (exchange, answer) => requests.answered(exchange, answer, leases.row),
    },
  }
  const watches = { leases, requests, beliefs, effects, billing }
  const world: World = {
    ...watches,
    setting,
    timeline,
    faults,
    findings,
    database,
    wires,
    tell,
    handlerFor: (process, wire) => {
      const client = wholeSdk ? wholeClient(wire) : shortClient(wire)
      return functionOf(world, lambda, process, client, (forMs) => wire.cutOff(forMs))
    },
    invocationEnded: (invocation) => judgeInvocation(world, invocation),
  }
  const lambda = new Lambda(world)
  return { world, lambda, lines, exchanged }
}

function emptyTables(): SimulatedDynamoDB {
  const database = new SimulatedDynamoDB()
  database.createTable({ name: LEASES, partitionKey: 'lease', sortKey: 'record', ttlAttribute: 'ttl' })
  database.createTable({ name: PROTECTED, partitionKey: 'id' })
  return database
}

function wishOf(exchange: Exchange): string {
  return onLease(exchange)?.kind ?? `${exchange.operation} of ${String(exchange.body['TableName'])}`
}

function describe({ status, body }: { readonly status: number; readonly body: object }): string {
  return status === 200 ? 'done' : `refused, ${'__type' in body ? String(body.__type).replace(/^.*#/, '') : status}`
}

function secondsOf({ nowMs }: Timeline): string {
  return `${((nowMs - START_MS) / 1000).toFixed(3).padStart(9)} s`
}
