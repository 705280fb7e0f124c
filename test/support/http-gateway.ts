/** The sandbox behind a real socket. It stops when the test ends. */
import type { GatewayRequest } from '../../functions/sandbox/message.ts'
import { type SandboxOptions, sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf } from '../../functions/sandbox/store.ts'
import { type ReceivedRequest, startFakeService } from './fake-service.ts'
import { memoryStore } from './sandbox-memory.ts'

export type HttpGatewayOptions = Pick<SandboxOptions, 'now' | 'keyWindowMs' | 'sleep'>

export async function startHttpGateway(options: HttpGatewayOptions = {}) {
  const store = memoryStore()
  const answer = sandbox({ ...options, store })
  const { url, requests } = await startFakeService((request) => answer(requestOf(request)))
  /** Every payment intent that succeeded. */
  const charges = () => store.rows().flatMap(chargesOf)
  return { url, requests, charges }
}

function requestOf({ method, url, headers, body }: ReceivedRequest): GatewayRequest {
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1')
  return {
    method: method === 'POST' ? 'POST' : 'GET',
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body,
  }
}
