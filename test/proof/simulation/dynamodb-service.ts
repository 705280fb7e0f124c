import { type Answer, refused } from '../../support/dynamodb/answer.ts'
import type { SimulatedDynamoDB } from '../../support/dynamodb/database.ts'
import { type Exchange, errorType } from './exchange.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

export interface Applied {
  readonly exchange: Exchange
  /** A second arrival of the same request. */
  readonly isCopy: boolean
  readonly answer: Answer
}

/**
 * DynamoDB with the time that a transaction takes: it locks its rows for some milliseconds between its two phases, and
 * other writes to these rows are refused with a conflict.
 */
export class DynamoDBService {
  readonly #database: SimulatedDynamoDB
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #onApplied: (applied: Applied) => void
  readonly #lockedUntilMs = new Map<string, number>()

  constructor(database: SimulatedDynamoDB, timeline: Timeline, random: Random, onApplied: (applied: Applied) => void) {
    this.#database = database
    this.#timeline = timeline
    this.#random = random
    this.#onApplied = onApplied
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
    this.#timeline.after(forMs, undefined, () => {
      for (const row of rows) this.#lockedUntilMs.delete(row)
      reply(this.#apply(exchange, isCopy))
    })
  }

  #rowsOf({ operation, body }: Exchange): readonly string[] {
    return this.#database.rowsOf(operation, body)
  }

  #lock(rows: readonly string[], forMs: number): void {
    for (const row of rows) this.#lockedUntilMs.set(row, this.#timeline.nowMs + forMs)
  }

  #isLocked(row: string): boolean {
    return (this.#lockedUntilMs.get(row) ?? 0) > this.#timeline.nowMs
  }

  #apply(exchange: Exchange, isCopy: boolean): Answer {
    const answer = this.#database.execute(exchange.operation, exchange.body)
    if (errorType(answer) === 'ValidationException') {
      throw new Error(`DynamoDB refuses a request as invalid: ${JSON.stringify([answer.body, exchange.body])}`)
    }
    this.#onApplied({ exchange, isCopy, answer })
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
