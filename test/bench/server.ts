/**
 * What the handlers under measure talk to, in a process of its own: answers that are always the same (`canned`), the
 * DynamoDB in memory (`double`), or DynamoDB Local behind a counter (`proxy`).
 */
import { createServer, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { SimulatedDynamoDB } from '../../functions/election/testing/dynamodb/database.ts'

/** What was on the wire since the last order. */
export interface Traffic {
  readonly operations: string[]
  /** Bodies of the requests. */
  readonly bodies: string[]
  bytes: number
  readUnits: number
  writeUnits: number
}

type Reply = { readonly status: number; readonly text: string }
type Answer = (operation: string, body: string) => Reply | Promise<Reply>

const [, , mode = '', upstream = ''] = process.argv
const TYPE = { 'content-type': 'application/x-amz-json-1.0' }
const KEPT_BODIES = 100
const database = new SimulatedDynamoDB()
const answers: Readonly<Record<string, Answer>> = {
  canned: () => ({ status: 200, text: '{}' }),
  double(operation, body) {
    const { status, body: content } = database.execute(operation, JSON.parse(body))
    return { status, text: JSON.stringify(content) }
  },
  proxy: throughProxy,
}
const answer = answers[mode] ?? throughProxy
let traffic: Traffic

function begin(): void {
  traffic = { operations: [], bodies: [], bytes: 0, readUnits: 0, writeUnits: 0 }
}

/** Asks DynamoDB Local for the units; a refused write costs one, as its row is below 1 KB. */
async function throughProxy(operation: string, body: string): Promise<Reply> {
  const headers = { ...TYPE, 'x-amz-target': `DynamoDB_20120810.${operation}`, authorization: AUTHORIZATION }
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const outgoing = request(upstream, { method: 'POST', headers }, async (incoming) => {
    resolve({ status: incoming.statusCode ?? 0, text: await text(incoming) })
  })
  outgoing.on('error', reject)
  outgoing.end(JSON.stringify({ ...JSON.parse(body), ReturnConsumedCapacity: 'TOTAL' }))
  const reply = await promise
  const { ConsumedCapacity = [] }: { ConsumedCapacity?: unknown } = JSON.parse(reply.text)
  const units: readonly { CapacityUnits: number }[] = [ConsumedCapacity].flat().map((of) => Object(of))
  // DynamoDB Local reports four units for a row in a transaction; AWS documents two.
  const share = operation === 'TransactWriteItems' ? 0.5 : 1
  const consumed = units.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0) * share
  if (operation === 'GetItem' || operation === 'Query') traffic.readUnits += consumed
  else traffic.writeUnits += reply.status === 200 ? consumed : 1
  return reply
}

/** DynamoDB Local checks no signature, but requires one. */
const AUTHORIZATION = 'AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, Signature=none'

begin()
const server = createServer({ keepAliveTimeout: 0 }, async (incoming, outgoing) => {
  const body = await text(incoming)
  const operation = String(incoming.headers['x-amz-target']).replace(/^.*\./, '')
  traffic.operations.push(operation)
  traffic.bytes += body.length
  if (traffic.bodies.length < KEPT_BODIES) traffic.bodies.push(body)
  const reply = await answer(operation, body)
  outgoing.writeHead(reply.status, { ...TYPE, 'content-length': Buffer.byteLength(reply.text) }).end(reply.text)
})
process.on('disconnect', () => process.exit())
process.on('message', () => {
  process.send?.(traffic)
  begin()
})
server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
