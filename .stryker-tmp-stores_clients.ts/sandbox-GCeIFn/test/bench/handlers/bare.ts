// @ts-nocheck
import { ConditionalCheckFailedException, DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { BenchEvent, Verdict } from './event.ts'

const { LEASE_TABLE: TableName, LEASE_NAME = '' } = process.env
const client = new DynamoDBClient()
const FREE = '(attribute_not_exists(holder) OR expiresAtMs < :now)'
const NOT_DONE = '(attribute_not_exists(completedTick) OR completedTick < :tick)'
/** As long as an invocation may last. */
const LEASE_MS = 900_000

/** The least that elects: no token, no clock budget, no renewal. */
export async function handler(event: BenchEvent, context: { readonly awsRequestId: string }): Promise<Verdict> {
  const Key = { lease: { S: event.lease ?? LEASE_NAME }, record: { S: 'LEASE' } }
  const nowMs = Date.now()
  const me = { ':me': { S: context.awsRequestId }, ':tick': { S: event.tick } }
  const acquire = new UpdateItemCommand({
    TableName,
    Key,
    UpdateExpression: 'SET holder = :me, expiresAtMs = :until',
    ConditionExpression: `${FREE} AND ${NOT_DONE}`,
    ExpressionAttributeValues: { ...me, ':now': { N: String(nowMs) }, ':until': { N: String(nowMs + LEASE_MS) } },
  })
  try {
    await client.send(acquire)
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return { status: 'standby' }
    throw error
  }
  await event.task?.()
  const complete = new UpdateItemCommand({
    TableName,
    Key,
    UpdateExpression: 'SET completedTick = :tick REMOVE holder',
    ConditionExpression: 'holder = :me',
    ExpressionAttributeValues: me,
  })
  await client.send(complete)
  return { status: 'completed' }
}
