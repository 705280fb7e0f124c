/** The sandbox behind a real socket, with a count of its own of what it charged. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { GatewayRequest, GatewayResponse } from '../../functions/billing/transports.ts'
import { memoryStore } from '../../functions/sandbox/memory-store.ts'
import { sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxCharge, type SandboxStore } from '../../functions/sandbox/store.ts'

export type { SandboxCharge } from '../../functions/sandbox/store.ts'

export interface HttpGatewayOptions {
  /** Wall clock, epoch ms. @default Date.now */
  readonly now?: (() => number) | undefined
  /** How long a key is remembered, in milliseconds. @default 24 hours */
  readonly keyWindowMs?: number | undefined
  /** @default by timer, as long as a late answer takes */
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined
  /** Decides what becomes of each request; 'hangUp' closes the connection. `answer` executes it, at every call. */
  readonly intercept?:
    | ((request: GatewayRequest, answer: () => Promise<GatewayResponse>) => Promise<GatewayResponse | 'hangUp'>)
    | undefined
}

export interface HttpGateway {
  readonly url: string
  /** Every payment intent that succeeded, in order. */
  charges(): readonly SandboxCharge[]
  /** Charges of one (customer, plan, period) beyond the first, whatever their keys. */
  duplicateCharges(): number
  /** Requests answered from what was stored. */
  replayedRequests(): number
  stop(): Promise<void>
}

export async function startHttpGateway(options: HttpGatewayOptions = {}): Promise<HttpGateway> {
  const { intercept = (_request, answer) => answer(), ...sandboxOptions } = options
  const charges: SandboxCharge[] = []
  let replayedRequests = 0
  const ask = sandbox({ ...sandboxOptions, store: countingStore(charges) })

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await readRequest(incoming)
    const answer = async () => {
      const response = await ask(request)
      if (response.headers['idempotent-replayed'] === 'true') replayedRequests++
      return response
    }
    const response = await intercept(request, answer)
    if (response === 'hangUp') outgoing.destroy()
    else outgoing.writeHead(response.statusCode, response.headers).end(response.body)
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The gateway has no TCP port to listen on')

  return {
    url: `http://127.0.0.1:${address.port}`,
    charges: () => charges,
    duplicateCharges: () => charges.length - new Set(charges.map(unitOf)).size,
    replayedRequests: () => replayedRequests,
    stop: () =>
      new Promise((resolve, reject) => {
        if (!server.listening) return resolve()
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}

function countingStore(charges: SandboxCharge[]): SandboxStore {
  const store = memoryStore()
  return {
    list: (customer) => store.list(customer),
    async record(execution, before) {
      const changed = await store.record(execution, before)
      const { intent, ...row } = execution
      if (changed === undefined && intent !== undefined) charges.push(...chargesOf({ ...row, intents: [intent] }))
      return changed
    },
  }
}

function unitOf({ customer, plan, period }: SandboxCharge): string {
  return JSON.stringify([customer, plan, period])
}

async function readRequest(incoming: IncomingMessage): Promise<GatewayRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://127.0.0.1')
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
  return {
    method: incoming.method === 'POST' ? 'POST' : 'GET',
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body: Buffer.concat(chunks).toString('utf8'),
  }
}
