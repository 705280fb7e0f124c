import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { BenchEvent, Verdict } from './event.ts'

/** The two requests of a `withLease`, as they were on the wire. */
const [acquire, complete]: readonly [UpdateItemCommandInput, UpdateItemCommandInput] = JSON.parse(
  process.env['BENCH_EXPRESSIONS'] ?? '[{}, {}]',
)
const capturedMs = Number(acquire.ExpressionAttributeValues?.[':now']?.N)
const client = new DynamoDBClient()

/** Sends the same expressions as Tenure by the bare SDK. */
export async function handler(event: BenchEvent, context: { readonly awsRequestId: string }): Promise<Verdict> {
  const lease = { S: event.lease ?? process.env['LEASE_NAME'] ?? '' }
  const own = { ':attempt': { S: crypto.randomUUID() }, ':candidate': { S: context.awsRequestId } }
  const send = (captured: UpdateItemCommandInput, nowMs: number, token = 0) => {
    const { Key, ExpressionAttributeValues = {}, ...template } = captured
    const shiftMs = nowMs - capturedMs
    const values: Record<string, AttributeValue> = {}
    for (const [name, { N, S = '' }] of Object.entries(ExpressionAttributeValues)) {
      values[name] = N === undefined ? { S } : { N: Number(N) < 1e9 ? N : String(Number(N) + shiftMs) }
    }
    Object.assign(values, own, { ':tick': { S: event.tick } })
    if (':fencingToken' in values) values[':fencingToken'] = { N: String(token) }
    const request = { ...template, Key: { ...Key, lease }, ExpressionAttributeValues: values }
    return client.send(new UpdateItemCommand(request))
  }
  const nowMs = Date.now()
  let token: number
  try {
    const { Attributes } = await send(acquire, nowMs)
    token = Number(Attributes?.['fencingToken']?.N ?? nowMs) + 1
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return { status: 'standby' }
    throw error
  }
  await event.task?.()
  await send(complete, Date.now(), token)
  return { status: 'completed' }
}
