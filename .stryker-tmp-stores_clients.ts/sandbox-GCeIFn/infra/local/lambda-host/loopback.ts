/**
 * HTTP servers on 127.0.0.1 for the processes of this run alone. The address keeps other machines out, but neither
 * other users of this machine nor pages in a browser here: a page may send requests to any address, and reaches this
 * one as its own origin through a host name that it points at 127.0.0.1 (DNS rebinding).
 */
// @ts-nocheck

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { isSignedWith, UNKNOWN_CALLER } from './credentials.ts'
import type { Reply } from './interceptor.ts'

export const LOOPBACK = '127.0.0.1'

/** Whether a request names this server by its address, and not by a host name that points here. */
export const isOwnHost = (host: string | undefined, port: number): boolean =>
  host === `${LOOPBACK}:${port}` || host === `localhost:${port}`

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type LoopbackServer = Awaited<ReturnType<typeof startLoopbackServer>>

export interface LoopbackServerOptions {
  /** Requests must be signed with it. */
  readonly accessKey: string
  /** `hangUp` closes the connection without a reply. Runs to its end even if the client no longer waits. */
  readonly answer: (request: Received) => Promise<Reply | 'hangUp'>
  /** The reply to a request that is not signed, whose body is not read, or that `answer` throws at. */
  readonly failure: (request: Pick<Received, 'headers'>, type: string, message: string, statusCode: number) => Reply
}

export async function startLoopbackServer({ accessKey, answer, failure }: LoopbackServerOptions) {
  const refusalOf = (headers: Received['headers']): Reply | undefined => {
    if (!isOwnHost(headers['host'], port)) return textReply(421, 'This server has another host name')
    // Browsers add one of these to what a page sends; no page can change it. https://www.w3.org/TR/fetch-metadata/
    const isFromPage = headers['origin'] !== undefined || headers['sec-fetch-site'] !== undefined
    if (isFromPage) return textReply(403, 'This server does not answer pages in a browser')
    if (isSignedWith(accessKey, headers)) return undefined
    return failure({ headers }, 'UnrecognizedClientException', UNKNOWN_CALLER, 400)
  }
  const server = createServer(async (request, response) => {
    try {
      const { method = '', url: path = '/' } = request
      const single = ([name, value]: [string, unknown]) => (typeof value === 'string' ? [[name, value]] : [])
      const headers: Record<string, string> = Object.fromEntries(Object.entries(request.headers).flatMap(single))
      const answered = async () => answer({ method, path, headers, body: await text(request) })
      const failed = (error: unknown) => failure({ headers }, 'InternalServerError', String(error), 500)
      const reply = refusalOf(headers) ?? (await answered().catch(failed))
      if (reply === 'hangUp') response.destroy()
      else {
        const bytes = Buffer.from(reply.body)
        response.writeHead(reply.statusCode, { ...reply.headers, 'content-length': bytes.length })
        response.end(bytes) // without effect if the client is gone
      }
    } catch {
      response.destroy()
    }
  })
  // A client that was frozen for long must find its connections as it left them: only planned faults may break them.
  server.keepAliveTimeout = 0
  const port = await listen(server, 0)
  const closed = once(server, 'close')
  /** Closes every connection, and settles when the port is free. */
  const stop = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await closed
  }
  return { url: `http://${LOOPBACK}:${port}`, stop }
}

/** @param wanted 0 for any free port */
export async function listen(server: Server, wanted: number): Promise<number> {
  server.listen(wanted, LOOPBACK)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP port')
  return address.port
}

const textReply = (statusCode: number, body: string): Reply => ({
  ...{ statusCode, headers: { 'content-type': 'text/plain' }, body },
})
