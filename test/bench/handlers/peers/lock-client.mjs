import DynamoDB from 'aws-sdk/clients/dynamodb.js'
import locks from 'dynamodb-lock-client'

const { LEASE_NAME, LEASE_MS = '30000', AWS_ENDPOINT_URL_DYNAMODB: endpoint } = process.env
const client = new locks.FailOpen({
  dynamodb: new DynamoDB.DocumentClient(endpoint === undefined ? {} : { endpoint }),
  lockTable: 'lockClient',
  partitionKey: 'id',
  heartbeatPeriodMs: Number(LEASE_MS) / 3,
  leaseDurationMs: Number(LEASE_MS),
  trustLocalTime: true,
  retryCount: 0,
})

/** A loser waits until the lease is over, before it gives up. Without ticks, the next one leads once it is free. */
export function handler(event) {
  return new Promise((resolve, reject) => {
    client.acquireLock(event.lease ?? LEASE_NAME, async (error, lock) => {
      if (error?.code === 'FailedToAcquireLock') return resolve({ status: 'standby' })
      if (error) return reject(error)
      await event.task?.()
      lock.release((failure) => (failure ? reject(failure) : resolve({ status: 'completed' })))
    })
  })
}
