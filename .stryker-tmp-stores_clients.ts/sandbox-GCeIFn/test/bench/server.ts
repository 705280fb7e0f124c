/**
 * What the handlers under measure talk to, in a process of its own: answers that are always the same (`canned`), the
 * DynamoDB in memory (`double`), or DynamoDB Local behind a counter (`proxy`). A message is answered with the traffic.
 */
// @ts-nocheck

import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { SimulatedDynamoDB } from '../../functions/election/testing/dynamodb/database.ts'
import { sendTo } from '../support/dynamodb/wire.ts'

/** What was on the wire. */
export interface Traffic {
  readonly operations: string[]
  /** Bodies of the requests, at most a hundred. */
  readonly bodies: string[]
  bytes: number
  readUnits: number
  writeUnits: number
}

const [, , mode = '', upstream = ''] = process.argv
const TYPE = { 'content-type': 'application/x-amz-json-1.0' }
const database = new SimulatedDynamoDB()
const none = (): Traffic => ({ operations: [], bodies: [], bytes: 0, readUnits: 0, writeUnits: 0 })
let traffic = none()

/** Asks DynamoDB Local for the units; a refused write costs one, as its row is below 1 KB. */
async function throughProxy(operation: string, body: object) {
  const answer = await sendTo(upstream)(operation, { ...body, ReturnConsumedCapacity: 'TOTAL' })
  const { ConsumedCapacity = [] }: { readonly ConsumedCapacity?: unknown } = answer.body
  const reported = [ConsumedCapacity].flat().reduce((sum: number, of) => sum + Number(Object(of).CapacityUnits), 0)
  // DynamoDB Local reports four units for a row in a transaction; AWS documents two.
  const units = operation === 'TransactWriteItems' ? reported / 2 : reported
  if (operation === 'GetItem' || operation === 'Query') traffic.readUnits += units
  else traffic.writeUnits += answer.status === 200 ? units : 1
  return answer
}

async function answerTo(operation: string, body: string) {
  if (mode === 'canned') return { status: 200, body: {} }
  const request: object = JSON.parse(body)
  return mode === 'double' ? database.execute(operation, request) : await throughProxy(operation, request)
}

const server = createServer({ keepAliveTimeout: 0 }, async (incoming, outgoing) => {
  const body = await text(incoming)
  const operation = String(incoming.headers['x-amz-target']).replace(/^.*\./, '')
  traffic.operations.push(operation)
  traffic.bytes += body.length
  if (traffic.bodies.length < 100) traffic.bodies.push(body)
  const answer = await answerTo(operation, body)
  const content = JSON.stringify(answer.body)
  outgoing.writeHead(answer.status, { ...TYPE, 'content-length': Buffer.byteLength(content) }).end(content)
})
process.on('disconnect', () => process.exit())
process.on('message', () => {
  process.send?.(traffic)
  traffic = none()
})
server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
