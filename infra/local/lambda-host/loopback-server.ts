/** An HTTP server for the processes of one run alone, whose every reply is a value, as interceptors need it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Reply } from './interceptor.ts'
import { isFromPage, isOwnHost, LOOPBACK } from './loopback-guard.ts'

/** One request before its body. */
export interface Asked {
  readonly method: string
  /** With the query, if there is one. */
  readonly path: string
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** One request, with its whole body. */
export interface Received extends Asked {
  readonly body: string
}

export interface LoopbackServer {
  readonly url: string
  /** Closes every connection, and settles when the port is free. */
  stop(): Promise<void>
}

export interface LoopbackServerOptions {
  /** The reply to a request that is not to be answered; undefined lets it in. Its body is not read before. */
  readonly refuse: (request: Asked) => Reply | undefined
  /**
   * Gives the reply, or `hangUp` to close the connection without one; it is called to its end even if the client hangs
   * up before. It must not throw: a connection whose answer throws is closed.
   */
  readonly answer: (request: Received) => Promise<Reply | 'hangUp'>
}

/** Starts a server on 127.0.0.1, at any free port. It answers no page of a browser, and no other host name. */
export async function startLoopbackServer({ refuse, answer }: LoopbackServerOptions): Promise<LoopbackServer> {
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '/', headers } = request
    const asked = { method, path, headers: textsOf(headers) }
    const refusal = refuseForeign(asked) ?? refuse(asked)
    const reply = refusal ?? (await answer({ ...asked, body: await readAll(request) }))
    if (reply === 'hangUp') response.destroy()
    else send(response, reply) // without effect if the client is gone
  }
  const refuseForeign = ({ headers }: Asked): Reply | undefined => {
    if (!isOwnHost(headers['host'], port)) return inText(421, 'This server has another host name')
    return isFromPage(headers) ? inText(403, 'This server answers no pages of a browser') : undefined
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  // A client that was frozen for long must find its connections as it left them: only planned faults may break them.
  server.keepAliveTimeout = 0
  server.listen(0, LOOPBACK)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP port')
  const { port } = address
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

const inText = (statusCode: number, body: string): Reply => ({
  statusCode,
  headers: { 'content-type': 'text/plain' },
  body,
})

function send(response: ServerResponse, { statusCode, headers, body }: Reply): void {
  const bytes = Buffer.from(body)
  response.statusCode = statusCode
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-length', bytes.length).end(bytes)
}

/** @throws Error where the client hangs up before its end. */
export async function readAll(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

export function textsOf(headers: IncomingMessage['headers']): Record<string, string> {
  const texts = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
  return Object.fromEntries(texts)
}
