// @ts-nocheck
import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency'
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb'

const persistenceStore = new DynamoDBPersistenceLayer({ tableName: 'powertools' })
const config = new IdempotencyConfig({})

export async function handler(event, context) {
  config.registerLambdaContext(context)
  let led = false
  const task = async (_key) => {
    led = true
    await event.task?.()
    return 'done'
  }
  try {
    const key = `${event.lease ?? process.env['LEASE_NAME']} ${event.tick}`
    await makeIdempotent(task, { persistenceStore, config })(key)
  } catch (error) {
    if (!(error instanceof IdempotencyAlreadyInProgressError)) throw error
  }
  return { status: led ? 'completed' : 'standby' }
}
