// @ts-nocheck
import { describeLeaseRequest } from '../../../functions/election/stores/describe.ts'
import { type Answer, refused } from '../../../functions/election/testing/dynamodb/answer.ts'
import type { FaultKind } from './faults.ts'
import type { SimulatedProcess } from './process.ts'
import { Random } from './random.ts'
import { type Exchange, errorType, LEASES } from './records.ts'
import type { World } from './world.ts'

type Reply = Answer & { readonly dateMs: number }

/** The time-outs of the shipped clients. */
const CONNECT_MS = 1_000
const ANSWER_MS = 2_000
/** The longest that a request is under way. */
const LATEST_MS = 300_000

/** The connection of one process to DynamoDB. All network faults are injected here. */
export class Connection {
  readonly #process: SimulatedProcess
  readonly #world: World
  #cutOffUntilMs = 0

  constructor(process: SimulatedProcess, world: World) {
    this.#process = process
    this.#world = world
  }

  /** Drops everything in both directions for a while. */
  cutOff(forMs: number): void {
    this.#cutOffUntilMs = this.#world.timeline.nowMs + forMs
  }

  async send(operation: string, body: Exchange['body'], signal: AbortSignal | undefined): Promise<Reply> {
    if (signal?.aborted) throw failure('AbortError') // as the SDK's own handler does
    const { setting, timeline, faults, requests } = this.#world
    const process = this.#process
    const place = `${process.invocation} request ${++process.requests}`
    const lease = describeLeaseRequest(operation, body, LEASES)
    const sentAtMs = timeline.nowMs
    const exchange: Exchange = { process, place, operation, body, lease, sentAtMs, settled: false, arrivals: 0 }
    const isCutOff = timeline.nowMs < this.#cutOffUntilMs
    const fault = isCutOff ? undefined : faults.drawForRequest(place)
    requests.sent(exchange)
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (exchange.settled) return
        exchange.settled = true
        cancelTimeout()
        act()
      }
      const fail = (error: Error) => settle(() => reject(error))
      const waitMs = isCutOff ? CONNECT_MS : ANSWER_MS
      const cancelTimeout = timeline.after(waitMs, process, () => fail(failure('TimeoutError')))
      signal?.addEventListener('abort', () => fail(failure('AbortError')), { once: true })
      if (isCutOff) return
      const random = fault?.random ?? new Random(setting.seed, `journey of ${place}`)
      const answer = (answer: Answer, atMs: number) =>
        settle(() => {
          requests.answered(exchange, answer)
          resolve({ ...answer, dateMs: Math.floor(atMs / 1000) * 1000 })
        })
      this.#travel(exchange, fault?.kind, random, answer, () => fail(failure('Error', { code: 'ECONNRESET' })))
    })
  }

  /** @param answer called with the time at which DynamoDB made the answer, which its Date header has */
  #travel(
    exchange: Exchange,
    fault: FaultKind | undefined,
    random: Random,
    answer: (answer: Answer, atMs: number) => void,
    reset: () => void,
  ): void {
    const { timeline, service, lambda } = this.#world
    const process = this.#process
    const thereMs = random.between(1, random.chance(30) ? 120 : 6)
    const backMs = random.between(1, random.chance(30) ? 120 : 6)
    const answerAfter = (ms: number) => (made: Answer) => {
      const atMs = timeline.nowMs
      timeline.after(ms, process, () => {
        if (timeline.nowMs >= this.#cutOffUntilMs) answer(made, atMs)
      })
    }
    const dropReply = () => undefined
    const arrive = (afterMs = thereMs, reply: (answer: Answer) => void = answerAfter(backMs)) =>
      timeline.after(afterMs, undefined, () => service.receive(exchange, reply))
    const resetAfter = (ms: number) => random.chance(500) && timeline.after(ms, process, reset)
    const answerWith = (made: Answer) =>
      timeline.after(thereMs + backMs, process, () => answer(made, timeline.nowMs - backMs))
    const atSomePoint = (act: () => void) => timeline.after(random.between(0, thereMs + backMs), undefined, act)

    switch (fault) {
      case 'request lost':
        return void resetAfter(thereMs)
      case 'reply lost':
        arrive(thereMs, dropReply)
        return void resetAfter(thereMs + backMs)
      case 'request copied':
        arrive()
        return void arrive(random.spread(thereMs, LATEST_MS), dropReply)
      case 'request late':
        return void arrive(random.spread(ANSWER_MS, LATEST_MS), dropReply)
      case 'answer slow': {
        const afterMs = random.chance(500) ? thereMs : random.between(100, ANSWER_MS)
        return void arrive(afterMs, answerAfter(random.between(100, ANSWER_MS)))
      }
      case 'throttled':
        return void answerWith(refused(random.pick(...THROTTLED), 'Rate exceeded'))
      case 'server error': {
        const error = random.pick(...SERVER_ERRORS)
        if (random.chance(500)) arrive(thereMs, dropReply)
        return void answerWith(error)
      }
      case 'row in a transaction':
        service.lockRowsOf(exchange, random.spread(8, 3_000))
        return void arrive()
      case 'process dies':
        arrive()
        return void atSomePoint(() => lambda.kill(process, 'dies'))
      case 'process freezes':
        arrive()
        return void atSomePoint(() => lambda.freeze(process, random.spread(500, 200_000)))
      default:
        arrive()
    }
  }
}

