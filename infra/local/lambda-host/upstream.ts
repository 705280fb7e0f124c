/** The way on from a proxy to the server behind it. */
import { Agent, request as startRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from './interceptor.ts'
import { type Received, readAll, textsOf } from './loopback-server.ts'

export interface Upstream {
  /** @throws Error where the server cannot be reached, or this was closed */
  send(request: Received): Promise<Reply>
  /** Settles when nothing is on its way any more. */
  close(): Promise<void>
}

/** DynamoDB Local closes connections that were idle for 30 s: a request must not meet that moment. */
const IDLE_TIMEOUT_MS = 20_000
/** How long `close` waits for a server that does not answer. */
const CLOSE_TIMEOUT_MS = 2_000

/** What belongs to one connection, or to a body's form on it. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const OF_ONE_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'accept-encoding']

export function connectTo(endpoint: string): Upstream {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_TIMEOUT_MS })
  const underway = new Set<Promise<Reply>>()
  let closed = false

  const exchange = ({ method, path, headers, body }: Received) =>
    new Promise<Reply>((resolve, reject) => {
      const bytes = Buffer.from(body)
      const message = startRequest(new URL(path, endpoint), {
        agent,
        method,
        headers: { ...passedOn(headers), 'content-length': bytes.length },
      })
      message.on('error', reject)
      message.on('response', (response) => {
        const { statusCode = 0 } = response
        readAll(response).then((text) => {
          resolve({ statusCode, headers: passedOn(textsOf(response.headers)), body: text })
        }, reject)
      })
      message.end(bytes)
    })

  return {
    send: async (request) => {
      if (closed) throw new Error(`${endpoint} is reached no more: the host has stopped`)
      const reply = exchange(request)
      underway.add(reply)
      try {
        return await reply
      } finally {
        underway.delete(reply)
      }
    },
    close: async () => {
      closed = true
      const timeout = new AbortController()
      const tooLate = sleep(CLOSE_TIMEOUT_MS, undefined, { signal: timeout.signal }).catch(() => {})
      await Promise.race([Promise.allSettled(underway), tooLate])
      timeout.abort()
      agent.destroy()
    },
  }
}

const passedOn = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_ONE_CONNECTION.includes(name)))
