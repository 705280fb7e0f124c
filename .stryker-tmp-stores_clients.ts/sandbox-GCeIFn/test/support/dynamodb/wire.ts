/** DynamoDB's protocol on HTTP without the SDK, which would refuse or repair some requests. */
// @ts-nocheck

import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import { requestOf } from '../../../functions/election/testing/dynamodb/request.ts'

export type Send = (operation: string, body: object) => Promise<Answer>

const TARGET = 'DynamoDB_20120810.'
const HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  // DynamoDB Local checks no signature, but requires one.
  authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, Signature=none',
}

export function sendTo(endpoint: string): Send {
  return async (operation, body) => {
    const headers = { ...HEADERS, 'x-amz-target': TARGET + operation }
    const answer = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: answer.status, body: requestOf(await answer.json()) }
  }
}

/** An endpoint for the SDK's client. `send` answers its requests, one after another. */
export async function serve(send: Send): Promise<{ readonly endpoint: string } & AsyncDisposable> {
  let queue: Promise<unknown> = Promise.resolve()
  const server = createServer(async (incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).replace(TARGET, '')
    const body = requestOf(await json(incoming))
    const answer = queue.then(() => send(operation, body))
    queue = answer.catch(() => undefined)
    answer.then(
      ({ status, body: content }) => {
        const text = Buffer.from(JSON.stringify(content))
        outgoing.writeHead(status, { ...HEADERS, 'content-length': text.length }).end(text)
      },
      () => outgoing.destroy(),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('There is no port to listen on')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}