const THROTTLED = [
  'com.amazon.coral.availability#ThrottlingException',
  'ProvisionedThroughputExceededException',
] as const
const SERVER_ERRORS: readonly [Answer, Answer] = [
  { ...refused('InternalServerError', 'Internal server error'), status: 500 },
  { status: 503, body: { __type: 'ServiceUnavailable', message: 'Service is temporarily unavailable' } },
]

function failure(name: string, fields: object = {}): Error {
  return Object.assign(new Error('The request failed'), { name, ...fields })
}

/**
 * DynamoDB with the time that a transaction takes: it locks its rows for some milliseconds between its two phases, and
 * other writes to these rows are refused with a conflict.
 */
export class DynamoDBService {
  readonly #world: World
  readonly #random: Random
  readonly #lockedUntilMs = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
    this.#random = new Random(world.setting.seed, 'transactions')
  }

  /** Locks the request's rows as a transaction of another client would. */
  lockRowsOf(exchange: Exchange, forMs: number): void {
    this.#lock(this.#rowsOf(exchange), forMs)
  }

  receive(exchange: Exchange, reply: (answer: Answer) => void): void {
    const isCopy = exchange.arrivals++ > 0
    const { operation } = exchange
    const isRead = operation === 'Query' || operation === 'GetItem'
    const rows = isRead ? [] : this.#rowsOf(exchange)
    const conflicts = rows.map((row) => (this.#lockedUntilMs.get(row) ?? 0) > this.#world.timeline.nowMs)
    const isTransaction = operation === 'TransactWriteItems'
    if (conflicts.includes(true)) {
      return void reply(isTransaction ? cancelled(conflicts) : refused('TransactionConflictException', ONGOING))
    }
    if (!isTransaction) return void reply(this.#apply(exchange, isCopy))
    const forMs = this.#random.between(2, 9)
    this.#lock(rows, forMs + 1)
    this.#world.timeline.after(forMs, undefined, () => {
      for (const row of rows) this.#lockedUntilMs.delete(row)
      reply(this.#apply(exchange, isCopy))
    })
  }

  #rowsOf({ operation, body }: Exchange): readonly string[] {
    return this.#world.database.rowsOf(operation, body)
  }

  #lock(rows: readonly string[], forMs: number): void {
    for (const row of rows) this.#lockedUntilMs.set(row, this.#world.timeline.nowMs + forMs)
  }

  #apply(exchange: Exchange, isCopy: boolean): Answer {
    const answer = this.#world.database.execute(exchange.operation, exchange.body)
    if (errorType(answer) === 'ValidationException') {
      throw new Error(`DynamoDB refuses a request as invalid: ${JSON.stringify([answer.body, exchange.body])}`)
    }
    this.#world.applied(exchange, answer, isCopy)
    return answer
  }
}

const ONGOING = 'Transaction is ongoing for the item'

function cancelled(conflicts: readonly boolean[]): Answer {
  const CancellationReasons = conflicts.map((isConflict) =>
    isConflict ? { Code: 'TransactionConflict', Message: ONGOING } : { Code: 'None' },
  )
  const codes = CancellationReasons.map(({ Code }) => Code).join(', ')
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`
  return refused('TransactionCanceledException', message, { CancellationReasons })
}
