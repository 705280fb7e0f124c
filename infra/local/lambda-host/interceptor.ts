/** Where the faults of a local run come in: every request that a function sends passes here, and so does its reply. */

/** One request of a function on its way to DynamoDB or to another function. */
export interface Call {
  readonly service: 'dynamodb' | 'lambda'
  /** `UpdateItem`, `Query`, …; `Invoke`. */
  readonly operation: string
  /** The table's name, or the invoked function's. Empty for a request that names several tables. */
  readonly target: string
  /** The request's JSON: DynamoDB's input, or the event. */
  readonly body: Readonly<Record<string, unknown>>
  /** The request id of the invocation that sent it. */
  readonly requestId: string
}

export interface Reply {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Decides what becomes of a call.
 *
 * @param forward lets it through, with another body where one is given; may be called once, late, or never
 * @returns the reply that the function gets; `hangUp` closes its connection without one
 */
export type Interceptor = (
  call: Call,
  forward: (body?: Readonly<Record<string, unknown>>) => Promise<Reply>,
) => Promise<Reply | 'hangUp'>
