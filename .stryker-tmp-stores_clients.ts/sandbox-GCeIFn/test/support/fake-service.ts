/** An HTTP server with scripted answers: a gateway, or a service of AWS. It stops when the test ends. */
// @ts-nocheck

import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { onTestFinished, vi } from 'vitest'

export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The client's end of the connection. */
  readonly address: string
}

/** A `body` is sent as JSON unless it is a text. 'stalled' sends the beginning of an answer only. */
export type Answer =
  | 'hangUp'
  | 'silent'
  | 'stalled'
  | { readonly statusCode?: number; readonly headers?: Record<string, string>; readonly body?: unknown }

export interface FakeService {
  readonly url: string
  readonly requests: readonly ReceivedRequest[]
  /** Given in turn; the last one is repeated. A function is called with the request. */
  answers: readonly (Answer | ((request: ReceivedRequest) => Answer | Promise<Answer>))[]
}

export async function startFakeService(...answers: FakeService['answers']): Promise<FakeService> {
  const requests: ReceivedRequest[] = []
  // Like services of AWS, it does not say in its answers for how long it keeps a connection open.
  const server = createServer({ keepAliveTimeout: 0 }, async (incoming, outgoing) => {
    const { method = '', url = '', headers, socket } = incoming
    const address = `${socket.remoteAddress}:${socket.remotePort}`
    const request = { method, url, headers, body: await text(incoming), address }
    const next = service.answers[requests.push(request) - 1] ?? service.answers.at(-1) ?? {}
    const answer = typeof next === 'function' ? await next(request) : next
    if (answer === 'silent') return
    if (answer === 'stalled') return void outgoing.writeHead(200).write('{"id":')
    if (answer === 'hangUp') return void outgoing.destroy()
    const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})
    outgoing.writeHead(answer.statusCode ?? 200, answer.headers ?? {}).end(body)
  })
  const service: FakeService = { url: await serveUntilTestEnds(server), requests, answers }
  return service
}

/** Listens on a free port of this machine. @returns the server's URL */
export async function serveUntilTestEnds(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return `http://127.0.0.1:${address.port}`
}

/** Lets default clients of the AWS SDK find a service here, until the test ends. */
export function stubAws(service: 'SECRETS_MANAGER' | 'LAMBDA' | 'DYNAMODB' | 'SQS', endpoint: string): void {
  const variables = {
    [`AWS_ENDPOINT_URL_${service}`]: endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
}
