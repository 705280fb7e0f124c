/** The sandbox behind a real socket. */
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { GatewayRequest, GatewayResponse } from '../../functions/sandbox/message.ts'
import { type SandboxOptions, sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxCharge } from '../../functions/sandbox/store.ts'
import { memoryStore } from './sandbox-memory.ts'

export interface HttpGatewayOptions extends Pick<SandboxOptions, 'now' | 'keyWindowMs' | 'sleep'> {
  /**
   * Called for each request; returns its answer, or 'hangUp' to close the connection. `answer` executes the request.
   */
  readonly intercept?:
    | ((request: GatewayRequest, answer: () => Promise<GatewayResponse>) => Promise<GatewayResponse | 'hangUp'>)
    | undefined
}

export interface HttpGateway {
  readonly url: string
  /** Every payment intent that succeeded. */
  charges(): readonly SandboxCharge[]
  stop(): Promise<void>
}

export async function startHttpGateway(options: HttpGatewayOptions = {}): Promise<HttpGateway> {
  const { intercept = (_request, answer) => answer(), ...sandboxOptions } = options
  const store = memoryStore()
  const answer = sandbox({ ...sandboxOptions, store })
  const server = createServer(async (incoming, outgoing) => {
    try {
      const request = await readRequest(incoming)
      const response = await intercept(request, () => answer(request))
      if (response === 'hangUp') outgoing.destroy()
      else outgoing.writeHead(response.statusCode, response.headers).end(response.body)
    } catch {
      outgoing.destroy()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The gateway has no TCP port')

  return {
    url: `http://127.0.0.1:${address.port}`,
    charges: () => store.rows().flatMap(chargesOf),
    stop: () =>
      new Promise((resolve, reject) => {
        if (!server.listening) return resolve()
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<GatewayRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://127.0.0.1')
  return {
    method: incoming.method === 'POST' ? 'POST' : 'GET',
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body: await text(incoming),
  }
}
