import { describeLeaseRequest } from '../../../functions/election/stores/describe.ts'
import { type Answer, refused } from '../../../functions/election/testing/dynamodb/answer.ts'
import type { Faults } from './faults.ts'
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
    if (signal?.aborted) throw aborted() // as the SDK's own handler does
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
      const cancelTimeout = timeline.after(isCutOff ? CONNECT_MS : ANSWER_MS, process, () =>
        settle(() => reject(Object.assign(new Error('The request timed out'), { name: 'TimeoutError' }))),
      )
      signal?.addEventListener('abort', () => settle(() => reject(aborted())), { once: true })
      if (isCutOff) return
      const random = fault?.random ?? new Random(setting.seed, `journey of ${place}`)
      this.#travel(exchange, fault, random, {
        answer: (answer, atMs) =>
          settle(() => {
            requests.answered(exchange, answer)
            resolve({ ...answer, dateMs: Math.floor(atMs / 1000) * 1000 })
          }),
        reset: () => settle(() => reject(Object.assign(new Error('The connection was reset'), { code: 'ECONNRESET' }))),
      })
    })
  }

  #travel(exchange: Exchange, fault: ReturnType<Faults['drawForRequest']>, random: Random, sender: Sender): void {
    const { timeline, service, lambda } = this.#world
    const process = this.#process
    const thereMs = random.between(1, random.chance(30) ? 120 : 6)
    const backMs = random.between(1, random.chance(30) ? 120 : 6)
    const answerAfter = (ms: number) => (answer: Answer) => {
      const atMs = timeline.nowMs // the Date header is that of the answer's making
      timeline.after(ms, process, () => {
        if (timeline.nowMs >= this.#cutOffUntilMs) sender.answer(answer, atMs)
      })
    }
    const dropReply = () => undefined
    const arrive = (afterMs: number, reply: (answer: Answer) => void = answerAfter(backMs)) =>
      timeline.after(afterMs, undefined, () => service.receive(exchange, reply))
    const reset = (afterMs: number) => timeline.after(afterMs, process, sender.reset)
    const answerWith = (answer: Answer) =>
      timeline.after(thereMs + backMs, process, () => sender.answer(answer, timeline.nowMs - backMs))
    const atSomePoint = (act: () => void) => timeline.after(random.between(0, thereMs + backMs), undefined, act)

    switch (fault?.kind) {
      case 'request lost':
        if (random.chance(500)) reset(thereMs)
        return
      case 'reply lost':
        arrive(thereMs, dropReply)
        if (random.chance(500)) reset(thereMs + backMs)
        return
      case 'request copied':
        arrive(thereMs)
        return void arrive(random.spread(thereMs, LATEST_MS), dropReply)
      case 'request late':
        return void arrive(random.spread(ANSWER_MS, LATEST_MS), dropReply)
      case 'answer slow': {
        const afterMs = random.chance(500) ? thereMs : random.between(100, ANSWER_MS)
        return void arrive(afterMs, answerAfter(random.between(100, ANSWER_MS)))
      }
      case 'throttled':
        return void answerWith(throttled(random))
      case 'server error': {
        const error = serverError(random)
        if (random.chance(500)) arrive(thereMs, dropReply)
        return void answerWith(error)
      }
      case 'row in a transaction':
        service.lockRowsOf(exchange, random.spread(8, 3_000))
        return void arrive(thereMs)
      case 'process dies':
        arrive(thereMs)
        return void atSomePoint(() => lambda.kill(process, 'dies'))
      case 'process freezes':
        arrive(thereMs)
        return void atSomePoint(() => lambda.freeze(process, random.spread(500, 200_000)))
      default:
        arrive(thereMs)
    }
  }
}

interface Sender {
  /** @param atMs when DynamoDB made the answer */
  answer(answer: Answer, atMs: number): void
  reset(): void
}

function aborted(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError' })
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
    const conflicts = rows.map((row) => this.#isLocked(row))
    if (operation !== 'TransactWriteItems') {
      reply(conflicts.includes(true) ? conflict() : this.#apply(exchange, isCopy))
      return
    }
    if (conflicts.includes(true)) {
      reply(cancelled(conflicts))
      return
    }
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

  #isLocked(row: string): boolean {
    return (this.#lockedUntilMs.get(row) ?? 0) > this.#world.timeline.nowMs
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

function conflict(): Answer {
  return refused('TransactionConflictException', ONGOING)
}

function cancelled(conflicts: readonly boolean[]): Answer {
  const reasons = conflicts.map((isConflict) =>
    isConflict ? { Code: 'TransactionConflict', Message: ONGOING } : { Code: 'None' },
  )
  const codes = reasons.map(({ Code }) => Code).join(', ')
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`
  return refused('TransactionCanceledException', message, { CancellationReasons: reasons })
}

export function throttled(random: Random): Answer {
  const type = random.pick(
    'com.amazon.coral.availability#ThrottlingException',
    'ProvisionedThroughputExceededException',
  )
  return refused(type, 'Rate exceeded')
}

export function serverError(random: Random): Answer {
  if (random.chance(500)) return { ...refused('InternalServerError', 'Internal server error'), status: 500 }
  return { status: 503, body: { __type: 'ServiceUnavailable', message: 'Service is temporarily unavailable' } }
}
