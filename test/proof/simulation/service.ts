import type { SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import { type Answer, type Exchange, errorType } from './exchange.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

export interface Applied {
  readonly exchange: Exchange
  /** A second arrival of the same request. */
  readonly isCopy: boolean
  readonly answer: Answer
}

/**
 * DynamoDB as its clients see it: the database with what takes time in it. A transaction keeps its rows for some
 * milliseconds between its two phases; whoever writes to one of them meanwhile is told of a conflict.
 */
export class Service {
  readonly #database: SimulatedDynamoDB
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #applied: (applied: Applied) => void
  readonly #keptUntilMs = new Map<string, number>()

  constructor(database: SimulatedDynamoDB, timeline: Timeline, random: Random, applied: (applied: Applied) => void) {
    this.#database = database
    this.#timeline = timeline
    this.#random = random
    this.#applied = applied
  }

  /** Somebody else's transaction has these rows. */
  keep(rows: readonly string[], forMs: number): void {
    for (const row of rows) this.#keptUntilMs.set(row, this.#timeline.nowMs + forMs)
  }

  rowsOf(exchange: Exchange): readonly string[] {
    return this.#database.rowsOf(exchange.operation, exchange.body)
  }

  receive(exchange: Exchange, reply: (answer: Answer) => void): void {
    const isCopy = exchange.arrivals++ > 0
    const { operation } = exchange
    if (operation !== 'TransactWriteItems') {
      if (operation !== 'Query' && operation !== 'GetItem' && this.rowsOf(exchange).some((row) => this.#isKept(row))) {
        reply(conflict())
      } else reply(this.#apply(exchange, isCopy))
      return
    }
    const rows = this.rowsOf(exchange)
    if (rows.some((row) => this.#isKept(row))) {
      reply(cancelled(rows.map((row) => this.#isKept(row))))
      return
    }
    const forMs = this.#random.between(2, 9)
    this.keep(rows, forMs + 1)
    this.#timeline.after(forMs, undefined, () => {
      for (const row of rows) this.#keptUntilMs.delete(row)
      reply(this.#apply(exchange, isCopy))
    })
  }

  #isKept(row: string): boolean {
    const untilMs = this.#keptUntilMs.get(row)
    if (untilMs === undefined) return false
    if (untilMs > this.#timeline.nowMs) return true
    this.#keptUntilMs.delete(row)
    return false
  }

  #apply(exchange: Exchange, isCopy: boolean): Answer {
    const answer = this.#database.execute(exchange.operation, exchange.body)
    if (errorType(answer) === 'ValidationException') {
      throw new Error(`DynamoDB finds a request invalid: ${JSON.stringify([answer.body, exchange.body])}`)
    }
    this.#applied({ exchange, isCopy, answer })
    return answer
  }
}

const TYPES = 'com.amazonaws.dynamodb.v20120810#'

function conflict(): Answer {
  const message = 'Transaction is ongoing for the item'
  return { status: 400, body: { __type: `${TYPES}TransactionConflictException`, message } }
}

function cancelled(conflicts: readonly boolean[]): Answer {
  const reasons = conflicts.map((isConflict) =>
    isConflict ? { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' } : { Code: 'None' },
  )
  const codes = reasons.map(({ Code }) => Code).join(', ')
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`
  return {
    status: 400,
    body: { __type: `${TYPES}TransactionCanceledException`, message, CancellationReasons: reasons },
  }
}

export function throttled(random: Random): Answer {
  const name = random.pick('ThrottlingException', 'ProvisionedThroughputExceededException')
  const type = name === 'ThrottlingException' ? `com.amazon.coral.availability#${name}` : `${TYPES}${name}`
  return { status: 400, body: { __type: type, message: 'Rate exceeded' } }
}

export function serverError(random: Random): Answer {
  if (random.chance(500)) {
    return { status: 500, body: { __type: `${TYPES}InternalServerError`, message: 'Internal server error' } }
  }
  return { status: 503, body: { __type: 'ServiceUnavailable', message: 'Service is temporarily unavailable' } }
}
