import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency'
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb'
import type { Context } from 'aws-lambda'
import type { BenchEvent, Verdict } from '../event.ts'

const persistenceStore = new DynamoDBPersistenceLayer({ tableName: 'powertools' })
const config = new IdempotencyConfig({})

export async function handler(event: BenchEvent, context: Context): Promise<Verdict> {
  config.registerLambdaContext(context)
  let led = false
  const task = async (_key: string) => {
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
