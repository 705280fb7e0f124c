/** An HTTP server that only this machine reaches, and whose every reply is a value, as interceptors need it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Reply } from './interceptor.ts'

/** One request, with its whole body. */
export interface Received {
  readonly method: string
  /** With the query, where there is one. */
  readonly path: string
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface LoopbackServer {
  readonly url: string
  /** Closes every connection, and settles when the port is free. */
  stop(): Promise<void>
}

/**
 * Starts a server on 127.0.0.1, at any free port.
 *
 * @param answer gives the reply, or `hangUp` to close the connection without one; it is called to its end even where the
 *   client hangs up before. It must not throw: a connection whose answer throws is closed.
 */
export async function startLoopbackServer(
  answer: (request: Received) => Promise<Reply | 'hangUp'>,
): Promise<LoopbackServer> {
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '/', headers } = request
    const reply = await answer({ method, path, headers: textsOf(headers), body: await readAll(request) })
    if (reply === 'hangUp') response.destroy()
    else send(response, reply) // to nobody, where the client is gone
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  // A client that was frozen for long must find its connections as it left them: only planned faults may break them.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP port')
  const closed = once(server, 'close')
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

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
