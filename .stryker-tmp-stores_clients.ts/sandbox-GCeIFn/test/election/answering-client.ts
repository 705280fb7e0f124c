// @ts-nocheck
import { type Reply, simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'
import { transport } from './transport.ts'

/** What comes over the wire in answer to one request, by default without a `Date`; `undefined` is a lost connection. */
export type WireAnswer = Reply | undefined

/** An error in DynamoDB's protocol. */
export function errorAnswer(type: string, fields: object = {}, status = 400): Reply {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type, ...fields } }
}

/**
 * The SDK's own client, which gets these answers and then the last one again; by default an empty success. With the
 * bodies of all requests so far.
 */
export function answeringClient(...answers: readonly WireAnswer[]) {
  return retryingClient(1, ...answers)
}

/** As {@link answeringClient}, for a client that tries each request so often. */
export function retryingClient(maxAttempts: number, ...answers: readonly WireAnswer[]) {
  const requests: Readonly<Record<string, unknown>>[] = []
  const given = answers.length === 0 ? [{ status: 200, body: {} }] : answers
  const send = (_operation: string, body: Readonly<Record<string, unknown>>) => {
    const answer = given[Math.min(requests.push(body), given.length) - 1]
    if (answer === undefined) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    return { dateMs: Number.NaN, ...answer }
  }
  return { client: simulatedClient(send, { maxAttempts }, transport()), requests }
}
