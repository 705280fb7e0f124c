import type { GetItemCommandInput, QueryCommandInput, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import type { Clock, ClockReading } from '../clock.ts'
import { isConditionFailed } from './dynamodb-errors.ts'
import type { AttributeMap } from './row.ts'

/** A request on rows of the lease table. */
export type TableRequest =
  | { readonly operation: 'UpdateItem'; readonly input: UpdateItemCommandInput }
  | { readonly operation: 'GetItem'; readonly input: GetItemCommandInput }
  | { readonly operation: 'Query'; readonly input: QueryCommandInput }

export interface TableAnswer {
  readonly Attributes?: AttributeMap | undefined
  readonly Item?: AttributeMap | undefined
  readonly Items?: readonly AttributeMap[] | undefined
  readonly LastEvaluatedKey?: AttributeMap | undefined
}

/** Sends a request, with retries, and records in `wire` what happens to each try. @throws an error as the SDK's */
export type SendToTable = (request: TableRequest, wire: Wire, signal?: AbortSignal) => Promise<TableAnswer>

/** What happened to the tries of one request on the wire. */
export class Wire {
  /** From the last try that was answered. */
  clockReading: ClockReading | undefined
  /** A try got no answer: it may have been applied. */
  unanswered = false
  /** The last try was answered. */
  answered = false
  /** The SDK could make a request of the input: a later failure, such as credentials, is not about it. */
  serialized = false
  /** The row that came with a failed condition. It is removed from the error, which the caller's middleware may log. */
  row: AttributeMap | undefined
  readonly #clock: Clock
  #sentAtMs = Number.NaN
  /** By the last try: no head of an answer came, or one of a success, and the answer may be cut off after it. */
  #mayBeApplied = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  trySent(): void {
    this.#sentAtMs = this.#clock.wallMs()
    this.answered = false
    this.row = undefined
    this.#mayBeApplied = true
  }

  /** @param dateMs of its `Date` header, or NaN */
  headCame(statusCode: number, dateMs: number): void {
    const receivedAtMs = this.#clock.wallMs()
    // After a 5xx, a write may have been applied.
    if (statusCode >= 500) this.unanswered = true
    else this.answered = true
    this.#mayBeApplied = statusCode < 300
    if (!Number.isNaN(dateMs)) this.clockReading = { sentAtMs: this.#sentAtMs, dateMs, receivedAtMs }
  }

  /** @param options.showsRow whether the row stays on the error, because the caller requested it */
  tryFailed(error: unknown, { showsRow }: { readonly showsRow?: boolean } = {}): void {
    if (this.#mayBeApplied) Object.assign(this, { unanswered: true, answered: false })
    if (!isConditionFailed(error)) return
    this.row = error.Item
    if (!showsRow) Reflect.deleteProperty(error, 'Item')
  }
}
