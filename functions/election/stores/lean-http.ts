import type { Agent, IncomingMessage } from 'node:http'
import { builtin } from '../builtin.ts'
import { Turns } from '../turns.ts'
import { CONNECTIONS, IDLE_MS, SDK_TIMEOUTS } from './sdk-client.ts'

/** One try of a request. */
interface Try {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal | undefined
  /** @param dateMs of its `Date` header, or NaN */
  readonly headCame: (statusCode: number, dateMs: number) => void
}

export interface Answer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Sends one try, and returns the whole answer. @throws Error without one */
export type Exchange = (tried: Try) => Promise<Answer>

/** DynamoDB's longest answer is 1 MB; in JSON, a byte is at most nine. */
const LONGEST_ANSWER = 10_000_000

/** Shared by all stores. A connection that waits for a request does not keep the process alive. */
const agents = new Map<string, Agent>()
/** A request waits for its turn outside its time-outs. */
const turns = new Turns(CONNECTIONS)

export const overHttp: Exchange = (tried) => turns.take(() => exchange(tried))

const exchange: Exchange = ({ url, headers, body, signal, headCame }) => {
  const { Agent, request: send } = builtin(url.protocol === 'http:' ? 'node:http' : 'node:https')
  const agent = agents.get(url.protocol) ?? new Agent({ keepAlive: true, timeout: IDLE_MS })
  agents.set(url.protocol, agent)
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const request = send(url, { method: 'POST', headers, agent, ...(signal && { signal }) })
  const fail = (error: Error) => {
    reject(error)
    request.destroy()
  }
  const failAfter = (ms: number, what: string) =>
    setTimeout(() => fail(Object.assign(new Error(`No ${what} within ${ms} ms`), { name: 'TimeoutError' })), ms)
  const answering = failAfter(SDK_TIMEOUTS.requestTimeout, 'answer')
  let connecting: NodeJS.Timeout | undefined
  request.on('socket', (socket) => {
    if (!socket.connecting) return
    connecting = failAfter(SDK_TIMEOUTS.connectionTimeout, 'connection')
    socket.once('connect', () => clearTimeout(connecting))
  })
  request.on('error', fail)
  request.on('response', (response) => {
    const { statusCode = 0, headers } = response
    headCame(statusCode, Date.parse(String(headers.date)))
    textOf(response).then((text) => resolve({ statusCode, headers, text }), fail)
  })
  request.end(body)
  return promise.finally(() => {
    clearTimeout(answering)
    clearTimeout(connecting)
  })
}

/** With events: a loop over the stream would load more of Node.js. */
function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > LONGEST_ANSWER) reject(new Error(`The answer has more than ${LONGEST_ANSWER} bytes`))
    })
    response.on('end', () => resolve(Buffer.concat(chunks).toString()))
    response.on('error', reject)
  })
}

const CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** The network's error, which may pass. */
export function isOfTheNetwork(error: Error): boolean {
  return error.name === 'TimeoutError' || ('code' in error && CODES.has(String(error.code)))
}
