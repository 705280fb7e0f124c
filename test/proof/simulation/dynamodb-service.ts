import { type Answer, refused } from '../../../functions/election/testing/dynamodb/answer.ts'
import { type Exchange, errorType } from './exchange.ts'
import { Random } from './random.ts'
import type { World } from './world.ts'

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
