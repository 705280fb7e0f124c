// @ts-nocheck
import { DynamoDB } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb'
import locks from '@deliveryhero/dynamodb-lock'

const client = locks.dynamoDBLockClientFactory(DynamoDBDocument.from(new DynamoDB({})))
const leaseDurationInMs = Number(process.env.LEASE_MS ?? 30_000)
const times = { leaseDurationInMs, prolongEveryMs: leaseDurationInMs / 3 }
const options = { ...times, trustLocalTime: true, waitDurationInMs: 0, maxRetryCount: 0 }

/** It has no ticks: the next candidate leads as soon as the lock is free. */
export async function handler(event) {
  try {
    const lock = await client.lock('bench', event.lease ?? process.env.LEASE_NAME, options)
    await event.task?.()
    await client.releaseLock(lock)
    return { status: 'completed' }
  } catch (error) {
    if (error instanceof locks.LockNotGrantedError) return { status: 'standby' }
    throw error
  }
}
