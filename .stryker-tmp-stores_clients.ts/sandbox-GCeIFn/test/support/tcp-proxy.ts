/**
 * A proxy between the SDK and DynamoDB Local that drops, delays, forges and repeats messages: faults that neither the
 * emulator nor a good network has.
 */
// @ts-nocheck

import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import type { AttributeMap } from '../../functions/election/stores/row.ts'

/** The parts of a request's body that tests look at. */
export interface WireBody {
  readonly TableName?: string
  readonly Key?: AttributeMap
  readonly UpdateExpression?: string
  readonly ExpressionAttributeValues?: AttributeMap
  readonly ReturnValues?: string
  readonly ClientRequestToken?: string
}

export interface WireRequest {
  /** From `X-Amz-Target`: 'UpdateItem', 'TransactWriteItems' … */
  readonly operation: string
  readonly body: WireBody
  readonly headers: IncomingHttpHeaders
  /** The body as the SDK sent it. */
  readonly text: string
}

export interface WireReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request, as a fault sees it. */
export interface Exchange {
  readonly request: WireRequest
  /** Sends the request to DynamoDB, at each call, and returns its reply. */
  forward(): Promise<WireReply>
  reply(message: WireReply): void
  /** Destroys the client's connection. */
  hangUp(): void
}

export type Fault = (exchange: Exchange) => Promise<void> | void

/** DynamoDB executes the request; the client gets no reply. */
export const loseReply: Fault = async ({ forward, hangUp }) => {
  await forward()
  hangUp()
}

/** The request never reaches DynamoDB. */
export const dropRequest: Fault = ({ hangUp }) => hangUp()

/** DynamoDB's own reply with another `Date`. */
export function forgeDate(date: string): Fault {
  return async ({ forward, reply }) => {
    const { headers, ...message } = await forward()
    reply({ ...message, headers: { ...headers, date: new Date(date).toUTCString() } })
  }
}

/** An error in place of DynamoDB's reply; the request never reaches it. */
export function answerError(type: string, message: string, fields: object = {}, status = 400): Fault {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message, ...fields })
  return ({ reply }) => reply({ status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body })
}

/** Holds DynamoDB's reply back until `open` is called; `reached` resolves once the reply waits. */
export function gate() {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  const fault: Fault = async ({ forward, reply }) => {
    const message = await forward()
    reached.resolve()
    await opened.promise
    reply(message)
  }
  return { fault, reached: reached.promise, open: opened.resolve }
}

type Match = (request: WireRequest) => boolean

export class TcpProxy {
  /** Every request that the client sent, in order, also those that met a fault. */
  readonly requests: WireRequest[] = []
  readonly endpoint: string
  readonly #server: Server
  readonly #upstream: string
  readonly #faults: { readonly match: Match; readonly fault: Fault; timesLeft: number }[] = []

  private constructor(server: Server, endpoint: string, upstream: string) {
    this.#server = server
    this.endpoint = endpoint
    this.#upstream = upstream
    server.on('request', (incoming, outgoing) => {
      outgoing.sendDate = false
      const reply = ({ status, headers, body }: WireReply) => outgoing.writeHead(status, headers).end(body)
      const hangUp = () => outgoing.destroy()
      this.#handle(incoming, reply, hangUp).catch(hangUp)
    })
  }

  static async start(upstream: string): Promise<TcpProxy> {
    // Only faults close a connection.
    const server = createServer({ keepAliveTimeout: 0 }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    return new TcpProxy(server, `http://127.0.0.1:${address.port}`, upstream)
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  /** The fault decides about the next `times` requests that match. Of several faults the first one set comes first. */
  meet(match: Match, fault: Fault, times = 1): void {
    this.#faults.push({ match, fault, timesLeft: times })
  }

  /** Sends a late copy of a request to DynamoDB; returns the name of the error if it is refused. */
  async resend(request: WireRequest): Promise<string | undefined> {
    return errorIn(await this.#forward(request))
  }

  async #handle(incoming: IncomingMessage, reply: Exchange['reply'], hangUp: () => void): Promise<void> {
    const { headers } = incoming
    const body = await text(incoming)
    const [, operation = ''] = String(headers['x-amz-target']).split('.')
    const request = { operation, body: JSON.parse(body), headers, text: body }
    this.requests.push(request)
    const exchange: Exchange = { request, forward: () => this.#forward(request), reply, hangUp }
    const planned = this.#faults.find(({ match, timesLeft }) => timesLeft > 0 && match(request))
    if (planned === undefined) return exchange.reply(await exchange.forward())
    planned.timesLeft--
    await planned.fault(exchange)
  }

  /** Uses a connection of its own: a client that hangs up does not cancel it. */
  async #forward({ headers, text: body }: WireRequest): Promise<WireReply> {
    const outgoing = request(this.#upstream, { method: 'POST', headers, agent: false }).end(body)
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response')
    if (incoming === undefined) throw new Error('DynamoDB Local did not reply')
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await text(incoming) }
  }
}

/** The name of the error that DynamoDB replied with. */
export function errorIn({ status, body }: WireReply): string | undefined {
  return status === 200 ? undefined : /#(\w+)/.exec(JSON.parse(body).__type)?.[1]
}
