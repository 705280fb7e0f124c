/**
 * A TCP proxy between the SDK and DynamoDB Local that drops, delays, forges and repeats messages: faults that neither
 * the emulator nor a good network has.
 *
 * It reads only as much of HTTP/1.1 as it needs: a head, a body of Content-Length bytes, one request at a time per
 * connection. Each request is forwarded on a connection of its own: a client that hangs up does not cancel it.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AttributeMap } from '../../functions/election/stores/row.ts'

/** The parts of a request's body that tests look at. */
export interface WireBody {
  readonly TableName?: string
  readonly Key?: AttributeMap
  readonly UpdateExpression?: string
  readonly ExpressionAttributeValues?: AttributeMap
  readonly ClientRequestToken?: string
}

export interface WireRequest {
  /** From `X-Amz-Target`: 'UpdateItem', 'TransactWriteItems' … */
  readonly operation: string
  readonly body: WireBody
  /** As the SDK sent it. */
  readonly bytes: Buffer
}

/** One request, as a fault sees it. */
export interface Exchange {
  readonly request: WireRequest
  /** Sends the request to DynamoDB, at each call, and returns the whole reply. */
  forward(): Promise<Buffer>
  reply(bytes: Buffer): void
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
    const { head, body } = split(await forward())
    const forged = head.replace(/^date:.*$/im, `Date: ${new Date(date).toUTCString()}`)
    reply(Buffer.concat([Buffer.from(forged, 'latin1'), body]))
  }
}

/** An error in place of DynamoDB's reply; the request never reaches it. */
export function answerError(type: string, message: string, { status = 400, ...fields }: ErrorFields = {}): Fault {
  const body = JSON.stringify({
    __type: `com.amazonaws.dynamodb.v20120810#${type}`,
    message,
    ...fields,
  })
  const head = [
    `HTTP/1.1 ${status} Error`,
    'Content-Type: application/x-amz-json-1.0',
    `Content-Length: ${body.length}`,
  ]
  return ({ reply }) => reply(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`))
}

export interface ErrorFields {
  readonly status?: number
  readonly CancellationReasons?: readonly { readonly Code: string }[]
}

export interface Gate {
  /** Holds DynamoDB's reply back until the gate opens. */
  readonly fault: Fault
  /** Resolves once DynamoDB has executed the request and the reply waits. */
  readonly reached: Promise<void>
  open(): void
}

export function gate(): Gate {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  const fault: Fault = async ({ forward, reply }) => {
    const bytes = await forward()
    reached.resolve()
    await opened.promise
    reply(bytes)
  }
  return { fault, reached: reached.promise, open: opened.resolve }
}

type Match = (request: WireRequest) => boolean

export class TcpProxy {
  /** Every request that the client sent, in order, also those that met a fault. */
  readonly requests: WireRequest[] = []
  readonly endpoint: string
  readonly #server: Server
  readonly #upstream: URL
  readonly #clients = new Set<Socket>()
  readonly #faults: { readonly match: Match; readonly fault: Fault; timesLeft: number }[] = []

  private constructor(server: Server, endpoint: string, upstream: URL) {
    this.#server = server
    this.endpoint = endpoint
    this.#upstream = upstream
    server.on('connection', (client) => this.#serve(client))
  }

  static async start(upstream: string): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
    return new TcpProxy(server, `http://127.0.0.1:${address.port}`, new URL(upstream))
  }

  async stop(): Promise<void> {
    this.#server.close()
    for (const client of this.#clients) client.destroy()
    await once(this.#server, 'close')
  }

  /** The fault decides about the next `times` requests that match. Of several faults the first one set comes first. */
  meet(match: Match, fault: Fault, times = 1): void {
    this.#faults.push({ match, fault, timesLeft: times })
  }

  /** Sends a late copy of a request to DynamoDB; returns the name of the error if it is refused. */
  async resend(request: WireRequest): Promise<string | undefined> {
    return errorIn(await this.#forward(request.bytes))
  }

  #serve(client: Socket): void {
    this.#clients.add(client)
    client.on('close', () => this.#clients.delete(client))
    client.on('error', () => {}) // a client may hang up at any time
    onMessages(client, (bytes) => {
      this.#handle(bytes, client).catch(() => client.destroy())
    })
  }

  async #handle(bytes: Buffer, client: Socket): Promise<void> {
    const { head, body } = split(bytes)
    const request = { operation: operationOf(head), body: JSON.parse(body.toString()), bytes }
    this.requests.push(request)
    const exchange: Exchange = {
      request,
      forward: () => this.#forward(bytes),
      reply: (reply) => client.write(reply),
      hangUp: () => client.destroy(),
    }
    const planned = this.#faults.find(({ match, timesLeft }) => timesLeft > 0 && match(request))
    if (planned === undefined) return exchange.reply(await exchange.forward())
    planned.timesLeft--
    await planned.fault(exchange)
  }

  async #forward(bytes: Buffer): Promise<Buffer> {
    const socket = connect(Number(this.#upstream.port), this.#upstream.hostname)
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        socket.on('error', reject)
        socket.on('close', () => reject(new Error('DynamoDB Local closed the connection')))
        onMessages(socket, resolve)
        socket.write(bytes)
      })
    } finally {
      socket.destroy()
    }
  }
}

const OK = 'HTTP/1.1 200 '
const HEAD_END = '\r\n\r\n'
const LAST_CHUNK = '\r\n0\r\n\r\n'

/** The body of DynamoDB's reply, which sends a long one in chunks. */
export function bodyOf(reply: Buffer): unknown {
  const { head, body } = split(reply)
  if (!isChunked(head)) return JSON.parse(body.toString())
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const start = body.indexOf('\r\n', at) + 2
    const size = Number.parseInt(body.toString('latin1', at, start), 16)
    if (size === 0) return JSON.parse(Buffer.concat(chunks).toString())
    chunks.push(body.subarray(start, start + size))
    at = start + size + 2
  }
}

/** The name of the error that DynamoDB replied with. */
export function errorIn(reply: Buffer): string | undefined {
  if (reply.toString('latin1', 0, OK.length) === OK) return undefined
  const body = bodyOf(reply)
  const type = typeof body === 'object' && body !== null ? String(Reflect.get(body, '__type')) : ''
  return type.slice(type.indexOf('#') + 1)
}

/** Calls back with every whole HTTP message that arrives. */
function onMessages(socket: Socket, callback: (message: Buffer) => void): void {
  let received: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    for (let length = messageLength(received); length <= received.length; length = messageLength(received)) {
      const message = received.subarray(0, length)
      received = received.subarray(length)
      callback(message)
    }
  })
}

/** Infinity if the end has not arrived yet. */
function messageLength(received: Buffer): number {
  if (!received.includes(HEAD_END)) return Number.POSITIVE_INFINITY
  const { head } = split(received)
  const end = received.indexOf(LAST_CHUNK)
  if (isChunked(head)) return end === -1 ? Number.POSITIVE_INFINITY : end + LAST_CHUNK.length
  return head.length + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
}

/** The head with its empty line, and the body. */
function split(message: Buffer): { head: string; body: Buffer } {
  const end = message.indexOf(HEAD_END) + HEAD_END.length
  return { head: message.toString('latin1', 0, end), body: message.subarray(end) }
}

function isChunked(head: string): boolean {
  return /^transfer-encoding: *chunked/im.test(head)
}

function operationOf(head: string): string {
  return /^x-amz-target: *DynamoDB_\d+\.(\w+)/im.exec(head)?.[1] ?? ''
}
