/**
 * HTTP servers on 127.0.0.1 for the processes of this run alone. The address keeps other machines out, but neither
 * other users of this machine nor pages in a browser here: a page may send requests to any address, and reaches this
 * one as its own origin through a host name that it points at 127.0.0.1 (DNS rebinding).
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isSignedWith } from './credentials.ts'
import type { Interceptor, Reply } from './interceptor.ts'

export const LOOPBACK = '127.0.0.1'

/** Whether a request names this server by its address, and not by a host name that points here. */
export const isOwnHost = (host: string | undefined, port: number): boolean =>
  host === `${LOOPBACK}:${port}` || host === `localhost:${port}`

/**
 * Whether a page in a browser sent a request: browsers add one of these headers, and no page can change them.
 * Source: https://www.w3.org/TR/fetch-metadata/
 */
const isFromPage = (headers: Readonly<Record<string, unknown>>): boolean =>
  headers['origin'] !== undefined || headers['sec-fetch-site'] !== undefined

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface LoopbackServer {
  readonly url: string
  /** Closes every connection, and settles when the port is free. */
  stop(): Promise<void>
}

/** What the endpoints of a host have in common. */
export interface EndpointOptions {
  readonly accessKey: string
  readonly intercept: Interceptor
  /** The request id of the invocation that sent a request with these headers. */
  readonly requestOf: (headers: Received['headers']) => string
}

export interface LoopbackServerOptions {
  /** Requests must be signed with it. */
  readonly accessKey: string
  /** The reply to other requests, whose bodies are not read. */
  readonly refusal: Reply
  /** `hangUp` closes the connection without a reply. Runs to its end even if the client no longer waits. */
  readonly answer: (request: Received) => Promise<Reply | 'hangUp'>
  readonly failure: (error: unknown) => Reply
}

export async function startLoopbackServer(options: LoopbackServerOptions): Promise<LoopbackServer> {
  const { accessKey, refusal, answer, failure } = options
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '/' } = request
    const headers = textsOf(request.headers)
    const refused = refusalOf(headers)
    const reply = refused ?? (await answer({ method, path, headers, body: await readAll(request) }).catch(failure))
    if (reply === 'hangUp') response.destroy()
    else send(response, reply) // without effect if the client is gone
  }
  const refusalOf = (headers: Received['headers']): Reply | undefined => {
    if (!isOwnHost(headers['host'], port)) return textReply(421, 'This server has another host name')
    if (isFromPage(headers)) return textReply(403, 'This server does not answer pages in a browser')
    return isSignedWith(accessKey, headers) ? undefined : refusal
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  // A client that was frozen for long must find its connections as it left them: only planned faults may break them.
  server.keepAliveTimeout = 0
  const port = await listen(server, 0)
  const closed = once(server, 'close')
  return {
    url: `http://${LOOPBACK}:${port}`,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** @param wanted 0 for any free port */
export async function listen(server: Server, wanted: number): Promise<number> {
  server.listen(wanted, LOOPBACK)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP port')
  return address.port
}

const TEXT = { 'content-type': 'text/plain' }
const textReply = (statusCode: number, body: string): Reply => ({ statusCode, headers: TEXT, body })

function send(response: ServerResponse, { statusCode, headers, body }: Reply): void {
  const bytes = Buffer.from(body)
  response.statusCode = statusCode
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-length', bytes.length).end(bytes)
}

/** @throws Error if the client hangs up early */
export async function readAll(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

export function textsOf(headers: IncomingMessage['headers']): Record<string, string> {
  const texts = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
  return Object.fromEntries(texts)
}
