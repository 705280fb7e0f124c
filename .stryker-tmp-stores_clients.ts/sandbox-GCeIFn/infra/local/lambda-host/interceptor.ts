/** The hook for faults and observation: every request of a function passes through it, and so does the reply. */
// @ts-nocheck


export interface Call {
  readonly service: 'dynamodb' | 'lambda'
  readonly operation: string
  /** The table, or the invoked function. Empty for a request that names several tables. */
  readonly target: string
  /** The request's JSON: DynamoDB's input, or the event. */
  readonly body: Readonly<Record<string, unknown>>
  readonly requestId: string
}

export interface Reply {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Decides what happens to a call.
 *
 * @param forward sends it on, with another body if one is given; may be called once, late, or never
 * @returns the reply for the function; `hangUp` closes its connection without one
 */
export type Interceptor = (
  call: Call,
  forward: (body?: Readonly<Record<string, unknown>>) => Promise<Reply>,
) => Promise<Reply | 'hangUp'>

/** Several interceptors as one: the first is nearest to the function, the last nearest to the service. */
export function compose(...interceptors: readonly [Interceptor, ...Interceptor[]]): Interceptor {
  return interceptors.reduceRight((inner, outer) => chain(outer, inner))
}

/** An inner interceptor hung up, so there is no reply for the outer one. */
const HUNG_UP = new Error('An interceptor hung up')

function chain(outer: Interceptor, inner: Interceptor): Interceptor {
  return async (call, forward) => {
    try {
      return await outer(call, async (body) => {
        const reply = await inner(body === undefined ? call : { ...call, body }, (changed) => forward(changed ?? body))
        if (reply === 'hangUp') throw HUNG_UP
        return reply
      })
    } catch (error) {
      if (error === HUNG_UP) return 'hangUp'
      throw error
    }
  }
}
