/**
 * Serves the page, the feed as server-sent events and the logs of tenures, and takes faults, all behind a key in the
 * path that only the printed address has. A cookie would not do: browsers send it to every port of a host, so another
 * user's server on this machine would get it.
 *
 * Other pages in the same browser can send requests here without the key. Besides the key, every request must name this
 * server as its host, and a fault must come from this page as JSON, which no form can send.
 */
// @ts-nocheck

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultError, type ManualFault, readFault } from '../faults/fault.ts'
import { isSecret } from '../lambda-host/credentials.ts'
import { isOwnHost, LOOPBACK, listen } from '../lambda-host/loopback.ts'
import type { Update } from '../observe/entries.ts'
import type { TenureLogs } from '../observe/tenure-logs.ts'
import { bundlePage } from './bundle.ts'
import type { Feed } from './feed.ts'

export interface PageOptions {
  readonly port: number
  /** The first part of the path. @default a random one */
  readonly key?: string
  readonly feed: Pick<Feed, 'subscribe'>
  readonly logs: Pick<TenureLogs, 'get'>
  readonly inject: (fault: ManualFault) => Promise<void>
}

export type PageServer = Awaited<ReturnType<typeof startPage>>

const MAX_BODY = 1_000
/** Detects a connection whose page is gone. */
const HEARTBEAT_MS = 15_000
/** A page that does not read is disconnected when this much waits for it; it may reconnect. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024
const MAX_STREAMS = 20
/** How long a page may take to receive the last entries. */
const MAX_FAREWELL_MS = 1_000

/** @throws Error that says what to do if the port is taken */
export async function startPage(options: PageOptions) {
  const { port, key = randomBytes(16).toString('base64url'), feed, logs, inject } = options
  const page = await bundlePage()
  const streams = new Set<ServerResponse>()

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '/', headers } = request
    if (!isOwnHost(headers.host, ownPort)) return reply(response, 421, 'This server answers this machine only')
    if (!isSameOrigin(headers['sec-fetch-site'])) return reply(response, 403, 'Other pages may not use this server')
    const path = URL.parse(url, 'http://local')?.pathname ?? ''
    const [, givenKey = '', route = ''] = /^\/([^/]*)(.*)$/.exec(path) ?? []
    if (!isSecret(givenKey, key)) return reply(response, 403, WRONG_KEY)
    if (route === '') return reply(response, 308, '', { location: `/${key}/` }) // the page's own requests are relative
    if ((method === 'GET' || method === 'HEAD') && route === '/') return reply(response, 200, page.html, page.headers)
    if (method === 'GET' && route === '/feed') {
      if (streams.size >= MAX_STREAMS) return reply(response, 503, 'Too many pages of this run are open')
      streams.add(response.on('close', () => streams.delete(response)))
      return stream(response, feed)
    }
    const [, tenure] = /^\/tenures\/(\d+)$/.exec(route) ?? []
    if (method === 'GET' && tenure !== undefined) {
      const steps = logs.get(Number(tenure))
      if (steps.length > 0) return reply(response, 200, JSON.stringify(steps), JSON_TYPE)
      return reply(response, 404, 'The log of this tenure is no longer kept')
    }
    if (method === 'POST' && route === '/faults') return injectFrom(request, response)
    return reply(response, 404, 'Not found')
  }

  const injectFrom = async (request: IncomingMessage, response: ServerResponse) => {
    const { origin, 'content-type': type } = request.headers
    const isFromPage = origin !== undefined && isOwnHost(origin.replace(/^http:\/\//, ''), ownPort)
    if (!isFromPage || type !== 'application/json') {
      return reply(response, 403, 'Only the page itself may inject faults, as JSON')
    }
    try {
      await inject(readFault(JSON.parse(await bodyOf(request))))
      return reply(response, 204, '')
    } catch (error) {
      if (error instanceof FaultError) return reply(response, 409, error.message)
      if (error instanceof SyntaxError) return reply(response, 400, 'The request is not JSON')
      throw error
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else reply(response, 500, String(error))
    })
  })
  const ownPort = await listen(server, port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    throw new Error(`Port ${port} is in use: choose another one with --port, or omit --port for any free one`)
  })
  const closed = once(server, 'close')
  return {
    url: `http://${LOOPBACK}:${ownPort}/${key}/`,
    stop: async () => {
      server.close()
      const ended = [...streams].map((stream) => new Promise((resolve) => stream.once('close', resolve).end()))
      await Promise.race([Promise.all(ended), sleep(MAX_FAREWELL_MS, undefined, { ref: false })])
      server.closeAllConnections()
      await closed
    },
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const WRONG_KEY = 'Open the complete address that the terminal shows: it ends with a secret key, a new one for each run'

/** Browsers name the origin of a request; what names none is no browser. */
const isSameOrigin = (site: unknown) => site === undefined || site === 'same-origin' || site === 'none'

function reply(response: ServerResponse, statusCode: number, body: string, headers: Record<string, string> = {}): void {
  const all = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers }
  response.writeHead(statusCode, { ...all, 'x-content-type-options': 'nosniff' }).end(body)
}

function stream(response: ServerResponse, feed: Pick<Feed, 'subscribe'>): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const write = (text: string) => {
    if (response.writableEnded) return
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy()
    else response.write(text)
  }
  const subscription = feed.subscribe((entries, isSnapshot) => {
    const update: Update = { nowMs: Date.now(), isSnapshot, entries }
    write(`data: ${JSON.stringify(update)}\n\n`)
  })
  const heartbeat = setInterval(() => write(': heartbeat\n\n'), HEARTBEAT_MS)
  response.on('close', () => {
    clearInterval(heartbeat)
    subscription[Symbol.dispose]()
  })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > MAX_BODY) throw new FaultError(`A fault is at most ${MAX_BODY} characters long`)
  }
  return body
}
